import { type Fault, faults } from "../wire/fault.js";
import type { Der } from "./der.js";
import { foldCase, generalName } from "./name.js";

const dot = 0x2e;
const star = 0x2a;
const hyphen = 0x2d;
const underscore = 0x5f;

/** The identity that a client means to reach, RFC 9525 section 6.1. */
export interface Reference {
  /** The form of GeneralName that can match it; no other can. */
  readonly form: number;
  /** The DNS name in lower case without a trailing dot, or the 4 or 16 octets of the address. */
  readonly bytes: Uint8Array;
  /** What to throw when no name of the certificate matches. */
  readonly mismatch: Fault;
}

/**
 * The reference for a DNS name (A-labels for international ones; a trailing dot is tolerated) or for the text
 * of an IPv4 or IPv6 address. Throws TypeError for anything else.
 */
export function parseReference(name: string): Reference {
  const address = parseIp(name);
  if (address) {
    return Object.freeze({ form: generalName.iPAddress, bytes: address, mismatch: faults.CERT_IP_MISMATCH });
  }
  const bytes = parseDnsName(name);
  if (!bytes) throw new TypeError("serverName: neither a DNS name nor an IP address");
  return Object.freeze({ form: generalName.dNSName, bytes, mismatch: faults.CERT_NAME_MISMATCH });
}

/**
 * Whether a SubjectAltName has a name that matches. `der` stands at the contents of the extension. The subject
 * is not looked at, RFC 9525 section 2.
 */
export function matchesReference(der: Der, reference: Reference): boolean {
  while (der.more) {
    const form = der.peek();
    const start = der.value(form);
    if (form === reference.form && matches(der.bytes, start, der.at, reference)) return true;
  }
  return false;
}

function matches(bytes: Uint8Array, start: number, end: number, reference: Reference): boolean {
  const wanted = reference.bytes;
  if (reference.form === generalName.dNSName) return matchesDnsName(bytes, start, end, wanted);
  if (end - start !== wanted.length) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[start + i] !== wanted[i]) return false;
  return true;
}

/**
 * RFC 9525 section 6.3. The wanted name holds only characters of DNS names and no empty label, so that a
 * presented one with a NUL, another "*" or a trailing dot cannot equal it.
 */
function matchesDnsName(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
  if (bytes[start] !== star || end - start < 2) return equalsFolded(bytes, start, end, wanted, 0);
  // "*" stands for exactly the left-most label; with a single label behind it, it would span a registry
  const parent = wanted.indexOf(dot);
  if (parent < 0 || wanted.indexOf(dot, parent + 1) < 0) return false;
  return equalsFolded(bytes, start + 1, end, wanted, parent);
}

/** Whether `bytes[start…end)`, in whatever case, is `lower[at…]`. */
function equalsFolded(bytes: Uint8Array, start: number, end: number, lower: Uint8Array, at: number): boolean {
  if (end - start !== lower.length - at) return false;
  for (let i = start; i < end; i++) if (foldCase(bytes[i]) !== lower[at++]) return false;
  return true;
}

/**
 * A DNS name as lower-case octets, or undefined: 1 to 253 characters in labels of 1 to 63 letters, digits,
 * inner hyphens and, as SRV and the like have them, underscores. An all-numeric last label is no name but a
 * bad address (RFC 1123 2.1).
 */
function parseDnsName(name: string): Uint8Array | undefined {
  const size = name.length - (name.endsWith(".") ? 1 : 0);
  if (size > 253) return undefined;
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    // Before folding: toLowerCase would turn the Kelvin sign into a k
    const octet = name.charCodeAt(i);
    if (!isNameCharacter(octet)) return undefined;
    bytes[i] = foldCase(octet);
  }
  return hasGoodLabels(bytes) ? bytes : undefined;
}

function isNameCharacter(octet: number): boolean {
  const letter = foldCase(octet) >= 0x61 && foldCase(octet) <= 0x7a;
  return letter || isDigit(octet) || octet === dot || octet === hyphen || octet === underscore;
}

function isDigit(octet: number): boolean {
  return octet >= 0x30 && octet <= 0x39;
}

function hasGoodLabels(name: Uint8Array): boolean {
  let start = 0;
  let numeric = true;
  for (let i = 0; i <= name.length; i++) {
    if (i < name.length && name[i] !== dot) {
      if (!isDigit(name[i])) numeric = false;
      continue;
    }
    if (i === start || i - start > 63 || name[start] === hyphen || name[i - 1] === hyphen) return false;
    if (i === name.length) return !numeric;
    start = i + 1;
    numeric = true;
  }
  return false;
}

/** The 4 or 16 octets of an IP address's text, or undefined. No zone, no brackets, no short forms of IPv4. */
export function parseIp(text: string): Uint8Array | undefined {
  return text.indexOf(":") < 0 ? parseIpv4(text) : parseIpv6(text);
}

/** RFC 3986 3.2.2: four decimal numbers without leading zeros. */
function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const value = parseNumber(parts[i], 10, 3);
    if (value < 0 || value > 255 || (parts[i].length > 1 && parts[i][0] === "0")) return undefined;
    bytes[i] = value;
  }
  return bytes;
}

/** RFC 4291 2.2: groups before and after "::", which stands for at least one group of zeros. */
function parseIpv6(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(16);
  const gap = text.indexOf("::");
  if (gap < 0) return writeGroups(text, true, bytes, 0) === 16 ? bytes : undefined;
  const head = writeGroups(text.slice(0, gap), false, bytes, 0);
  const tail = text.slice(gap + 2);
  const size = writeGroups(tail, true, new Uint8Array(16), 0);
  if (head < 0 || size < 0 || head + size > 14) return undefined;
  writeGroups(tail, true, bytes, 16 - size);
  return bytes;
}

/**
 * Writes 16-bit groups at `out[at…]`, the last one perhaps being an IPv4 address (`tail`). Returns how many
 * octets there are, or -1 when the text is malformed.
 */
function writeGroups(text: string, tail: boolean, out: Uint8Array, at: number): number {
  const groups = text === "" ? [] : text.split(":");
  const start = at;
  for (let i = 0; i < groups.length; i++) {
    const ipv4 = tail && i === groups.length - 1 ? parseIpv4(groups[i]) : undefined;
    const value = parseNumber(groups[i], 16, 4);
    if (ipv4) {
      for (let k = 0; k < 4; k++) out[at++] = ipv4[k];
    } else if (value >= 0) {
      out[at++] = value >> 8;
      out[at++] = value;
    } else return -1;
  }
  return at - start;
}

/** The value of 1 to `most` digits, or -1. */
function parseNumber(text: string, radix: number, most: number): number {
  if (text.length < 1 || text.length > most) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const octet = foldCase(text.charCodeAt(i));
    const digit = isDigit(octet) ? octet - 0x30 : octet >= 0x61 && octet <= 0x66 ? octet - 0x57 : radix;
    if (digit >= radix) return -1;
    value = value * radix + digit;
  }
  return value;
}
