import { alert, type FaultName } from "../../../src/wire/index.js";
import { type Advise, advice } from "../common/errors.js";

const clientBug = "The client breaks the protocol: update it, or look at the handshake with --trace.";
const noTls = "What connected does not speak TLS, or not with this server: is its port right?";
const retry = "Nothing to do if it stays rare; else the network or the client damages the connection.";
const clientChain = "Renew or mend the client's certificate chain.";
const badStaple = "The client staples a bad OCSP response: look at it with `tlstaple inspect`.";
const staleStaple = "Let the client fetch a fresh OCSP response; compare both clocks.";

/** `advice` as it reads at a server, whose peers are clients. */
const serverAdvice: Readonly<Record<FaultName, string>> = Object.freeze({
  ...advice,
  DECODE_ERROR: clientBug,
  UNEXPECTED_MESSAGE: clientBug,
  UNKNOWN_RECORD_TYPE: noTls,
  RECORD_VERSION: noTls,
  RECORD_OVERFLOW: "The client ignores the record size limit: allow larger records.",
  BAD_RECORD_MAC: retry,
  TOO_MANY_EMPTY_RECORDS: clientBug,
  MESSAGE_TOO_LONG:
    "The client's first message has more than 65,536 bytes: let it offer less, or no session's ticket.",
  ILLEGAL_PARAMETER: clientBug,
  CIPHER_SUITE: clientBug,
  KEY_SHARE: clientBug,
  UNSUPPORTED_EXTENSION: clientBug,
  EXTENSION_NOT_ALLOWED: clientBug,
  DUPLICATE_EXTENSION: clientBug,
  MISSING_EXTENSION: clientBug,
  EMS_REQUIRED: "Update the client, let it use TLS 1.3, or set requireEms to false.",
  RENEGOTIATION_INFO: clientBug,
  FINISHED_MISMATCH: retry,
  HANDSHAKE_SIGNATURE: "The client does not hold its certificate's key, or someone impersonates it.",
  SIGNATURE_SCHEME: clientBug,
  PEER_ALERT: "The client refused the connection: its log says why.",
  TRUNCATED: "The client went away, or closes without close_notify; do not trust a partial request.",
  HANDSHAKE_TIMEOUT: "The client does not answer in time: nothing to do, or raise handshakeTimeout.",
  NO_PEER_CERT: "Give the client a certificate.",
  CERT_MALFORMED: clientChain,
  CERT_SIGNATURE: "The chain was altered or put together wrongly: install it again at the client.",
  CERT_ALGORITHM_MISMATCH: clientChain,
  CERT_EXTENDED_KEY_USAGE: "Have the client's certificate issued with extendedKeyUsage clientAuth.",
  CERT_UNKNOWN_ISSUER:
    "Give the root CA of the clients as ca (-A), and let the client send its intermediate certificates.",
  CERT_CHAIN_TOO_LONG: "Let the client send only the certificates of its own chain.",
  NO_CLOCK: "Set the clock: without it no client can be verified.",
  OCSP_MALFORMED: badStaple,
  OCSP_NOT_SUCCESSFUL: "The client stapled its responder's error: look at the responder.",
  OCSP_UNKNOWN_TYPE: badStaple,
  OCSP_CERT_REVOKED: "Let the client in no more: its certificate was withdrawn.",
  CRL_CERT_REVOKED: "Let the client in no more: its certificate was withdrawn.",
  CRL_EXPIRED: "Fetch the CA's newest CRL and hand it to setCrl; check this machine's clock.",
  OCSP_CERT_UNKNOWN: "Check that the client asks the responder of the CA that issued its certificate.",
  OCSP_WRONG_CERT: "Let the client staple the response for the certificate that it uses.",
  OCSP_SIGNATURE: badStaple,
  OCSP_TIME: badStaple,
  OCSP_EXPIRED: staleStaple,
  OCSP_NOT_YET_VALID: staleStaple,
  OCSP_CRITICAL_EXTENSION: badStaple,
  OCSP_STAPLE_MISSING: "Few clients can staple: set ocsp.policy to if-present unless yours do.",
});

const distrust =
  "The client refused the server's certificate: it must know the root CA; send the whole chain as cert (-c).";
const noStaple = "The client refused to go on without a good OCSP response: see what the stapler says.";

/** Alerts of clients that tell more than that they refused. */
const alertAdvice: Readonly<Record<number, string>> = Object.freeze({
  [alert.bad_certificate_status_response]: noStaple,
  [alert.certificate_expired]:
    "The client refused the certificate as expired: renew it; compare both clocks.",
  [alert.certificate_unknown]: distrust,
  [alert.protocol_version]:
    "The client refused the TLS version: allow others with minVersion and maxVersion (-v).",
  [alert.unknown_ca]: distrust,
});

/** What a server's user can do about a fault. */
export const adviseServer: Advise = (code, detail) =>
  (code === "PEER_ALERT" ? alertAdvice[detail] : undefined) ?? serverAdvice[code];
