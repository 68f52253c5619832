/**
 * Every fault there is: why a connection, a certificate or a staple was refused. The upper byte is the TLS alert that
 * tells the peer (RFC 8446 section 6), the lower one the fault's own number. A fault is thrown anywhere and caught once,
 * in the engine, which keeps the first one for good. Names are stable, numbers are not: they count the rows.
 */
import { list } from "./list.js";
import { nth } from "./nth.js";

export const faults = Object.freeze({
  // Messages and records
  DECODE_ERROR: 0x3201,
  UNEXPECTED_MESSAGE: 0x0a02,
  UNKNOWN_RECORD_TYPE: 0x0a03,
  RECORD_VERSION: 0x4604,
  RECORD_OVERFLOW: 0x1605,
  BAD_RECORD_MAC: 0x1406,
  TOO_MANY_EMPTY_RECORDS: 0x0a07,
  KEY_EXHAUSTED: 0x5008,
  BUFFER_TOO_SMALL: 0x5009,
  MESSAGE_TOO_LONG: 0x2f0a,
  OUTPUT_TOO_SMALL: 0x500b,
  STORE_TOO_SMALL: 0x500c,
  // Negotiation
  PROTOCOL_VERSION: 0x460d,
  DOWNGRADE: 0x2f0e,
  ILLEGAL_PARAMETER: 0x2f0f,
  CIPHER_SUITE: 0x2f10,
  KEY_SHARE: 0x2f11,
  UNSUPPORTED_EXTENSION: 0x6e12,
  EXTENSION_NOT_ALLOWED: 0x2f13,
  DUPLICATE_EXTENSION: 0x2f14,
  MISSING_EXTENSION: 0x6d15,
  EMS_REQUIRED: 0x2816,
  RENEGOTIATION_INFO: 0x2817,
  NO_COMMON_SUITE: 0x2818,
  NO_COMMON_GROUP: 0x2819,
  NO_COMMON_SCHEME: 0x281a,
  INAPPROPRIATE_FALLBACK: 0x561b,
  NO_APPLICATION_PROTOCOL: 0x781c,
  UNRECOGNIZED_NAME: 0x701d,
  NO_RENEGOTIATION: 0x641e,
  BINDER_MISMATCH: 0x331f,
  FINISHED_MISMATCH: 0x3320,
  HANDSHAKE_SIGNATURE: 0x3321,
  SIGNATURE_SCHEME: 0x2f22,
  // Ends
  PEER_ALERT: 0x0023,
  TRUNCATED: 0x0024,
  INTERNAL_ERROR: 0x5025,
  HANDSHAKE_TIMEOUT: 0x5a26,
  // Certificates
  NO_PEER_CERT: 0x3227,
  CERTIFICATE_REQUIRED: 0x7428,
  CERT_MALFORMED: 0x2a29,
  CERT_SIGNATURE: 0x2a2a,
  CERT_SIGNATURE_ALGORITHM: 0x2a2b,
  CERT_ALGORITHM_MISMATCH: 0x2a2c,
  CERT_KEY: 0x2b2d,
  CERT_NOT_YET_VALID: 0x2a2e,
  CERT_EXPIRED: 0x2d2f,
  CERT_CRITICAL_EXTENSION: 0x2b30,
  CERT_KEY_USAGE: 0x2b31,
  CERT_EXTENDED_KEY_USAGE: 0x2b32,
  CERT_NOT_CA: 0x2a33,
  CERT_CA_KEY_USAGE: 0x2a34,
  CERT_PATH_LENGTH: 0x2a35,
  CERT_NAME_CONSTRAINTS: 0x2a36,
  CERT_UNKNOWN_ISSUER: 0x3037,
  CERT_CHAIN_TOO_LONG: 0x2a38,
  CERT_NAME_MISMATCH: 0x2a39,
  CERT_IP_MISMATCH: 0x2a3a,
  NO_CLOCK: 0x503b,
  // OCSP
  OCSP_MALFORMED: 0x713c,
  OCSP_NOT_SUCCESSFUL: 0x713d,
  OCSP_UNKNOWN_TYPE: 0x713e,
  OCSP_CERT_REVOKED: 0x2c3f,
  OCSP_CERT_UNKNOWN: 0x7140,
  OCSP_WRONG_CERT: 0x7141,
  OCSP_RESPONDER: 0x7142,
  OCSP_SIGNATURE: 0x7143,
  OCSP_SIGNATURE_ALGORITHM: 0x7144,
  OCSP_TIME: 0x7145,
  OCSP_EXPIRED: 0x7146,
  OCSP_NOT_YET_VALID: 0x7147,
  OCSP_NO_NEXT_UPDATE: 0x7148,
  OCSP_CRITICAL_EXTENSION: 0x7149,
  OCSP_NONCE: 0x714a,
  OCSP_STAPLE_MISSING: 0x714b,
  OCSP_LOOKUP_FAIL: 0x714c,
  // Of a device's socket
  CONNECT_FAILED: 0x004d,
  CALLBACK_FAILED: 0x504e,
  // CRLs, which a device has only by choice: see `commonNames`
  CRL_MALFORMED: 0x2e4f,
  CRL_CERT_REVOKED: 0x2c50,
  CRL_MISSING: 0x2e51,
  CRL_SCOPE: 0x2e52,
  CRL_KEY_USAGE: 0x2e53,
  CRL_SIGNATURE: 0x2e54,
  CRL_SIGNATURE_ALGORITHM: 0x2e55,
  CRL_ALGORITHM_MISMATCH: 0x2e56,
  CRL_TIME: 0x2e57,
  CRL_EXPIRED: 0x2e58,
  CRL_NOT_YET_VALID: 0x2e59,
  CRL_NO_NEXT_UPDATE: 0x2e5a,
  CRL_CRITICAL_EXTENSION: 0x2e5b,
  CRL_INDIRECT: 0x2e5c,
  CRL_DELTA: 0x2e5d,
  CRL_SOME_REASONS: 0x2e5e,
});

/** A fault's stable name; wolfSSL's own where it has the same one. */
export type FaultName = keyof typeof faults;

export type Fault = (typeof faults)[FaultName];

/**
 * The names, in the order of their numbers, and the character after that of its alert: a device has no more of the
 * table, and takes no memory to look one up, as a fault may come when memory is short.
 */
export const faultNames = list(Object.keys(faults));
export const faultAlerts = Object.values(faults)
  .map((fault) => String.fromCharCode(alertOf(fault) + 1))
  .join("");

export function faultName(fault: Fault): FaultName {
  return ofFault(faultNames, fault) as FaultName;
}

/** Faults that no device finds: they are a server's, or of looking a certificate up. */
const ofOthers: readonly FaultName[] = Object.freeze([
  "MESSAGE_TOO_LONG",
  "NO_COMMON_SUITE",
  "NO_COMMON_GROUP",
  "NO_COMMON_SCHEME",
  "INAPPROPRIATE_FALLBACK",
  "NO_APPLICATION_PROTOCOL",
  "UNRECOGNIZED_NAME",
  "NO_RENEGOTIATION",
  "BINDER_MISMATCH",
  "CERTIFICATE_REQUIRED",
  "OCSP_LOOKUP_FAIL",
]);

/** Whether every device has words for it. Those for faults of CRLs are in a module of their own. */
export function isCommon(name: FaultName): boolean {
  return !isOfCrls(name) && !ofOthers.includes(name);
}

export function isOfCrls(name: FaultName): boolean {
  return name.startsWith("CRL_");
}

/** A word for each common fault, in the order of their numbers. */
export function commonWords(wordOf: (name: FaultName) => string): string {
  const names = (Object.keys(faults) as FaultName[]).filter((name) => !isOfCrls(name));
  return list(names.map((name) => (isCommon(name) ? wordOf(name) : "")));
}

export const commonNames = commonWords((name) => name);

/** The name of a common fault; "" for another one. */
export function commonName(fault: Fault): FaultName {
  return ofFault(commonNames, fault) as FaultName;
}

/** A fault's word, out of a list in the order of their numbers. */
export function ofFault(words: string, fault: Fault): string {
  return nth(words, (fault & 0xff) - 1);
}

/** Throws the fault unless something holds. */
export function expect(holds: boolean, fault: Fault): void {
  if (!holds) throw fault;
}

/** Whether something caught is one of our faults: nothing else may pass for one. */
export function isFault(thrown: unknown): thrown is Fault {
  if (typeof thrown !== "number") return false;
  const number = thrown & 0xff;
  return (faultAlerts.charCodeAt(number - 1) - 1) * 256 + number === thrown;
}

/** The number of the alert that tells the peer. */
export function alertOf(fault: Fault): number {
  return fault >> 8;
}

/** What `run` returns, or undefined when it ends with a fault: for bytes that may be anything. */
export function unlessFault<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (thrown) {
    if (isFault(thrown)) return undefined;
    throw thrown;
  }
}
