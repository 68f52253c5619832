import { isIP } from "node:net";
import {
  boolean,
  children,
  contents,
  explicit,
  ia5,
  implicit,
  integer,
  namedBits,
  octets,
  oid,
  sequence,
  tlv,
} from "./der.js";
import { digest } from "./keys.js";

/** Extension, RFC 5280 section 4.2. */
export function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return critical ? sequence(oid(id), boolean(true), octets(value)) : sequence(oid(id), octets(value));
}

/** Object identifiers of key purposes and friends. */
export const purpose = Object.freeze({
  any: "2.5.29.37.0",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  codeSigning: "1.3.6.1.5.5.7.3.3",
  ocspSigning: "1.3.6.1.5.5.7.3.9",
});

/** RFC 5280 section 4.2.1.9. `cA` FALSE is the default and so left out. */
export function basicConstraints(ca: boolean, pathLength?: number): Buffer {
  const parts = ca ? [boolean(true)] : [];
  if (pathLength !== undefined) parts.push(integer(pathLength));
  return extension("2.5.29.19", true, sequence(...parts));
}

/** The same for who is no CA, with `cA` FALSE spelt out, which DER does not do, but CAs do. */
export const explicitlyNoAuthority = () => extension("2.5.29.19", true, sequence(boolean(false)));

const usageBits = Object.freeze({
  digitalSignature: 0,
  nonRepudiation: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  keyCertSign: 5,
  cRLSign: 6,
});

/** RFC 5280 section 4.2.1.3. */
export function keyUsage(...usages: (keyof typeof usageBits)[]): Buffer {
  return extension("2.5.29.15", true, namedBits(...usages.map((usage) => usageBits[usage])));
}

/** RFC 5280 section 4.2.1.12. */
export function extendedKeyUsage(...purposes: string[]): Buffer {
  return extension("2.5.29.37", false, sequence(...purposes.map(oid)));
}

/** GeneralName, RFC 5280 section 4.2.1.6: an address in text form becomes iPAddress, anything else dNSName. */
export function generalName(name: string): Buffer {
  return isIP(name) ? implicit(7, address(name)) : implicit(2, Buffer.from(name, "latin1"));
}

/** The octets of an IPv4 or IPv6 address. */
export function address(text: string): Buffer {
  if (isIP(text) === 4) return Buffer.from(text.split(".").map(Number));
  const [head, tail] = text.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = tail ? Array(8 - head.length - tail.length).fill("0") : [];
  const groups = [...head, ...zeros, ...(tail ?? [])];
  return Buffer.from(groups.map((group) => group.padStart(4, "0")).join(""), "hex");
}

/** GeneralNames from texts or ready GeneralName TLVs. */
export function subjectAltName(...names: (string | Buffer)[]): Buffer {
  const encoded = names.map((name) => (typeof name === "string" ? generalName(name) : name));
  return extension("2.5.29.17", false, sequence(...encoded));
}

/** RFC 5280 section 4.2.1.10: each base a GeneralName TLV. */
export function nameConstraints(permitted: Buffer[], excluded: Buffer[]): Buffer {
  const subtrees = (n: number, bases: Buffer[]) =>
    bases.length ? [explicit(n, ...bases.map((base) => sequence(base)))] : [];
  return extension("2.5.29.30", true, sequence(...subtrees(0, permitted), ...subtrees(1, excluded)));
}

/** The iPAddress of a name constraint: address and mask. */
export const subnet = (base: string, mask: string) => implicit(7, address(base), address(mask));

/** A directoryName; the CHOICE of Name makes its tag explicit. */
export const directoryName = (name: Buffer) => explicit(4, name);

/** RFC 5280 section 4.2.2.1, for OCSP. */
export function authorityInfoAccess(...urls: string[]): Buffer {
  const locations = urls.map((url) => implicit(6, Buffer.from(url, "latin1")));
  const descriptions = locations.map((location) => sequence(oid("1.3.6.1.5.5.7.48.1"), location));
  return extension("1.3.6.1.5.5.7.1.1", false, sequence(...descriptions));
}

/** The SHA-1 of a key's BIT STRING contents: RFC 5280 section 4.2.1.2 (1), and RFC 6960's issuerKeyHash. */
export function keyHash(spki: Buffer, hash = "sha1"): Buffer {
  return digest(hash, keyBits(spki));
}

/** What the BIT STRING of a SubjectPublicKeyInfo holds. */
export const keyBits = (spki: Buffer) => contents(children(spki)[1]).subarray(1);

export const subjectKeyIdentifier = (spki: Buffer) => extension("2.5.29.14", false, octets(keyHash(spki)));

export const authorityKeyIdentifier = (spki: Buffer) =>
  extension("2.5.29.35", false, sequence(implicit(0, keyHash(spki))));

/** id-pkix-ocsp-nocheck, RFC 6960 section 4.2.2.2.1. */
export const ocspNoCheck = () => extension("1.3.6.1.5.5.7.48.1.5", false, tlv(0x05));

/** TLS feature "status_request", RFC 7633: must staple. */
export const mustStaple = () => extension("1.3.6.1.5.5.7.1.24", false, sequence(integer(5)));

/** What a certificate says of policies, by the extensions' names: RFC 5280 sections 4.2.1.4, 4.2.1.5, 4.2.1.11 and 4.2.1.14. */
export function policyExtensions(critical: boolean) {
  const ours = oid("1.3.6.1.4.1.99999.7.1");
  const theirs = oid("1.3.6.1.4.1.99999.7.2");
  return {
    policies: extension("2.5.29.32", critical, sequence(sequence(ours), sequence(theirs))),
    mappings: extension("2.5.29.33", critical, sequence(sequence(ours, theirs))),
    inhibitAnyPolicy: extension("2.5.29.54", critical, integer(0)),
  };
}

/** RFC 5280 section 4.2.1.11: each a number of certificates, after which it counts. */
export function policyConstraints(
  critical: boolean,
  limits: { explicitPolicy?: number; mapping?: number },
): Buffer {
  const { explicitPolicy, mapping } = limits;
  const parts: Buffer[] = [];
  if (explicitPolicy !== undefined) parts.push(implicit(0, Buffer.of(explicitPolicy)));
  if (mapping !== undefined) parts.push(implicit(1, Buffer.of(mapping)));
  return extension("2.5.29.36", critical, sequence(...parts));
}

/** An extension that nobody knows. */
export const unknownExtension = (critical: boolean) =>
  extension("1.3.6.1.4.1.99999.1", critical, ia5("nobody knows this"));
