import { type Fault, faults } from "../wire/fault.js";
import { equalBytes } from "../wire/writer.js";
import type { Der } from "./der.js";
import { equalsFolded, foldCase, generalName } from "./name.js";

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
  const bytes = address ?? parseDnsName(name);
  if (!bytes) throw new TypeError("serverName: neither a DNS name nor an IP address");
  return {
    form: address ? generalName.iPAddress : generalName.dNSName,
    bytes,
    mismatch: address ? faults.CERT_IP_MISMATCH : faults.CERT_NAME_MISMATCH,
  };
}

/**
 * Whether a SubjectAltName has a name that matches. `der` stands at the contents of the extension. The subject
 * is not looked at, RFC 9525 section 2.
 */
export function matchesReference(der: Der, reference: Reference): boolean {
  while (der.more) {
    const form = der.peek();
    const start = der.value(form);
    if (form !== reference.form) continue;
    if (matches(der.bytes, start, der.at, reference)) return true;
  }
  return false;
}

/**
 * RFC 9525 sections 6.3 and 6.5. The wanted DNS name holds only characters of DNS names and no empty label, so that a
 * presented one with a NUL, another "*" or a trailing dot cannot equal it.
 */
function matches(bytes: Uint8Array, start: number, end: number, reference: Reference): boolean {
  const { form, bytes: wanted } = reference;
  if (form === generalName.iPAddress) return equalBytes(bytes, start, end, wanted, 0, wanted.length);
  if (bytes[start] !== star || end - start < 2)
    return equalsFolded(bytes, start, end, wanted, 0, wanted.length);
  // "*" stands for exactly the left-most label; with a single label behind it, it would span a registry
  const parent = wanted.indexOf(dot);
  if (parent < 0 || wanted.indexOf(dot, parent + 1) < 0) return false;
  return equalsFolded(bytes, start + 1, end, wanted, parent, wanted.length);
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
  let start = 0;
  let letter = -1;
  for (let i = 0; i < size; i++) {
    // Not by toLowerCase, which would turn the Kelvin sign into a k
    const octet = foldCase(name.charCodeAt(i));
    bytes[i] = octet;
    if (octet === dot) {
      if (!isLabel(bytes, start, i)) return undefined;
      start = i + 1;
    } else if (!isDigit(octet)) {
      if (!isLetter(octet)) return undefined;
      letter = i;
    }
  }
  return letter >= start && isLabel(bytes, start, size) ? bytes : undefined;
}

function isLabel(name: Uint8Array, start: number, end: number): boolean {
  return end > start && end - start <= 63 && name[start] !== hyphen && name[end - 1] !== hyphen;
}

/** What a label may hold beside digits. */
function isLetter(octet: number): boolean {
  return (octet >= 0x61 && octet <= 0x7a) || octet === hyphen || octet === underscore;
}

function isDigit(octet: number): boolean {
  return octet >= 0x30 && octet <= 0x39;
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
  const gap = text.indexOf("::");
  const head = groupsOf(gap < 0 ? "" : text.slice(0, gap), false);
  const tail = groupsOf(gap < 0 ? text : text.slice(gap + 2), true);
  if (!head || !tail) return undefined;
  const zeros = 16 - head.length - tail.length;
  if (gap < 0 ? zeros !== 0 : zeros < 2) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** The octets of 16-bit groups, the last one perhaps being an IPv4 address (`tail`); undefined when they are malformed. */
function groupsOf(text: string, tail: boolean): number[] | undefined {
  const groups = text === "" ? [] : text.split(":");
  const octets: number[] = [];
  for (let i = 0; i < groups.length; i++) {
    const ipv4 = tail && i === groups.length - 1 ? parseIpv4(groups[i]) : undefined;
    const value = parseNumber(groups[i], 16, 4);
    if (ipv4) for (let k = 0; k < 4; k++) octets.push(ipv4[k]);
    else if (value >= 0) octets.push(value >> 8, value & 0xff);
    else return undefined;
  }
  return octets;
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
