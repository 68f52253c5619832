import { createHash } from "node:crypto";
import { CertID } from "@peculiar/asn1-ocsp";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier, type Certificate, type SubjectPublicKeyInfo } from "@peculiar/asn1-x509";

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
}

/** One for each algorithm, SHA-1 and SHA-256 first. */
export function issuerHashes({ tbsCertificate }: Certificate): IssuerHash[] {
  const { subject, subjectPublicKeyInfo } = tbsCertificate;
  const name = Buffer.from(AsnConvert.serialize(subject));
  return hashes.map(([algorithm, hash]) => ({
    algorithm,
    name: createHash(hash).update(name).digest(),
    key: publicKeyHash(hash, subjectPublicKeyInfo),
  }));
}

/** What tells an issuer from others in CertIDs. */
export function issuerKey({ algorithm, name, key }: IssuerHash): string {
  return [algorithm, name.toString("hex"), key.toString("hex")].join();
}

/** The issuer that a CertID names, in the same form. */
export function issuerKeyOf({ hashAlgorithm, issuerNameHash, issuerKeyHash }: CertID): string {
  const [name, key] = [issuerNameHash, issuerKeyHash].map(({ buffer }) => Buffer.from(buffer));
  return issuerKey({ algorithm: hashAlgorithm.algorithm, name, key });
}

/** The CertID of a certificate, by the contents octets of its serial number. */
export function certIDOf({ algorithm, name, key }: IssuerHash, serialNumber: Buffer): CertID {
  return new CertID({
    hashAlgorithm: new AlgorithmIdentifier({ algorithm, parameters: null }),
    issuerNameHash: new OctetString(name),
    issuerKeyHash: new OctetString(key),
    serialNumber: Uint8Array.from(serialNumber).buffer,
  });
}

/** The hash of a public key's BIT STRING, without tag, length and number of unused bits. */
export function publicKeyHash(hash: string, { subjectPublicKey }: SubjectPublicKeyInfo): Buffer {
  return createHash(hash).update(new Uint8Array(subjectPublicKey)).digest();
}
