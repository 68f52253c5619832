import { type Fault, faults } from "../../src/wire/index.js";

/** Faults that no TLS peer causes, so the core does not know them. */
export const socketFaults = Object.freeze({
  CONNECT_FAILED: Object.freeze<Fault>({
    name: "CONNECT_FAILED",
    alert: 0,
    text: "the TCP connection was not made",
  }),
  CALLBACK_FAILED: Object.freeze<Fault>({
    name: "CALLBACK_FAILED",
    alert: faults.INTERNAL_ERROR.alert,
    text: "a callback of the application threw",
  }),
});

/** Why a connection failed. */
export class TlsError extends Error {
  override readonly name = "TlsError";
  /** The fault's stable name, such as `OCSP_CERT_REVOKED`. */
  readonly fault: string;
  /** With `PEER_ALERT` the alert that the server sent, otherwise the one that it was sent. */
  readonly alert: number;
  /** wolfSSL's number for the same error, or 0. */
  readonly wolfssl: number;
  /** With `BUFFER_TOO_SMALL` and `STORE_TOO_SMALL` the bytes needed, else 0. */
  readonly detail: number;

  constructor(fault: Fault, detail = 0, cause?: unknown) {
    super(describe(fault, detail));
    const alerted = fault === faults.PEER_ALERT;
    this.fault = fault.name;
    this.alert = alerted ? detail : fault.alert;
    this.wolfssl = fault.wolfssl?.code ?? 0;
    this.detail = alerted ? 0 : detail;
    if (cause !== undefined) this.cause = cause;
  }
}

/** The name comes first: it is what to look up, and some clients pass on nothing but the text. */
function describe(fault: Fault, detail: number): string {
  const number = detail > 0 ? ` (${detail})` : "";
  return `${fault.name}: ${fault.text}${number}`;
}
