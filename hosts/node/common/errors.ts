import {
  alertName,
  type Fault,
  type FaultName,
  faultName,
  isFault,
  TlsError,
  texts,
  type Words,
  wolfsslError,
} from "../../../src/wire/index.js";

/** Says what to do about a fault; `detail` is that of `TlsError`. */
export type Advise = Words["advice"];

/** The error of a fault, as Node tells it; `advise` may know more than the fault alone. */
export function tlsError(fault: Fault, detail = 0, cause?: unknown, advise: Advise = adviseUser): TlsError {
  return new TlsError(fault, detail, cause, { name: faultName, message, wolfssl, alertName, advice: advise });
}

/** What was caught as an error for a user: faults are for the inside. */
export function asError(thrown: unknown): unknown {
  return isFault(thrown) ? tlsError(thrown) : thrown;
}

function wolfssl(fault: Fault) {
  return wolfsslError(faultName(fault));
}

function message(fault: Fault, detail: number): string {
  const code = faultName(fault);
  const text = texts[code];
  if (code === "PEER_ALERT") return `${text}: ${alertName(detail)} (${detail})`;
  return detail > 0 ? `${text}: ${detail} bytes` : text;
}

const adviseUser: Advise = (code) => advice[code];

const retry = "Try again; if it persists, the network or the server damages the connection.";
const serverBug = "The server breaks the protocol: update it, or look at the handshake with --trace.";
const serverChain = "Renew or mend the server's certificate chain.";
const staleStaple = "Let the server fetch a fresh OCSP response; compare both clocks.";
const badCrl = "The CRL is bad: look at it with `tlstaple inspect`, or fetch it again.";
const badStaple = "The server staples a bad OCSP response: look at it with `tlstaple inspect`.";

/** What to do about each fault, one line each. */
export const advice: Readonly<Record<FaultName, string>> = Object.freeze({
  DECODE_ERROR: serverBug,
  UNEXPECTED_MESSAGE: serverBug,
  UNKNOWN_RECORD_TYPE: "Check host and port: what answers there does not speak TLS.",
  RECORD_VERSION: "Check host and port: what answers there does not speak TLS.",
  RECORD_OVERFLOW: "The server ignores the record size limit: allow larger records.",
  BAD_RECORD_MAC: retry,
  TOO_MANY_EMPTY_RECORDS: serverBug,
  KEY_EXHAUSTED: "Connect again for new keys, or use TLS 1.3, which renews them by itself.",
  BUFFER_TOO_SMALL: "Raise buffers.input to the size named, or negotiate a smaller record size limit.",
  MESSAGE_TOO_LONG: serverBug,
  OUTPUT_TOO_SMALL: "Raise buffers.output.",
  STORE_TOO_SMALL: "Raise buffers.store to the size named.",
  PROTOCOL_VERSION: "Server and client have no TLS version in common: check minVersion and maxVersion.",
  DOWNGRADE: "Someone on the path may be forcing an older TLS version: do not go on.",
  ILLEGAL_PARAMETER: serverBug,
  CIPHER_SUITE: serverBug,
  KEY_SHARE: serverBug,
  UNSUPPORTED_EXTENSION: serverBug,
  EXTENSION_NOT_ALLOWED: serverBug,
  DUPLICATE_EXTENSION: serverBug,
  MISSING_EXTENSION: serverBug,
  EMS_REQUIRED: "Update the server, use TLS 1.3, or set requireEms to false.",
  RENEGOTIATION_INFO: "The server, or something between you and it, confuses connections; do not trust it.",
  NO_COMMON_SUITE: "Compare the cipher suites of both sides; TLS 1.2 needs ECDHE with an AEAD.",
  NO_COMMON_GROUP: "Compare the key exchange groups of both sides.",
  NO_COMMON_SCHEME: "Give the server a certificate with a key of a kind that its clients know.",
  INAPPROPRIATE_FALLBACK:
    "Someone on the path may be forcing an older TLS version, or the client retries wrongly.",
  NO_APPLICATION_PROTOCOL: "Compare the ALPN protocols of both sides.",
  UNRECOGNIZED_NAME: "Connect by a name that the server has a certificate for, or give it one.",
  NO_RENEGOTIATION: "Let the client open a new connection, or use TLS 1.3.",
  BINDER_MISMATCH: "Let the client forget its tickets; if it persists, the client is broken or hostile.",
  FINISHED_MISMATCH: retry,
  HANDSHAKE_SIGNATURE: "The peer does not hold its certificate's key, or someone impersonates it.",
  SIGNATURE_SCHEME: serverBug,
  PEER_ALERT: "The server refused the connection: its log says why.",
  TRUNCATED:
    "The connection broke, or the server closes without close_notify; do not trust a partial answer.",
  INTERNAL_ERROR: "Please report this, with the error's cause.",
  HANDSHAKE_TIMEOUT: "The server does not answer in time: check it, or raise handshakeTimeout.",
  NO_PEER_CERT: "Give the server a certificate.",
  CERTIFICATE_REQUIRED: "Give the client a certificate that the server's CAs have issued.",
  CERT_MALFORMED: serverChain,
  CERT_SIGNATURE: "The chain was altered or put together wrongly: install it again on the server.",
  CERT_SIGNATURE_ALGORITHM: "Have the certificate issued again with SHA-256 or better.",
  CERT_ALGORITHM_MISMATCH: serverChain,
  CERT_KEY:
    "Have the certificate issued for RSA of 2048 bits or more, P-256, P-384, P-521, Ed25519 or Ed448; in TLS 1.2, offer its curve in groups.",
  CERT_NOT_YET_VALID: "Set this machine's clock, or wait until the certificate begins.",
  CERT_EXPIRED: "Renew the certificate; check this machine's clock.",
  CERT_CRITICAL_EXTENSION: "Have the certificate issued without the extension that is not understood.",
  CERT_KEY_USAGE: "Have the certificate issued with keyUsage digitalSignature.",
  CERT_EXTENDED_KEY_USAGE:
    "Have the certificate issued with extendedKeyUsage serverAuth, or clientAuth for a client. A CA, the root too, must allow the same.",
  CERT_NOT_CA: "Have the certificate issued by a CA: its issuer is not one.",
  CERT_CA_KEY_USAGE: "The issuing CA's certificate must have keyUsage keyCertSign.",
  CERT_PATH_LENGTH: "The issuing CA may not have a CA below it: use another chain.",
  CERT_NAME_CONSTRAINTS: "The issuing CA is not allowed to certify this name: use another CA.",
  CERT_UNKNOWN_ISSUER:
    "Give the server's root CA as ca (-A), and let the server send its intermediate certificates.",
  CERT_CHAIN_TOO_LONG: "Let the server send only the certificates of its own chain.",
  CERT_NAME_MISMATCH: "Connect by a name in the certificate, or give it as servername (-S).",
  CERT_IP_MISMATCH: "Have the address put in the certificate, or give a name in it as servername (-S).",
  NO_CLOCK: "Set the clock before connecting.",
  OCSP_MALFORMED: badStaple,
  OCSP_NOT_SUCCESSFUL: "The server stapled its responder's error: look at the responder.",
  OCSP_UNKNOWN_TYPE: badStaple,
  OCSP_CERT_REVOKED: "Do not go on: the certificate was withdrawn. The server needs a new one.",
  OCSP_CERT_UNKNOWN: "Check that the server asks the responder of the CA that issued its certificate.",
  OCSP_WRONG_CERT: "Let the server staple the response for the certificate that it uses.",
  OCSP_RESPONDER: "Let the CA delegate that responder (EKU OCSPSigning), or list it in ocsp.responders.",
  OCSP_SIGNATURE: badStaple,
  OCSP_SIGNATURE_ALGORITHM: "Let the responder sign with SHA-256 or better.",
  OCSP_TIME: badStaple,
  OCSP_EXPIRED: staleStaple,
  OCSP_NOT_YET_VALID: staleStaple,
  OCSP_NO_NEXT_UPDATE:
    "Let the responder set nextUpdate (-nmin, -ndays), or set ocsp.allowMissingNextUpdate.",
  OCSP_CRITICAL_EXTENSION: badStaple,
  OCSP_NONCE: 'Few servers pass a nonce on to the responder: set ocsp.nonce to "if-present" (--nonce).',
  OCSP_STAPLE_MISSING: "Turn OCSP stapling on at the server; some staple only from the second connection on.",
  OCSP_LOOKUP_FAIL:
    "Check that the responder can be reached (the error's cause says more), or give overrideUrl.",
  CONNECT_FAILED: "Check address, port and network.",
  CALLBACK_FAILED: "Mend what the error's cause names.",
  CRL_MALFORMED: badCrl,
  CRL_CERT_REVOKED: "Do not go on: the certificate was withdrawn. The server needs a new one.",
  CRL_MISSING:
    "Add the newest CRL of each CA on the path, the root's too, to crl (--crl), or let crlPolicy demand less.",
  CRL_SCOPE:
    "Give the CRL for this kind of certificate, or for its distribution point, as the certificate names it.",
  CRL_KEY_USAGE: "The CA's certificate must have keyUsage cRLSign, or none.",
  CRL_SIGNATURE: "The CRL was altered, or is of another CA of the same name: fetch it again.",
  CRL_SIGNATURE_ALGORITHM: "Let the CA sign its CRL with SHA-256 or better.",
  CRL_ALGORITHM_MISMATCH: badCrl,
  CRL_TIME: badCrl,
  CRL_EXPIRED: "Fetch the CA's newest CRL; check this machine's clock.",
  CRL_NOT_YET_VALID: "Check this machine's clock, or the CA's.",
  CRL_NO_NEXT_UPDATE:
    "Let the CA set nextUpdate (openssl ca -gencrl -crldays), without which no CRL ever ends.",
  CRL_CRITICAL_EXTENSION: "Have the CRL issued without the extension that is not understood.",
  CRL_INDIRECT: "Give the CRL that the CA itself signs for its own certificates.",
  CRL_DELTA: "Give the complete CRL instead.",
  CRL_SOME_REASONS: "Give a CRL for all reasons.",
});

/** An option of the wrong type. */
export function typeError(name: string, expected: string): TypeError {
  return coded(new TypeError(`option ${name} must be ${expected}`), "ERR_TLSTAPLE_OPTION_TYPE");
}

/** An option of the right type whose value is not possible. */
export function valueError(name: string, problem: string): RangeError {
  return coded(new RangeError(`option ${name}: ${problem}`), "ERR_TLSTAPLE_OPTION_VALUE");
}

/** An option that would change the security of the connection if it were known; it is not ignored. */
export function unsupportedError(name: string, advice: string): TypeError {
  return coded(
    new TypeError(`option ${name} is not supported: ${advice}`),
    "ERR_TLSTAPLE_OPTION_UNSUPPORTED",
  );
}

/** A method or event of node:tls that there is none of here; silence would be taken for its work. */
export function unsupportedMember(name: string, advice: string): TypeError {
  return coded(new TypeError(`${name} is not supported: ${advice}`), "ERR_TLSTAPLE_UNSUPPORTED");
}

/** An argument of a method that can't be. */
export function argumentError(problem: string): RangeError {
  return coded(new RangeError(problem), "ERR_TLSTAPLE_ARGUMENT");
}

/** Gives an error a `code`, as Node's own have. */
export function coded<E extends Error>(error: E, code: string): E {
  return Object.assign(error, { code });
}
