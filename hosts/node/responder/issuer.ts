import { createHash } from "node:crypto";
import type { CertID } from "@peculiar/asn1-ocsp";
import { AsnConvert } from "@peculiar/asn1-schema";
import type { Certificate, SubjectPublicKeyInfo } from "@peculiar/asn1-x509";

/** The algorithms that a CertID may be made with. */
const hashes: readonly (readonly [oid: string, name: string])[] = Object.freeze([
  ["1.3.14.3.2.26", "sha1"],
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
]);

/** What tells the issuer in CertIDs, RFC 6960 4.1.1: one text for each hash algorithm. */
export function issuerKeys({ tbsCertificate }: Certificate): string[] {
  const { subject, subjectPublicKeyInfo } = tbsCertificate;
  const name = Buffer.from(AsnConvert.serialize(subject));
  return hashes.map(([oid, hash]) =>
    issuerKey(oid, createHash(hash).update(name).digest(), publicKeyHash(hash, subjectPublicKeyInfo)),
  );
}

/** The issuer that a CertID names, in the same form. */
export function issuerKeyOf({ hashAlgorithm, issuerNameHash, issuerKeyHash }: CertID): string {
  const name = Buffer.from(issuerNameHash.buffer);
  return issuerKey(hashAlgorithm.algorithm, name, Buffer.from(issuerKeyHash.buffer));
}

function issuerKey(oid: string, nameHash: Buffer, keyHash: Buffer): string {
  return [oid, nameHash.toString("hex"), keyHash.toString("hex")].join();
}

/** The hash of a public key's BIT STRING, without tag, length and number of unused bits. */
export function publicKeyHash(hash: string, { subjectPublicKey }: SubjectPublicKeyInfo): Buffer {
  return createHash(hash).update(new Uint8Array(subjectPublicKey)).digest();
}
