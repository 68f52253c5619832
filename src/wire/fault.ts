import { alert } from "./registry.js";

/**
 * Why a connection, a certificate or a staple was refused. A frozen constant, compared by identity: it is
 * thrown anywhere and caught once, in the engine, which sends `alert` and keeps the first fault for good.
 */
export interface Fault {
  /** Stable name; wolfSSL's own where it has the same one. */
  readonly name: string;
  /** The TLS alert that tells the peer, RFC 8446 section 6. */
  readonly alert: number;
  readonly text: string;
  /** wolfSSL's error for the same thing, where there is one. */
  readonly wolfssl?: { readonly name: string; readonly code: number };
}

function fault(name: string, alert: number, text: string, wolfName?: string, code = 0): Fault {
  const wolfssl = wolfName === undefined ? undefined : Object.freeze({ name: wolfName, code });
  return Object.freeze(wolfssl ? { name, alert, text, wolfssl } : { name, alert, text });
}

const a = alert;

/** Every fault there is, by name. */
export const faults = Object.freeze({
  // Messages and records
  DECODE_ERROR: fault("DECODE_ERROR", a.decode_error, "a message is malformed", "PARSE_ERROR", -306),
  UNEXPECTED_MESSAGE: fault(
    "UNEXPECTED_MESSAGE",
    a.unexpected_message,
    "a message came that the protocol does not allow here",
    "OUT_OF_ORDER_E",
    -373,
  ),
  UNKNOWN_RECORD_TYPE: fault(
    "UNKNOWN_RECORD_TYPE",
    a.unexpected_message,
    "a record is of no TLS content type; does the peer speak TLS?",
    "UNKNOWN_RECORD_TYPE",
    -311,
  ),
  RECORD_VERSION: fault(
    "RECORD_VERSION",
    a.protocol_version,
    "a record has a version that is not TLS",
    "VERSION_ERROR",
    -326,
  ),
  RECORD_OVERFLOW: fault(
    "RECORD_OVERFLOW",
    a.record_overflow,
    "a record is longer than the protocol or the negotiated limit allows",
    "LENGTH_ERROR",
    -341,
  ),
  BAD_RECORD_MAC: fault(
    "BAD_RECORD_MAC",
    a.bad_record_mac,
    "a record does not decrypt",
    "DECRYPT_ERROR",
    -312,
  ),
  TOO_MANY_EMPTY_RECORDS: fault(
    "TOO_MANY_EMPTY_RECORDS",
    a.unexpected_message,
    "too many empty records, warnings or key updates in a row",
    "ALERT_COUNT_E",
    -427,
  ),
  KEY_EXHAUSTED: fault(
    "KEY_EXHAUSTED",
    a.internal_error,
    "a TLS 1.2 key has protected as many records as its cipher allows",
  ),
  BUFFER_TOO_SMALL: fault(
    "BUFFER_TOO_SMALL",
    a.internal_error,
    "a record or message is larger than the input buffer",
    "BUFFER_ERROR",
    -328,
  ),
  MESSAGE_TOO_LONG: fault(
    "MESSAGE_TOO_LONG",
    a.illegal_parameter,
    "a handshake message is longer than is allowed here",
    "HANDSHAKE_SIZE_ERROR",
    -404,
  ),
  OUTPUT_TOO_SMALL: fault(
    "OUTPUT_TOO_SMALL",
    a.internal_error,
    "a message to send is larger than the output buffer",
    "BUFFER_E",
    -132,
  ),
  STORE_TOO_SMALL: fault(
    "STORE_TOO_SMALL",
    a.internal_error,
    "the certificates and staples need a larger store",
    "BUFFER_E",
    -132,
  ),
  // Negotiation
  PROTOCOL_VERSION: fault(
    "PROTOCOL_VERSION",
    a.protocol_version,
    "the peer speaks no TLS version that is allowed here",
    "VERSION_ERROR",
    -326,
  ),
  DOWNGRADE: fault(
    "DOWNGRADE",
    a.illegal_parameter,
    "the ServerHello carries the downgrade sentinel",
    "VERSION_ERROR",
    -326,
  ),
  ILLEGAL_PARAMETER: fault(
    "ILLEGAL_PARAMETER",
    a.illegal_parameter,
    "a field has a value that is not allowed here",
    "INVALID_PARAMETER",
    -425,
  ),
  CIPHER_SUITE: fault(
    "CIPHER_SUITE",
    a.illegal_parameter,
    "the peer chose a cipher suite that was not offered or does not fit",
    "MATCH_SUITE_ERROR",
    -501,
  ),
  KEY_SHARE: fault(
    "KEY_SHARE",
    a.illegal_parameter,
    "the peer's key share is invalid or for a group that was not offered",
    "BAD_KEY_SHARE_DATA",
    -421,
  ),
  UNSUPPORTED_EXTENSION: fault(
    "UNSUPPORTED_EXTENSION",
    a.unsupported_extension,
    "the peer sent an extension that was not asked for",
    "UNSUPPORTED_EXTENSION",
    -429,
  ),
  EXTENSION_NOT_ALLOWED: fault(
    "EXTENSION_NOT_ALLOWED",
    a.illegal_parameter,
    "an extension stands in a message where it is not allowed",
    "EXT_NOT_ALLOWED",
    -424,
  ),
  DUPLICATE_EXTENSION: fault(
    "DUPLICATE_EXTENSION",
    a.illegal_parameter,
    "an extension stands twice in one message",
    "DUPLICATE_TLS_EXT_E",
    -457,
  ),
  MISSING_EXTENSION: fault(
    "MISSING_EXTENSION",
    a.missing_extension,
    "a required extension is absent",
    "EXT_MISSING",
    -428,
  ),
  EMS_REQUIRED: fault(
    "EMS_REQUIRED",
    a.handshake_failure,
    "the peer does not speak extended_master_secret, which is required",
    "EXT_MASTER_SECRET_NEEDED_E",
    -414,
  ),
  RENEGOTIATION_INFO: fault(
    "RENEGOTIATION_INFO",
    a.handshake_failure,
    "the peer takes a first handshake for a renegotiation",
    "SECURE_RENEGOTIATION_E",
    -388,
  ),
  NO_COMMON_SUITE: fault(
    "NO_COMMON_SUITE",
    a.handshake_failure,
    "the client offers no cipher suite that the server may use",
    "MATCH_SUITE_ERROR",
    -501,
  ),
  NO_COMMON_GROUP: fault(
    "NO_COMMON_GROUP",
    a.handshake_failure,
    "the client offers no group for the key exchange that the server may use",
    "ECC_CURVE_ERROR",
    -351,
  ),
  NO_COMMON_SCHEME: fault(
    "NO_COMMON_SCHEME",
    a.handshake_failure,
    "the client takes no signature that the server's certificate can make",
    "MATCH_SUITE_ERROR",
    -501,
  ),
  INAPPROPRIATE_FALLBACK: fault(
    "INAPPROPRIATE_FALLBACK",
    a.inappropriate_fallback,
    "the client fell back to an older version although the server speaks a newer one",
    "VERSION_ERROR",
    -326,
  ),
  NO_APPLICATION_PROTOCOL: fault(
    "NO_APPLICATION_PROTOCOL",
    a.no_application_protocol,
    "the client offers no application protocol that the server speaks",
    "UNKNOWN_ALPN_PROTOCOL_NAME_E",
    -405,
  ),
  UNRECOGNIZED_NAME: fault(
    "UNRECOGNIZED_NAME",
    a.unrecognized_name,
    "the client asks for a server name that is not served here",
    "UNKNOWN_SNI_HOST_NAME_E",
    -381,
  ),
  NO_RENEGOTIATION: fault(
    "NO_RENEGOTIATION",
    a.no_renegotiation,
    "the client asks for a renegotiation, which does not exist here",
    "SECURE_RENEGOTIATION_E",
    -388,
  ),
  BINDER_MISMATCH: fault(
    "BINDER_MISMATCH",
    a.decrypt_error,
    "the client does not hold the secret of the ticket that it shows",
    "BAD_BINDER",
    -423,
  ),
  FINISHED_MISMATCH: fault(
    "FINISHED_MISMATCH",
    a.decrypt_error,
    "the peer's Finished does not match the handshake",
    "VERIFY_FINISHED_ERROR",
    -304,
  ),
  HANDSHAKE_SIGNATURE: fault(
    "HANDSHAKE_SIGNATURE",
    a.decrypt_error,
    "the peer's handshake signature does not verify",
    "VERIFY_SIGN_ERROR",
    -330,
  ),
  SIGNATURE_SCHEME: fault(
    "SIGNATURE_SCHEME",
    a.illegal_parameter,
    "a signature scheme was not offered or does not fit the key",
    "SIG_TYPE_E",
    -231,
  ),
  // Ends
  PEER_ALERT: fault("PEER_ALERT", a.close_notify, "the peer sent a fatal alert", "FATAL_ERROR", -313),
  TRUNCATED: fault(
    "TRUNCATED",
    a.close_notify,
    "the connection ended without close_notify",
    "SOCKET_PEER_CLOSED_E",
    -397,
  ),
  INTERNAL_ERROR: fault("INTERNAL_ERROR", a.internal_error, "an internal error"),
  HANDSHAKE_TIMEOUT: fault("HANDSHAKE_TIMEOUT", a.user_canceled, "the handshake did not complete in time"),
  // Certificates
  NO_PEER_CERT: fault("NO_PEER_CERT", a.decode_error, "the server sent no certificate", "NO_PEER_CERT", -345),
  CERTIFICATE_REQUIRED: fault(
    "CERTIFICATE_REQUIRED",
    a.certificate_required,
    "the client showed no certificate where one is required",
    "NO_PEER_CERT",
    -345,
  ),
  CERT_MALFORMED: fault(
    "CERT_MALFORMED",
    a.bad_certificate,
    "a certificate is not valid DER or not a valid X.509 v3 certificate",
    "ASN_PARSE_E",
    -140,
  ),
  CERT_SIGNATURE: fault(
    "CERT_SIGNATURE",
    a.bad_certificate,
    "a certificate's signature does not verify",
    "ASN_SIG_CONFIRM_E",
    -155,
  ),
  CERT_SIGNATURE_ALGORITHM: fault(
    "CERT_SIGNATURE_ALGORITHM",
    a.bad_certificate,
    "a certificate's signature algorithm is refused (SHA-1, MD5, unknown) or does not fit its issuer's key",
    "ASN_SIG_HASH_E",
    -156,
  ),
  CERT_ALGORITHM_MISMATCH: fault(
    "CERT_ALGORITHM_MISMATCH",
    a.bad_certificate,
    "a certificate names one signature algorithm inside and another outside",
    "ASN_SIG_OID_E",
    -152,
  ),
  CERT_KEY: fault(
    "CERT_KEY",
    a.unsupported_certificate,
    "a certificate's public key is of a kind that is not taken, malformed or too small",
    "RSA_KEY_SIZE_E",
    -409,
  ),
  CERT_NOT_YET_VALID: fault(
    "CERT_NOT_YET_VALID",
    a.bad_certificate,
    "a certificate is not valid yet",
    "ASN_BEFORE_DATE_E",
    -150,
  ),
  CERT_EXPIRED: fault(
    "CERT_EXPIRED",
    a.certificate_expired,
    "a certificate has expired",
    "ASN_AFTER_DATE_E",
    -151,
  ),
  CERT_CRITICAL_EXTENSION: fault(
    "CERT_CRITICAL_EXTENSION",
    a.unsupported_certificate,
    "a certificate has an unknown critical extension",
    "ASN_CRIT_EXT_E",
    -160,
  ),
  CERT_KEY_USAGE: fault(
    "CERT_KEY_USAGE",
    a.unsupported_certificate,
    "a certificate's keyUsage does not allow digitalSignature",
    "KEYUSE_SIGNATURE_E",
    -383,
  ),
  CERT_EXTENDED_KEY_USAGE: fault(
    "CERT_EXTENDED_KEY_USAGE",
    a.unsupported_certificate,
    "a certificate's extendedKeyUsage does not allow its use: serverAuth, or clientAuth",
    "EXTKEYUSE_AUTH_E",
    -386,
  ),
  CERT_NOT_CA: fault(
    "CERT_NOT_CA",
    a.bad_certificate,
    "a certificate was issued by one that is not a CA",
    "NOT_CA_ERROR",
    -357,
  ),
  CERT_CA_KEY_USAGE: fault(
    "CERT_CA_KEY_USAGE",
    a.bad_certificate,
    "a CA's keyUsage lacks keyCertSign",
    "NOT_CA_ERROR",
    -357,
  ),
  CERT_PATH_LENGTH: fault(
    "CERT_PATH_LENGTH",
    a.bad_certificate,
    "the chain is longer than a CA's pathLenConstraint allows",
    "ASN_PATHLEN_INV_E",
    -238,
  ),
  CERT_NAME_CONSTRAINTS: fault(
    "CERT_NAME_CONSTRAINTS",
    a.bad_certificate,
    "a name lies outside a CA's name constraints",
    "ASN_NAME_INVALID_E",
    -198,
  ),
  CERT_UNKNOWN_ISSUER: fault(
    "CERT_UNKNOWN_ISSUER",
    a.unknown_ca,
    "no chain leads to a trusted CA",
    "ASN_NO_SIGNER_E",
    -188,
  ),
  CERT_CHAIN_TOO_LONG: fault(
    "CERT_CHAIN_TOO_LONG",
    a.bad_certificate,
    "the chain has too many certificates or takes too much work to verify",
    "MAX_CHAIN_ERROR",
    -368,
  ),
  CERT_NAME_MISMATCH: fault(
    "CERT_NAME_MISMATCH",
    a.bad_certificate,
    "the certificate is for another name",
    "DOMAIN_NAME_MISMATCH",
    -322,
  ),
  CERT_IP_MISMATCH: fault(
    "CERT_IP_MISMATCH",
    a.bad_certificate,
    "the certificate is for another IP address",
    "IPADDR_MISMATCH",
    -325,
  ),
  NO_CLOCK: fault(
    "NO_CLOCK",
    a.internal_error,
    "the clock was never set, so no date can be checked",
    "GETTIME_ERROR",
    -337,
  ),
  // OCSP
  OCSP_MALFORMED: fault(
    "OCSP_MALFORMED",
    a.bad_certificate_status_response,
    "the OCSP response is malformed",
    "BAD_CERTIFICATE_STATUS_ERROR",
    -406,
  ),
  OCSP_NOT_SUCCESSFUL: fault(
    "OCSP_NOT_SUCCESSFUL",
    a.bad_certificate_status_response,
    "the OCSP response carries an error status instead of an answer",
    "OCSP_INVALID_STATUS",
    -407,
  ),
  OCSP_UNKNOWN_TYPE: fault(
    "OCSP_UNKNOWN_TYPE",
    a.bad_certificate_status_response,
    "the OCSP response is not of type id-pkix-ocsp-basic, version 1",
    "OCSP_INVALID_STATUS",
    -407,
  ),
  OCSP_CERT_REVOKED: fault(
    "OCSP_CERT_REVOKED",
    a.certificate_revoked,
    "the certificate has been revoked",
    "OCSP_CERT_REVOKED",
    -360,
  ),
  OCSP_CERT_UNKNOWN: fault(
    "OCSP_CERT_UNKNOWN",
    a.bad_certificate_status_response,
    "the OCSP responder does not know the certificate",
    "OCSP_CERT_UNKNOWN",
    -366,
  ),
  OCSP_WRONG_CERT: fault(
    "OCSP_WRONG_CERT",
    a.bad_certificate_status_response,
    "the OCSP response is about another certificate",
    "OCSP_LOOKUP_FAIL",
    -367,
  ),
  OCSP_RESPONDER: fault(
    "OCSP_RESPONDER",
    a.bad_certificate_status_response,
    "the OCSP response is signed by a responder that the CA did not authorise",
    "BAD_OCSP_RESPONDER",
    -178,
  ),
  OCSP_SIGNATURE: fault(
    "OCSP_SIGNATURE",
    a.bad_certificate_status_response,
    "the OCSP response's signature does not verify",
    "ASN_OCSP_CONFIRM_E",
    -191,
  ),
  OCSP_SIGNATURE_ALGORITHM: fault(
    "OCSP_SIGNATURE_ALGORITHM",
    a.bad_certificate_status_response,
    "the OCSP response's signature algorithm is refused or does not fit the key",
    "ASN_SIG_HASH_E",
    -156,
  ),
  OCSP_TIME: fault(
    "OCSP_TIME",
    a.bad_certificate_status_response,
    "the OCSP response has a malformed or contradictory time",
    "ASN_TIME_E",
    -153,
  ),
  OCSP_EXPIRED: fault(
    "OCSP_EXPIRED",
    a.bad_certificate_status_response,
    "the OCSP response is stale",
    "ASN_AFTER_DATE_E",
    -151,
  ),
  OCSP_NOT_YET_VALID: fault(
    "OCSP_NOT_YET_VALID",
    a.bad_certificate_status_response,
    "the OCSP response is from the future",
    "ASN_BEFORE_DATE_E",
    -150,
  ),
  OCSP_NO_NEXT_UPDATE: fault(
    "OCSP_NO_NEXT_UPDATE",
    a.bad_certificate_status_response,
    "the OCSP response has no nextUpdate",
    "ASN_TIME_E",
    -153,
  ),
  OCSP_CRITICAL_EXTENSION: fault(
    "OCSP_CRITICAL_EXTENSION",
    a.bad_certificate_status_response,
    "the OCSP response has an unknown critical extension",
    "ASN_CRIT_EXT_E",
    -160,
  ),
  OCSP_NONCE: fault(
    "OCSP_NONCE",
    a.bad_certificate_status_response,
    "the OCSP response does not carry the nonce that was asked for",
    "OCSP_LOOKUP_FAIL",
    -367,
  ),
  OCSP_STAPLE_MISSING: fault(
    "OCSP_STAPLE_MISSING",
    a.bad_certificate_status_response,
    "the peer stapled no OCSP response where one is required",
    "OCSP_CERT_UNKNOWN",
    -366,
  ),
  OCSP_LOOKUP_FAIL: fault(
    "OCSP_LOOKUP_FAIL",
    a.bad_certificate_status_response,
    "no OCSP responder could be asked, or none answered",
    "OCSP_LOOKUP_FAIL",
    -367,
  ),
});

/** Whether something caught is one of our faults, by identity: nothing else may pass for one. */
export function isFault(thrown: unknown): thrown is Fault {
  const name = (thrown as Fault | undefined)?.name;
  return typeof name === "string" && (faults as Record<string, Fault>)[name] === thrown;
}
