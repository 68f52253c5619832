import { bits, explicit, integer, oid, sequence, set, time, utf8 } from "./der.js";
import { type Algorithm, type Key, usualAlgorithm } from "./keys.js";

/** Whoever can issue: a name and a key; `der` is its certificate. */
export interface Authority {
  readonly name: Buffer;
  readonly key: Key;
}

/** An issued certificate with its key. */
export interface Issued extends Authority {
  readonly der: Buffer;
  readonly serial: number | bigint;
}

/** The fields of TBSCertificate in their order, RFC 5280 section 4.1. */
interface Fields {
  version: Buffer;
  serialNumber: Buffer;
  signature: Buffer;
  issuer: Buffer;
  validity: Buffer;
  subject: Buffer;
  subjectPublicKeyInfo: Buffer;
  extensions: Buffer;
}

/** What to put into a certificate. */
export interface Template {
  readonly serial: number | bigint;
  /** commonName of the subject, or the whole Name. */
  readonly subject: string | Buffer;
  readonly key: Key;
  readonly extensions: readonly Buffer[];
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
  const { key, serial, subject } = template;
  const name = typeof subject === "string" ? distinguishedName(subject) : subject;
  const signer = issuer ?? { name, key };
  const algorithm = template.algorithm ?? usualAlgorithm(signer.key);
  const tbs = tbsCertificate(signer, name, algorithm, template);
  const signature = algorithm.sign(signer.key.secret, tbs);
  const outer = template.outerAlgorithm ?? algorithm.identifier;
  const der = sequence(tbs, outer, bits(template.bendSignature?.(signature) ?? signature));
  return { name, key, serial, der: template.bend?.(der) ?? der };
}

function tbsCertificate(issuer: Authority, name: Buffer, algorithm: Algorithm, template: Template): Buffer {
  const { notBefore = validity.notBefore, notAfter = validity.notAfter, extensions } = template;
  const fields: Fields = {
    version: explicit(0, integer(2)),
    serialNumber: integer(template.serial),
    signature: algorithm.identifier,
    issuer: issuer.name,
    validity: sequence(time(notBefore), time(notAfter)),
    subject: name,
    subjectPublicKeyInfo: template.key.spki,
    extensions: explicit(3, sequence(...extensions)),
    ...template.fields,
  };
  const tbs = sequence(...Object.values(fields));
  return template.bendTbs?.(tbs) ?? tbs;
}

/** PEM, RFC 7468. */
export function pem(...certificates: Uint8Array[]): string {
  return certificates.map((der) => pemBlock("CERTIFICATE", der)).join("");
}

function pemBlock(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
