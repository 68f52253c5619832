/** Why a certificate has no staple, or no new one: the event `stapleError`. */

import { X509Certificate } from "node:crypto";
import { type Fault, type FaultName, isFault } from "../../../src/wire/index.js";
import { coded, tlsError } from "../common/errors.js";
import { type FetchCode, OcspFetchError } from "./http.js";

/** `code` of a StapleError: a fault's name for a response that does not count, an OcspFetchError's for none. */
export type StapleCode =
  | FaultName
  | FetchCode
  | "ERR_TLSTAPLE_STAPLE_ISSUER"
  | "ERR_TLSTAPLE_STAPLE_WAITING"
  | "ERR_TLSTAPLE_STAPLE_ELSEWHERE"
  | "ERR_TLSTAPLE_STAPLE_CLOSED"
  | "ERR_TLSTAPLE_STAPLE_AMBIGUOUS"
  | "ERR_TLSTAPLE_STAPLE_SOURCE";

/** What a StapleError says, without the certificate. */
export interface Why {
  readonly code: StapleCode;
  readonly text: string;
  /** The responder that was asked last. */
  readonly url?: string;
  readonly cause?: unknown;
}

export const noIssuer: Why = Object.freeze({
  code: "ERR_TLSTAPLE_STAPLE_ISSUER",
  text: "its issuer's certificate is neither in the chain nor given as `issuers` (-A of the command)",
});
export const noUrl: Why = Object.freeze({
  code: "ERR_TLSTAPLE_OCSP_URL",
  text: "the certificate names no OCSP responder",
});
export const waiting: Why = Object.freeze({
  code: "ERR_TLSTAPLE_STAPLE_WAITING",
  text: "the handshake went on without the response, which is still being fetched",
});
export const closed: Why = Object.freeze({
  code: "ERR_TLSTAPLE_STAPLE_CLOSED",
  text: "the Stapler is closed",
});
export const ambiguous: Why = Object.freeze({
  code: "ERR_TLSTAPLE_STAPLE_AMBIGUOUS",
  text: "Node does not tell whether this certificate is sent or another one of the server's",
});

/** Another server asked for all that share a store, in vain. */
export function elsewhere(): Error {
  const text = "another server of those that share the store has asked, and got no response that counts";
  return coded(new Error(text), "ERR_TLSTAPLE_STAPLE_ELSEWHERE");
}

/** Whoever has the staples threw or rejected. */
export function sourceFailed(cause: unknown): Why {
  const text = `the source of staples failed: ${(cause as Error | undefined)?.message ?? cause}`;
  return { code: "ERR_TLSTAPLE_STAPLE_SOURCE", text, cause };
}

/** What went wrong with a responder, or with a certificate that cannot be asked about. */
export function whyOf(error: unknown, url?: string): Why {
  if (isFault(error)) return whyFault(error, url);
  const { code, message } = error as Error & { code?: StapleCode };
  const text =
    url !== undefined && error instanceof OcspFetchError ? message.replace(`${url}: `, "") : message;
  return { code: code ?? "CERT_MALFORMED", text, url, cause: error };
}

function whyFault(fault: Fault, url: string | undefined): Why {
  const cause = tlsError(fault);
  return { code: cause.code, text: `${cause.code}: ${cause.message}`, url, cause };
}

/** A certificate for which nothing is stapled, or no newer response than before. No handshake fails for it. */
export class StapleError extends Error {
  override readonly name = "StapleError";
  readonly code: StapleCode;
  /** The certificate, in DER; `message` has its subject and serial number. */
  readonly certificate: Uint8Array;
  /** The responder that was asked last, if one was. */
  readonly url: string | undefined;
  /** Seconds since 1970 up to which the response of before is stapled; undefined: nothing is stapled. */
  readonly until: number | undefined;

  constructor(certificate: Uint8Array, { code, text, url, cause }: Why, until?: number) {
    const from = url === undefined ? "" : `${url}: `;
    const left =
      until === undefined
        ? ""
        : `; the response of before lasts until ${new Date(until * 1000).toISOString()}`;
    super(`${from}${text} (${nameOf(certificate)})${left}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.certificate = certificate;
    this.url = url;
    this.until = until;
  }
}

function nameOf(der: Uint8Array): string {
  try {
    const { serialNumber, subject } = new X509Certificate(der);
    return `${subject?.replaceAll("\n", ", ") ?? "no subject"}, serial ${serialNumber}`;
  } catch {
    return "what is no certificate";
  }
}
