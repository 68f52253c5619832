import { alertOf, type Fault, type FaultName, faultName, faults } from "./fault.js";
import { list } from "./list.js";
import { alert } from "./registry.js";

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

/** Each alert's number and name, as one string, which takes a device less than a table. */
export const alertNames = `\n${list(Object.entries(alert).map(([name, number]) => `${number} ${name}`))}`;

/** An alert by its number; of one that TLS does not know the name is `alert_255`. */
export function namedAlert(number: number): Alert {
  const before = `\n${number} `;
  const at = alertNames.indexOf(before);
  if (at < 0) return { number, name: `alert_${number}` };
  const start = at + before.length;
  return { number, name: alertNames.slice(start, alertNames.indexOf("\n", start)) };
}

/** What a host says of faults. */
export interface Words {
  /** The error's message; `detail` is that of `TlsError`, here and below. */
  message(fault: Fault, detail: number): string;
  /** wolfSSL's error for the same thing, where there is one. */
  wolfssl(fault: Fault): WolfsslError | undefined;
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

  /** Without `words`, the message is the fault's name. */
  constructor(fault: Fault, detail = 0, cause?: unknown, words?: Words) {
    const code = faultName(fault);
    super(words ? words.message(fault, detail) : code, cause === undefined ? undefined : { cause });
    this.code = code;
    this.alert = namedAlert(fault === faults.PEER_ALERT ? detail : alertOf(fault));
    this.wolfssl = words?.wolfssl(fault);
    this.detail = detail;
    this.advice = words ? words.advice(code, detail) : "";
  }
}
