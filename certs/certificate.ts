import { bits, explicit, integer, oid, sequence, set, time, utf8 } from "./der.js";
import { type Algorithm, digest, type Key, usualAlgorithm } from "./keys.js";

/** Whoever can issue: a name and a key; `der` is its certificate. */
export interface Authority {
  readonly name: Buffer;
  readonly key: Key;
}

/** An issued certificate with its key. */
export interface Issued extends Authority {
  readonly der: Buffer;
  /** The INTEGER of its serialNumber. */
  readonly serial: Buffer;
}

/** The fields of TBSCertificate in their order, RFC 5280 section 4.1. */
export interface Fields {
  version: Buffer;
  serialNumber: Buffer;
  signature: Buffer;
  issuer: Buffer;
  validity: Buffer;
  subject: Buffer;
  subjectPublicKeyInfo: Buffer;
  extensions: Buffer;
}

/** Extensions, in order, by a name that only this code knows. */
export type Extensions = Readonly<Record<string, Buffer | undefined>>;

/** What to put into a certificate. */
export interface Template {
  /** Else made from the digest of all other fields. */
  readonly serial?: number;
  /** commonName of the subject, or the whole Name. */
  readonly subject: string | Buffer;
  readonly key: Key;
  /** By any name, for others to replace or (undefined) leave out. */
  readonly extensions: Extensions;
  /** ISO dates; else those of the whole PKI. */
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly algorithm?: Algorithm;
  /** Fields of the TBSCertificate to put in as they are. */
  readonly fields?: Partial<Fields>;
  /** Outer signatureAlgorithm, where it is to differ. */
  readonly outerAlgorithm?: Buffer;
  /** Bends the TBSCertificate before it is signed. */
  readonly bendTbs?: (tbs: Buffer) => Buffer;
  /** Bends the signature, before it is packed into a BIT STRING. */
  readonly bendSignature?: (signature: Buffer) => Buffer;
  /** Bends the finished certificate. */
  readonly bend?: (der: Buffer) => Buffer;
}

/** The validity of everything good: long enough that no fixture goes stale, and true by the real clock. */
export const validity = Object.freeze({
  notBefore: "2025-01-01T00:00:00Z",
  notAfter: "2049-12-31T23:59:59Z",
});

/** The Names of these fixtures: O=tlstaple test, OU=TEST ONLY, CN=… */
export function distinguishedName(commonName: string): Buffer {
  return nameOf(["2.5.4.10", "tlstaple test"], ["2.5.4.11", "TEST ONLY"], ["2.5.4.3", commonName]);
}

/** A Name of single-valued RDNs, all UTF8String. */
export function nameOf(...attributes: [type: string, value: string][]): Buffer {
  return sequence(...attributes.map(([type, value]) => set(sequence(oid(type), utf8(value)))));
}

/** Issues a certificate; `issuer` undefined: a self-signed one. */
export function issue(issuer: Authority | undefined, template: Template): Issued {
  const { key, subject } = template;
  const name = typeof subject === "string" ? distinguishedName(subject) : subject;
  const signer = issuer ?? { name, key };
  const algorithm = template.algorithm ?? usualAlgorithm(signer.key);
  const fields = tbsFields(signer, name, algorithm, template);
  const tbs = sequence(...Object.values(fields));
  const bent = template.bendTbs?.(tbs) ?? tbs;
  const signature = algorithm.sign(signer.key.secret, bent);
  const outer = template.outerAlgorithm ?? algorithm.identifier;
  const der = sequence(bent, outer, bits(template.bendSignature?.(signature) ?? signature));
  return { name, key, serial: fields.serialNumber, der: template.bend?.(der) ?? der };
}

function tbsFields(issuer: Authority, name: Buffer, algorithm: Algorithm, template: Template): Fields {
  const { serial, notBefore = validity.notBefore, notAfter = validity.notAfter } = template;
  const extensions = Object.values(template.extensions).filter((value) => value !== undefined);
  const fields: Fields = {
    version: explicit(0, integer(2)),
    serialNumber: integer(serial ?? 0),
    signature: algorithm.identifier,
    issuer: issuer.name,
    validity: sequence(time(notBefore), time(notAfter)),
    subject: name,
    subjectPublicKeyInfo: template.key.spki,
    extensions: explicit(3, sequence(...extensions)),
  };
  if (serial === undefined) fields.serialNumber = integer(serialFor(fields));
  return { ...fields, ...template.fields };
}

/** A serial number that no other certificate has, and that a rerun gives again: 63 bits of a digest. */
function serialFor(fields: Fields): bigint {
  return digest("sha256", sequence(...Object.values(fields))).readBigUInt64BE() >> 1n;
}

/** PEM, RFC 7468. */
export function pem(...certificates: Uint8Array[]): string {
  return certificates.map((der) => pemBlock("CERTIFICATE", der)).join("");
}

export function pemBlock(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
