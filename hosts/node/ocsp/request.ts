/** OCSP requests, RFC 6960 4.1. */

import { createHash } from "node:crypto";
import { CertID, OCSPRequest, Request, TBSRequest } from "@peculiar/asn1-ocsp";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier, Extension } from "@peculiar/asn1-x509";
import type { Subject } from "./subject.js";

const idPkixOcspNonce = "1.3.6.1.5.5.7.48.1.2";

/** Of the hashes that the verifier knows in a CertID. */
const hashes = Object.freeze({ sha1: "1.3.14.3.2.26", sha256: "2.16.840.1.101.3.4.2.1" });

export interface RequestOptions {
  /** What issuers are told apart by; responders know SHA-1 (RFC 5019 2.1.1). */
  readonly hash?: keyof typeof hashes;
  /** Has the responder repeat these bytes: 32 of them, RFC 9654 2.1. */
  readonly nonce?: Uint8Array;
}

/** The DER of an OCSPRequest about one certificate, unsigned. */
export function ocspRequest(subject: Subject, options: RequestOptions = {}): Buffer {
  const { hash = "sha1", nonce } = options;
  const tbsRequest = new TBSRequest({ requestList: [new Request({ reqCert: certId(subject, hash) })] });
  if (nonce) tbsRequest.requestExtensions = [nonceExtension(nonce)];
  return Buffer.from(AsnConvert.serialize(new OCSPRequest({ tbsRequest })));
}

/** CertID, 4.1.1, of the very bytes in the certificates. */
function certId({ certificate, issuer }: Subject, hash: keyof typeof hashes): CertID {
  const { bytes, serialStart, serialEnd } = certificate;
  const digest = (from: Uint8Array, start: number, end: number) =>
    new OctetString(createHash(hash).update(from.subarray(start, end)).digest());
  return new CertID({
    hashAlgorithm: new AlgorithmIdentifier({ algorithm: hashes[hash], parameters: null }),
    issuerNameHash: digest(issuer.nameBytes, issuer.nameStart, issuer.nameEnd),
    issuerKeyHash: digest(issuer.key.bytes, issuer.key.start, issuer.key.end),
    serialNumber: bytes.slice(serialStart, serialEnd).buffer as ArrayBuffer,
  });
}

/** Nonce ::= OCTET STRING, within that of the extension. */
function nonceExtension(nonce: Uint8Array): Extension {
  const value = AsnConvert.serialize(new OctetString(nonce));
  return new Extension({ extnID: idPkixOcspNonce, extnValue: new OctetString(value) });
}
