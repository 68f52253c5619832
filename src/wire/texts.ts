import { type Fault, type FaultName, faults, ofFault } from "./fault.js";
import { list } from "./list.js";

/** What each fault means, in a line. */
export const texts: Readonly<Record<FaultName, string>> = Object.freeze({
  // Messages and records
  DECODE_ERROR: "a message is malformed",
  UNEXPECTED_MESSAGE: "a message came that the protocol does not allow here",
  UNKNOWN_RECORD_TYPE: "a record is of no TLS content type; does the peer speak TLS?",
  RECORD_VERSION: "a record has a version that is not TLS",
  RECORD_OVERFLOW: "a record is longer than the protocol or the negotiated limit allows",
  BAD_RECORD_MAC: "a record does not decrypt",
  TOO_MANY_EMPTY_RECORDS: "too many empty records, warnings or key updates in a row",
  KEY_EXHAUSTED: "a TLS 1.2 key has protected as many records as its cipher allows",
  BUFFER_TOO_SMALL: "a record or message is larger than the input buffer",
  MESSAGE_TOO_LONG: "a handshake message is longer than is allowed here",
  OUTPUT_TOO_SMALL: "a message to send is larger than the output buffer",
  STORE_TOO_SMALL: "the certificates and staples need a larger store",
  // Negotiation
  PROTOCOL_VERSION: "the peer speaks no TLS version that is allowed here",
  DOWNGRADE: "the ServerHello carries the downgrade sentinel",
  ILLEGAL_PARAMETER: "a field has a value that is not allowed here",
  CIPHER_SUITE: "the peer chose a cipher suite that was not offered or does not fit",
  KEY_SHARE: "the peer's key share is invalid or for a group that was not offered",
  UNSUPPORTED_EXTENSION: "the peer sent an extension that was not asked for",
  EXTENSION_NOT_ALLOWED: "an extension stands in a message where it is not allowed",
  DUPLICATE_EXTENSION: "an extension stands twice in one message",
  MISSING_EXTENSION: "a required extension is absent",
  EMS_REQUIRED: "the peer does not speak extended_master_secret, which is required",
  RENEGOTIATION_INFO: "the peer takes a first handshake for a renegotiation",
  NO_COMMON_SUITE: "the client offers no cipher suite that the server may use",
  NO_COMMON_GROUP: "the client offers no group for the key exchange that the server may use",
  NO_COMMON_SCHEME: "the client takes no signature that the server's certificate can make",
  INAPPROPRIATE_FALLBACK: "the client fell back to an older version although the server speaks a newer one",
  NO_APPLICATION_PROTOCOL: "the client offers no application protocol that the server speaks",
  UNRECOGNIZED_NAME: "the client asks for a server name that is not served here",
  NO_RENEGOTIATION: "the client asks for a renegotiation, which does not exist here",
  BINDER_MISMATCH: "the client does not hold the secret of the ticket that it shows",
  FINISHED_MISMATCH: "the peer's Finished does not match the handshake",
  HANDSHAKE_SIGNATURE: "the peer's handshake signature does not verify",
  SIGNATURE_SCHEME: "a signature scheme was not offered or does not fit the key",
  // Ends
  PEER_ALERT: "the peer sent a fatal alert",
  TRUNCATED: "the connection ended without close_notify",
  INTERNAL_ERROR: "an internal error",
  HANDSHAKE_TIMEOUT: "the handshake did not complete in time",
  // Certificates
  NO_PEER_CERT: "the server sent no certificate",
  CERTIFICATE_REQUIRED: "the client showed no certificate where one is required",
  CERT_MALFORMED: "a certificate is not valid DER or not a valid X.509 v3 certificate",
  CERT_SIGNATURE: "a certificate's signature does not verify",
  CERT_SIGNATURE_ALGORITHM:
    "a certificate's signature algorithm is refused (SHA-1, MD5, unknown) or does not fit its issuer's key",
  CERT_ALGORITHM_MISMATCH: "a certificate names one signature algorithm inside and another outside",
  CERT_KEY: "a certificate's public key is of a kind that is not taken, malformed or too small",
  CERT_NOT_YET_VALID: "a certificate is not valid yet",
  CERT_EXPIRED: "a certificate has expired",
  CERT_CRITICAL_EXTENSION: "a certificate has an unknown critical extension",
  CERT_KEY_USAGE: "a certificate's keyUsage does not allow digitalSignature",
  CERT_EXTENDED_KEY_USAGE:
    "a certificate's extendedKeyUsage does not allow its use: serverAuth, or clientAuth",
  CERT_NOT_CA: "a certificate was issued by one that is not a CA",
  CERT_CA_KEY_USAGE: "a CA's keyUsage lacks keyCertSign",
  CERT_PATH_LENGTH: "the chain is longer than a CA's pathLenConstraint allows",
  CERT_NAME_CONSTRAINTS: "a name lies outside a CA's name constraints",
  CERT_UNKNOWN_ISSUER: "no chain leads to a trusted CA",
  CERT_CHAIN_TOO_LONG: "the chain has too many certificates or takes too much work to verify",
  CERT_NAME_MISMATCH: "the certificate is for another name",
  CERT_IP_MISMATCH: "the certificate is for another IP address",
  NO_CLOCK: "the clock was never set, so no date can be checked",
  // OCSP
  OCSP_MALFORMED: "the OCSP response is malformed",
  OCSP_NOT_SUCCESSFUL: "the OCSP response carries an error status instead of an answer",
  OCSP_UNKNOWN_TYPE: "the OCSP response is not of type id-pkix-ocsp-basic, version 1",
  OCSP_CERT_REVOKED: "the certificate has been revoked",
  OCSP_CERT_UNKNOWN: "the OCSP responder does not know the certificate",
  OCSP_WRONG_CERT: "the OCSP response is about another certificate",
  OCSP_RESPONDER: "the OCSP response is signed by a responder that the CA did not authorise",
  OCSP_SIGNATURE: "the OCSP response's signature does not verify",
  OCSP_SIGNATURE_ALGORITHM: "the OCSP response's signature algorithm is refused or does not fit the key",
  OCSP_TIME: "the OCSP response has a malformed or contradictory time",
  OCSP_EXPIRED: "the OCSP response is stale",
  OCSP_NOT_YET_VALID: "the OCSP response is from the future",
  OCSP_NO_NEXT_UPDATE: "the OCSP response has no nextUpdate",
  OCSP_CRITICAL_EXTENSION: "the OCSP response has an unknown critical extension",
  OCSP_NONCE: "the OCSP response does not carry the nonce that was asked for",
  OCSP_STAPLE_MISSING: "the peer stapled no OCSP response where one is required",
  OCSP_LOOKUP_FAIL: "no OCSP responder could be asked, or none answered",
  // Of a device's socket
  CONNECT_FAILED: "the TCP connection was not made",
  CALLBACK_FAILED: "a callback of the application threw",
});

/** The same in the order of the faults' numbers, for devices. */
export const textList = list((Object.keys(faults) as FaultName[]).map((name) => texts[name]));

export function textOf(fault: Fault): string {
  return ofFault(textList, fault);
}
