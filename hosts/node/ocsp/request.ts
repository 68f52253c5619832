/** OCSP requests, RFC 6960 4.1: written here, as the libraries of ASN.1 take longer to load than a handshake. */

import { createHash } from "node:crypto";
import { tag } from "../../../src/pki/index.js";
import { element } from "../common/der.js";
import type { Subject } from "./subject.js";

/** Of the hashes that the verifier knows in a CertID: the DER of their AlgorithmIdentifiers. */
const hashes = Object.freeze({
  sha1: Buffer.from("300906052b0e03021a0500", "hex"),
  sha256: Buffer.from("300d06096086480165030402010500", "hex"),
});

/** id-pkix-ocsp-nonce, 1.3.6.1.5.5.7.48.1.2, in DER. */
const nonceOid = Buffer.from("06092b0601050507300102", "hex");

export interface RequestOptions {
  /** What issuers are told apart by; responders know SHA-1 (RFC 5019 2.1.1). */
  readonly hash?: keyof typeof hashes;
  /** Has the responder repeat these bytes: 32 of them, RFC 9654 2.1. */
  readonly nonce?: Uint8Array;
}

/** The DER of an OCSPRequest about one certificate, unsigned. */
export function ocspRequest(subject: Subject, options: RequestOptions = {}): Buffer {
  const { hash = "sha1", nonce } = options;
  const requestList = sequence(sequence(certId(subject, hash)));
  return sequence(sequence(requestList, ...(nonce ? [nonceExtensions(nonce)] : [])));
}

/** CertID, 4.1.1, of the very bytes in the certificates. */
function certId({ certificate, issuer }: Subject, hash: keyof typeof hashes): Buffer {
  const { bytes, serialStart, serialEnd } = certificate;
  const digest = (from: Uint8Array, start: number, end: number) =>
    element(tag.OCTET_STRING, createHash(hash).update(from.subarray(start, end)).digest());
  return sequence(
    hashes[hash],
    digest(issuer.nameBytes, issuer.nameStart, issuer.nameEnd),
    digest(issuer.key.bytes, issuer.key.start, issuer.key.end),
    element(tag.INTEGER, bytes.subarray(serialStart, serialEnd)),
  );
}

/** requestExtensions [2]. Nonce ::= OCTET STRING, within that of the extension. */
function nonceExtensions(nonce: Uint8Array): Buffer {
  const value = element(tag.OCTET_STRING, element(tag.OCTET_STRING, nonce));
  return element(tag.CONSTRUCTED + 2, sequence(sequence(nonceOid, value)));
}

function sequence(...contents: readonly Uint8Array[]): Buffer {
  return element(tag.SEQUENCE, ...contents);
}
