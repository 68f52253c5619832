import { createHash } from "node:crypto";
import type { CertID } from "@peculiar/asn1-ocsp";
import { AsnConvert } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier, type Certificate, type SubjectPublicKeyInfo } from "@peculiar/asn1-x509";
import { Der, tag } from "../../../src/pki/index.js";
import { element } from "../common/der.js";
import { serialOctets, serialText } from "./index-file.js";

/** The algorithms that a CertID may be made with. */
const hashes: readonly (readonly [oid: string, name: string])[] = Object.freeze([
  ["1.3.14.3.2.26", "sha1"],
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
]);

/** An issuer as CertIDs name it by one algorithm, RFC 6960 4.1.1. */
export interface IssuerHash {
  readonly algorithm: string;
  readonly name: Buffer;
  readonly key: Buffer;
  /** What its CertIDs have before the serial number, in DER. */
  readonly start: Buffer;
}

/** One for each algorithm, SHA-1 and SHA-256 first. */
export function issuerHashes({ tbsCertificate }: Certificate): IssuerHash[] {
  const { subject, subjectPublicKeyInfo } = tbsCertificate;
  const name = Buffer.from(AsnConvert.serialize(subject));
  return hashes.map(([algorithm, hash]) =>
    issuerHash(algorithm, createHash(hash).update(name).digest(), publicKeyHash(hash, subjectPublicKeyInfo)),
  );
}

function issuerHash(algorithm: string, name: Buffer, key: Buffer): IssuerHash {
  const identifier = AsnConvert.serialize(new AlgorithmIdentifier({ algorithm, parameters: null }));
  const octets = [name, key].map((each) => element(tag.OCTET_STRING, each));
  return { algorithm, name, key, start: Buffer.concat([Buffer.from(identifier), ...octets]) };
}

/** What tells an issuer from others in CertIDs. */
export function issuerKey({ algorithm, name, key }: Pick<IssuerHash, "algorithm" | "name" | "key">): string {
  return [algorithm, name.toString("hex"), key.toString("hex")].join();
}

/** The issuer that a CertID names, in the same form. */
export function issuerKeyOf({ hashAlgorithm, issuerNameHash, issuerKeyHash }: CertID): string {
  const [name, key] = [issuerNameHash, issuerKeyHash].map(({ buffer }) => Buffer.from(buffer));
  return issuerKey({ algorithm: hashAlgorithm.algorithm, name, key });
}

/** The CertID of a certificate, in DER; `serial` is as in an index. */
export function certIDOf({ start }: IssuerHash, serial: string): Buffer {
  return element(tag.SEQUENCE, start, element(tag.INTEGER, serialOctets(serial)));
}

/** The same, taken apart. @throws Fault for what is no CertID */
export function splitCertID(certID: Uint8Array): { readonly start: Buffer; readonly serial: string } {
  const der = new Der(undefined, certID);
  der.enter(tag.SEQUENCE);
  const from = der.at;
  for (let i = 0; i < 3; i++) der.skip();
  const start = Buffer.from(certID.subarray(from, der.at));
  const at = der.integer();
  return { start, serial: serialText(Uint8Array.from(certID.subarray(at, der.at)).buffer) };
}

/** The hash of a public key's BIT STRING, without tag, length and number of unused bits. */
export function publicKeyHash(hash: string, { subjectPublicKey }: SubjectPublicKeyInfo): Buffer {
  return createHash(hash).update(new Uint8Array(subjectPublicKey)).digest();
}
