import { demand } from "../wire/demand.js";
import type { Authority } from "./path.js";

/** How staples are asked for. */
export type Stapling = "off" | "v1" | "v2" | "v2-multi";

/** All ways of a client; a server has the first two to ask a client. */
export const staplings: readonly Stapling[] = Object.freeze(["off", "v1", "v2", "v2-multi"]);
export const serverStaplings = Object.freeze(["off", "v1"] as const);

/** Which certificates need a good staple. One that is present is always checked. */
export type OcspRequirement = "if-present" | "leaf" | "chain";

/** By rising demands. */
export const requirements: readonly OcspRequirement[] = Object.freeze(["if-present", "leaf", "chain"]);

/** Whether a nonce is asked for (RFC 9654): not at all, to be repeated where there is one, or demanded. */
export type Nonce = false | "if-present" | true;

export const nonces: readonly Nonce[] = Object.freeze([false, "if-present", true]);

/** What a response is measured by, beside the certificate and its issuer. */
export interface OcspPolicy {
  /** Seconds by which the clocks of responder and verifier may differ. */
  readonly skew: number;
  /** Seconds after thisUpdate when a response counts as stale, nextUpdate or not; no limit when absent. */
  readonly maxAge?: number;
  /** Accept a response without nextUpdate. Nothing but `maxAge` then ends its life. */
  readonly allowMissingNextUpdate: boolean;
  /** Responders trusted by configuration for every certificate, besides the issuer and its delegates: RFC 6960 4.2.2.2. */
  readonly responders: readonly Authority[];
  /** With "if-present" a response without the verifier's nonce counts too; one with another never does. */
  readonly nonce?: Nonce;
}

/** The same, and which certificates of a path need a response. */
export interface StaplePolicy extends OcspPolicy {
  /** When "off", none is needed: nobody was asked for it. */
  readonly stapling: Stapling;
  readonly policy: OcspRequirement;
  /** Honour a certificate's demand for a staple (RFC 7633). */
  readonly mustStaple?: boolean;
}

/** How a client asks for revocation, and judges it. */
export interface OcspOptions extends StaplePolicy {
  /**
   * "v1": status_request (RFC 6066 section 8; in TLS 1.3 a staple for each certificate, RFC 8446 4.4.2.1).
   * "v2" and "v2-multi": status_request_v2 (RFC 6961) in TLS 1.2, with a staple for the server's certificate, or
   * for each. A client that offers TLS 1.3 too offers status_request beside it, the only one that TLS 1.3 knows.
   */
  readonly stapling: Stapling;
  /** Offer status_request beside status_request_v2 in any case: a server of TLS 1.2 chooses one of them. */
  readonly alsoV1: boolean;
  readonly mustStaple: boolean;
  /**
   * Send a nonce of 32 bytes (RFC 9654). "if-present": a staple that has a nonce must have this one. True: every
   * staple must have it, which takes a server that forwards it; few do.
   */
  readonly nonce: Nonce;
}

/** How a server judges clients' certificates. */
export interface ClientOcspOptions extends Omit<StaplePolicy, "nonce"> {
  /** Ask the client to staple in TLS 1.3 (RFC 8446 4.3.2). */
  readonly stapling: (typeof serverStaplings)[number];
  /** Honour the demand of a client's certificate too; in TLS 1.2 no client can meet it. */
  readonly mustStaple: boolean;
}

export const defaultOcsp: OcspOptions = Object.freeze({
  stapling: "v1",
  alsoV1: false,
  policy: "if-present",
  mustStaple: true,
  nonce: false,
  skew: 900,
  maxAge: undefined,
  allowMissingNextUpdate: false,
  responders: Object.freeze([]),
});

/** A server's defaults. */
export const defaultClientOcsp: ClientOcspOptions = Object.freeze({
  stapling: "off",
  policy: "if-present",
  mustStaple: false,
  skew: 900,
  maxAge: undefined,
  allowMissingNextUpdate: false,
  responders: Object.freeze([]),
});

/** Whether what meets `policy` meets the `other` one too. */
export function satisfies(policy: OcspRequirement, other: OcspRequirement): boolean {
  return requirements.indexOf(policy) >= requirements.indexOf(other);
}

/** Whether a policy requires a staple for the certificate at `position` of a path, the leaf being 0. */
export function requires(policy: OcspRequirement, position: number): boolean {
  return policy === "chain" || (policy === "leaf" && position === 0);
}

/** The greatest requirement that is met when of `length` certificates of a path the first `stapled` have a staple. */
export function metBy(stapled: number, length: number): OcspRequirement {
  return stapled === length ? "chain" : stapled > 0 ? "leaf" : "if-present";
}

/** Whether a response must have a nonce: with "if-present" one that has none counts too. */
export function requiresNonce(policy: OcspPolicy): boolean {
  return policy.nonce !== "if-present";
}

/** Whether that asks by status_request_v2. */
export function isV2(stapling: Stapling): boolean {
  return stapling === "v2" || stapling === "v2-multi";
}

/** Refuses what can't be of a client's options: a word that is not known must not pass for the mildest one. */
export function checkOcsp(ocsp: OcspOptions): void {
  const { stapling, alsoV1, nonce } = ocsp;
  checkCommon(ocsp, staplings);
  demand(!alsoV1 || isV2(stapling), 'ocsp.alsoV1: only beside "v2" or "v2-multi"');
  checkWord("nonce", nonce, nonces);
  demand(
    stapling !== "off" || (ocsp.policy === "if-present" && !nonce),
    "ocsp.stapling is off, so no staple can be demanded and no nonce asked for",
  );
}

/** The same for a server's. */
export function checkClientOcsp(ocsp: ClientOcspOptions): void {
  checkCommon(ocsp, serverStaplings);
  demand(
    ocsp.stapling !== "off" || (ocsp.policy === "if-present" && !ocsp.mustStaple),
    "ocsp.stapling is off, so no staple can be demanded",
  );
}

function checkCommon(ocsp: StaplePolicy, known: readonly Stapling[]): void {
  const { stapling, policy, skew, maxAge } = ocsp;
  checkWord("stapling", stapling, known);
  checkWord("policy", policy, requirements);
  demand(skew >= 0, "ocsp.skew: seconds, not negative");
  demand(maxAge === undefined || maxAge >= 0, "ocsp.maxAge: seconds, not negative");
}

function checkWord<T extends string | boolean>(name: string, word: T, known: readonly T[]): void {
  if (known.includes(word)) return;
  const words = known.map((each) => JSON.stringify(each));
  const last = words.pop();
  demand(false, `ocsp.${name}: ${words.join(", ")} or ${last}`);
}
