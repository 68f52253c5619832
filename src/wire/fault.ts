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

type Draft = { -readonly [Field in keyof Fault]: Fault[Field] };

/** A fault, whose name `named` fills in. */
function fault(alert: number, text: string, wolfName?: string, code = 0): Draft {
  const draft: Draft = { name: "", alert, text };
  if (wolfName !== undefined) draft.wolfssl = Object.freeze({ name: wolfName, code });
  return draft;
}

/** The faults under their names, which they know. */
function named<T extends Record<string, Draft>>(faults: T): { readonly [Name in keyof T]: Fault } {
  const names = Object.keys(faults);
  for (let i = 0; i < names.length; i++) {
    faults[names[i]].name = names[i];
    Object.freeze(faults[names[i]]);
  }
  return Object.freeze(faults);
}

const a = alert;

// Those of the commonest alerts

function illegal(text: string, wolfName?: string, code?: number): Draft {
  return fault(a.illegal_parameter, text, wolfName, code);
}

function failure(text: string, wolfName?: string, code?: number): Draft {
  return fault(a.handshake_failure, text, wolfName, code);
}

function badCertificate(text: string, wolfName?: string, code?: number): Draft {
  return fault(a.bad_certificate, text, wolfName, code);
}

function badStaple(text: string, wolfName?: string, code?: number): Draft {
  return fault(a.bad_certificate_status_response, text, wolfName, code);
}

/** Every fault there is, by name. */
export const faults = named({
  // Messages and records
  DECODE_ERROR: fault(a.decode_error, "a message is malformed", "PARSE_ERROR", -306),
  UNEXPECTED_MESSAGE: fault(
    a.unexpected_message,
    "a message came that the protocol does not allow here",
    "OUT_OF_ORDER_E",
    -373,
  ),
  UNKNOWN_RECORD_TYPE: fault(
    a.unexpected_message,
    "a record is of no TLS content type; does the peer speak TLS?",
    "UNKNOWN_RECORD_TYPE",
    -311,
  ),
  RECORD_VERSION: fault(a.protocol_version, "a record has a version that is not TLS", "VERSION_ERROR", -326),
  RECORD_OVERFLOW: fault(
    a.record_overflow,
    "a record is longer than the protocol or the negotiated limit allows",
    "LENGTH_ERROR",
    -341,
  ),
  BAD_RECORD_MAC: fault(a.bad_record_mac, "a record does not decrypt", "DECRYPT_ERROR", -312),
  TOO_MANY_EMPTY_RECORDS: fault(
    a.unexpected_message,
    "too many empty records, warnings or key updates in a row",
    "ALERT_COUNT_E",
    -427,
  ),
  KEY_EXHAUSTED: fault(a.internal_error, "a TLS 1.2 key has protected as many records as its cipher allows"),
  BUFFER_TOO_SMALL: fault(
    a.internal_error,
    "a record or message is larger than the input buffer",
    "BUFFER_ERROR",
    -328,
  ),
  MESSAGE_TOO_LONG: illegal(
    "a handshake message is longer than is allowed here",
    "HANDSHAKE_SIZE_ERROR",
    -404,
  ),
  OUTPUT_TOO_SMALL: fault(
    a.internal_error,
    "a message to send is larger than the output buffer",
    "BUFFER_E",
    -132,
  ),
  STORE_TOO_SMALL: fault(
    a.internal_error,
    "the certificates and staples need a larger store",
    "BUFFER_E",
    -132,
  ),
  // Negotiation
  PROTOCOL_VERSION: fault(
    a.protocol_version,
    "the peer speaks no TLS version that is allowed here",
    "VERSION_ERROR",
    -326,
  ),
  DOWNGRADE: illegal("the ServerHello carries the downgrade sentinel", "VERSION_ERROR", -326),
  ILLEGAL_PARAMETER: illegal("a field has a value that is not allowed here", "INVALID_PARAMETER", -425),
  CIPHER_SUITE: illegal(
    "the peer chose a cipher suite that was not offered or does not fit",
    "MATCH_SUITE_ERROR",
    -501,
  ),
  KEY_SHARE: illegal(
    "the peer's key share is invalid or for a group that was not offered",
    "BAD_KEY_SHARE_DATA",
    -421,
  ),
  UNSUPPORTED_EXTENSION: fault(
    a.unsupported_extension,
    "the peer sent an extension that was not asked for",
    "UNSUPPORTED_EXTENSION",
    -429,
  ),
  EXTENSION_NOT_ALLOWED: illegal(
    "an extension stands in a message where it is not allowed",
    "EXT_NOT_ALLOWED",
    -424,
  ),
  DUPLICATE_EXTENSION: illegal("an extension stands twice in one message", "DUPLICATE_TLS_EXT_E", -457),
  MISSING_EXTENSION: fault(a.missing_extension, "a required extension is absent", "EXT_MISSING", -428),
  EMS_REQUIRED: failure(
    "the peer does not speak extended_master_secret, which is required",
    "EXT_MASTER_SECRET_NEEDED_E",
    -414,
  ),
  RENEGOTIATION_INFO: failure(
    "the peer takes a first handshake for a renegotiation",
    "SECURE_RENEGOTIATION_E",
    -388,
  ),
  NO_COMMON_SUITE: failure(
    "the client offers no cipher suite that the server may use",
    "MATCH_SUITE_ERROR",
    -501,
  ),
  NO_COMMON_GROUP: failure(
    "the client offers no group for the key exchange that the server may use",
    "ECC_CURVE_ERROR",
    -351,
  ),
  NO_COMMON_SCHEME: failure(
    "the client takes no signature that the server's certificate can make",
    "MATCH_SUITE_ERROR",
    -501,
  ),
  INAPPROPRIATE_FALLBACK: fault(
    a.inappropriate_fallback,
    "the client fell back to an older version although the server speaks a newer one",
    "VERSION_ERROR",
    -326,
  ),
  NO_APPLICATION_PROTOCOL: fault(
    a.no_application_protocol,
    "the client offers no application protocol that the server speaks",
    "UNKNOWN_ALPN_PROTOCOL_NAME_E",
    -405,
  ),
  UNRECOGNIZED_NAME: fault(
    a.unrecognized_name,
    "the client asks for a server name that is not served here",
    "UNKNOWN_SNI_HOST_NAME_E",
    -381,
  ),
  NO_RENEGOTIATION: fault(
    a.no_renegotiation,
    "the client asks for a renegotiation, which does not exist here",
    "SECURE_RENEGOTIATION_E",
    -388,
  ),
  BINDER_MISMATCH: fault(
    a.decrypt_error,
    "the client does not hold the secret of the ticket that it shows",
    "BAD_BINDER",
    -423,
  ),
  FINISHED_MISMATCH: fault(
    a.decrypt_error,
    "the peer's Finished does not match the handshake",
    "VERIFY_FINISHED_ERROR",
    -304,
  ),
  HANDSHAKE_SIGNATURE: fault(
    a.decrypt_error,
    "the peer's handshake signature does not verify",
    "VERIFY_SIGN_ERROR",
    -330,
  ),
  SIGNATURE_SCHEME: illegal("a signature scheme was not offered or does not fit the key", "SIG_TYPE_E", -231),
  // Ends
  PEER_ALERT: fault(a.close_notify, "the peer sent a fatal alert", "FATAL_ERROR", -313),
  TRUNCATED: fault(a.close_notify, "the connection ended without close_notify", "SOCKET_PEER_CLOSED_E", -397),
  INTERNAL_ERROR: fault(a.internal_error, "an internal error"),
  HANDSHAKE_TIMEOUT: fault(a.user_canceled, "the handshake did not complete in time"),
  // Certificates
  NO_PEER_CERT: fault(a.decode_error, "the server sent no certificate", "NO_PEER_CERT", -345),
  CERTIFICATE_REQUIRED: fault(
    a.certificate_required,
    "the client showed no certificate where one is required",
    "NO_PEER_CERT",
    -345,
  ),
  CERT_MALFORMED: badCertificate(
    "a certificate is not valid DER or not a valid X.509 v3 certificate",
    "ASN_PARSE_E",
    -140,
  ),
  CERT_SIGNATURE: badCertificate("a certificate's signature does not verify", "ASN_SIG_CONFIRM_E", -155),
  CERT_SIGNATURE_ALGORITHM: badCertificate(
    "a certificate's signature algorithm is refused (SHA-1, MD5, unknown) or does not fit its issuer's key",
    "ASN_SIG_HASH_E",
    -156,
  ),
  CERT_ALGORITHM_MISMATCH: badCertificate(
    "a certificate names one signature algorithm inside and another outside",
    "ASN_SIG_OID_E",
    -152,
  ),
  CERT_KEY: fault(
    a.unsupported_certificate,
    "a certificate's public key is of a kind that is not taken, malformed or too small",
    "RSA_KEY_SIZE_E",
    -409,
  ),
  CERT_NOT_YET_VALID: badCertificate("a certificate is not valid yet", "ASN_BEFORE_DATE_E", -150),
  CERT_EXPIRED: fault(a.certificate_expired, "a certificate has expired", "ASN_AFTER_DATE_E", -151),
  CERT_CRITICAL_EXTENSION: fault(
    a.unsupported_certificate,
    "a certificate has an unknown critical extension",
    "ASN_CRIT_EXT_E",
    -160,
  ),
  CERT_KEY_USAGE: fault(
    a.unsupported_certificate,
    "a certificate's keyUsage does not allow digitalSignature",
    "KEYUSE_SIGNATURE_E",
    -383,
  ),
  CERT_EXTENDED_KEY_USAGE: fault(
    a.unsupported_certificate,
    "a certificate's extendedKeyUsage does not allow its use: serverAuth, or clientAuth",
    "EXTKEYUSE_AUTH_E",
    -386,
  ),
  CERT_NOT_CA: badCertificate("a certificate was issued by one that is not a CA", "NOT_CA_ERROR", -357),
  CERT_CA_KEY_USAGE: badCertificate("a CA's keyUsage lacks keyCertSign", "NOT_CA_ERROR", -357),
  CERT_PATH_LENGTH: badCertificate(
    "the chain is longer than a CA's pathLenConstraint allows",
    "ASN_PATHLEN_INV_E",
    -238,
  ),
  CERT_NAME_CONSTRAINTS: badCertificate(
    "a name lies outside a CA's name constraints",
    "ASN_NAME_INVALID_E",
    -198,
  ),
  CERT_UNKNOWN_ISSUER: fault(a.unknown_ca, "no chain leads to a trusted CA", "ASN_NO_SIGNER_E", -188),
  CERT_CHAIN_TOO_LONG: badCertificate(
    "the chain has too many certificates or takes too much work to verify",
    "MAX_CHAIN_ERROR",
    -368,
  ),
  CERT_NAME_MISMATCH: badCertificate("the certificate is for another name", "DOMAIN_NAME_MISMATCH", -322),
  CERT_IP_MISMATCH: badCertificate("the certificate is for another IP address", "IPADDR_MISMATCH", -325),
  NO_CLOCK: fault(
    a.internal_error,
    "the clock was never set, so no date can be checked",
    "GETTIME_ERROR",
    -337,
  ),
  // OCSP
  OCSP_MALFORMED: badStaple("the OCSP response is malformed", "BAD_CERTIFICATE_STATUS_ERROR", -406),
  OCSP_NOT_SUCCESSFUL: badStaple(
    "the OCSP response carries an error status instead of an answer",
    "OCSP_INVALID_STATUS",
    -407,
  ),
  OCSP_UNKNOWN_TYPE: badStaple(
    "the OCSP response is not of type id-pkix-ocsp-basic, version 1",
    "OCSP_INVALID_STATUS",
    -407,
  ),
  OCSP_CERT_REVOKED: fault(
    a.certificate_revoked,
    "the certificate has been revoked",
    "OCSP_CERT_REVOKED",
    -360,
  ),
  OCSP_CERT_UNKNOWN: badStaple("the OCSP responder does not know the certificate", "OCSP_CERT_UNKNOWN", -366),
  OCSP_WRONG_CERT: badStaple("the OCSP response is about another certificate", "OCSP_LOOKUP_FAIL", -367),
  OCSP_RESPONDER: badStaple(
    "the OCSP response is signed by a responder that the CA did not authorise",
    "BAD_OCSP_RESPONDER",
    -178,
  ),
  OCSP_SIGNATURE: badStaple("the OCSP response's signature does not verify", "ASN_OCSP_CONFIRM_E", -191),
  OCSP_SIGNATURE_ALGORITHM: badStaple(
    "the OCSP response's signature algorithm is refused or does not fit the key",
    "ASN_SIG_HASH_E",
    -156,
  ),
  OCSP_TIME: badStaple("the OCSP response has a malformed or contradictory time", "ASN_TIME_E", -153),
  OCSP_EXPIRED: badStaple("the OCSP response is stale", "ASN_AFTER_DATE_E", -151),
  OCSP_NOT_YET_VALID: badStaple("the OCSP response is from the future", "ASN_BEFORE_DATE_E", -150),
  OCSP_NO_NEXT_UPDATE: badStaple("the OCSP response has no nextUpdate", "ASN_TIME_E", -153),
  OCSP_CRITICAL_EXTENSION: badStaple(
    "the OCSP response has an unknown critical extension",
    "ASN_CRIT_EXT_E",
    -160,
  ),
  OCSP_NONCE: badStaple(
    "the OCSP response does not carry the nonce that was asked for",
    "OCSP_LOOKUP_FAIL",
    -367,
  ),
  OCSP_STAPLE_MISSING: badStaple(
    "the peer stapled no OCSP response where one is required",
    "OCSP_CERT_UNKNOWN",
    -366,
  ),
  OCSP_LOOKUP_FAIL: badStaple("no OCSP responder could be asked, or none answered", "OCSP_LOOKUP_FAIL", -367),
});

/** Whether something caught is one of our faults, by identity: nothing else may pass for one. */
export function isFault(thrown: unknown): thrown is Fault {
  const name = (thrown as Fault | undefined)?.name;
  return typeof name === "string" && (faults as Record<string, Fault>)[name] === thrown;
}
