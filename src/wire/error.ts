import { alertOf, commonName, type Fault, type FaultName, faults } from "./fault.js";

/** A TLS alert, RFC 8446 section 6. */
export interface Alert {
  readonly number: number;
  readonly name: string;
}

/** An error of wolfSSL, as its headers have it. */
export interface WolfsslError {
  readonly number: number;
  readonly name: string;
}

/** An alert's name where it is not known. */
export function unknownAlert(number: number): string {
  return `alert_${number}`;
}

/** What a host says of faults. */
export interface Words {
  /** The fault's name, where that is known of more than the common ones. */
  name?(fault: Fault): FaultName;
  /** The error's message; `detail` is that of `TlsError`, here and below. */
  message(fault: Fault, detail: number): string;
  /** wolfSSL's error for the same thing, where there is one. */
  wolfssl(fault: Fault): WolfsslError | undefined;
  /** The name of an alert; "alert_255" if TLS does not know it. */
  alertName(number: number): string;
  /** One line on what to do about it, or "". */
  advice(code: FaultName, detail: number): string;
}

/** Why a TLS connection failed; the same on every host, but for the words. `code` is stable and fit for `switch`. */
export class TlsError extends Error {
  override readonly name = "TlsError";
  /** The fault's name, such as `OCSP_CERT_REVOKED`. */
  readonly code: FaultName;
  /** With `PEER_ALERT` the alert that the peer sent, otherwise the one that it was sent. */
  readonly alert: Alert;
  /** wolfSSL's error for the same thing, where there is one and the host knows it. */
  readonly wolfssl: WolfsslError | undefined;
  /** With `BUFFER_TOO_SMALL` and `STORE_TOO_SMALL` the bytes needed, with `PEER_ALERT` the alert's number, else 0. */
  readonly detail: number;
  /** One line on what to do about it, or "" where the host has none. */
  readonly advice: string;

  /** Without `words`, the message is the fault's name, and an alert has none but its number. */
  constructor(fault: Fault, detail = 0, cause?: unknown, words?: Words) {
    const code = words?.name ? words.name(fault) : commonName(fault);
    const number = fault === faults.PEER_ALERT ? detail : alertOf(fault);
    super(words ? words.message(fault, detail) : code, cause === undefined ? undefined : { cause });
    this.code = code;
    this.alert = { number, name: words ? words.alertName(number) : unknownAlert(number) };
    this.wolfssl = words?.wolfssl(fault);
    this.detail = detail;
    this.advice = words ? words.advice(code, detail) : "";
  }
}
