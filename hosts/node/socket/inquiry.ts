import type { X509Certificate } from "node:crypto";
import type { OcspRequirement } from "../../../src/client/index.js";
import { faults } from "../../../src/wire/index.js";
import { typeError, valueError } from "../common/errors.js";
import type { Schema } from "../common/read.js";
import type { OcspFetch } from "../ocsp/http.js";
import { checkChain, type LookupOptions } from "../ocsp/lookup.js";
import { responderUrl } from "../ocsp/settings.js";
import type { OcspVerdict } from "../ocsp/verdict.js";
import type { Refusal } from "./secure-socket.js";

/** What the option `ocsp` says of looking certificates up, at either side. */
export interface LookupChoice {
  /**
   * Ask the responder of a certificate that `policy` names, or else of the peer's own, when no staple came for it.
   * It must answer "good", or the connection fails; no URL is no answer. `true` asks by HTTP; a function fetches
   * otherwise.
   */
  readonly lookup?: boolean | OcspFetch;
  /** The responder to ask, in place of those that the certificates name; only with `lookup`. */
  readonly overrideUrl?: string;
}

/** How a choice is read. */
export const lookupSchema: Schema<LookupChoice> = {
  lookup: (value, name) => {
    if (typeof value === "boolean" || typeof value === "function") return value as boolean | OcspFetch;
    throw typeError(name, "a boolean or a function");
  },
  overrideUrl: responderUrl,
};

/** What comes of a choice. */
export function inquirySettings(
  { lookup, overrideUrl }: LookupChoice,
  settings: InquirySettings,
): InquirySettings | undefined {
  if (overrideUrl !== undefined && !lookup) throw valueError("ocsp.overrideUrl", "only with ocsp.lookup");
  if (!lookup) return undefined;
  return { ...settings, overrideUrl, fetch: typeof lookup === "function" ? lookup : undefined };
}

/** How a connection looks certificates up that came without a staple. */
export interface InquirySettings extends LookupOptions {
  /** Which certificates must be known to be good: with "chain" each, otherwise the peer's own. */
  readonly requirement: OcspRequirement;
}

/** Verdicts by staple and by lookup, and the reason to refuse the peer, if there is one. */
export interface Finding {
  readonly verdicts: OcspVerdict[];
  readonly refusal: Refusal | undefined;
}

/**
 * Asks the responders of the certificates that need a good answer and have no staple. `chain` ends with the
 * root, which is trusted by itself.
 */
export async function inquire(
  chain: readonly X509Certificate[],
  staples: readonly OcspVerdict[],
  { requirement, ...options }: InquirySettings,
): Promise<Finding> {
  const needed = requirement === "chain" ? Math.max(1, chain.length - 1) : 1;
  const positions = Array.from({ length: needed }, (_, i) => i).filter((i) => staples[i]?.status !== "good");
  const pairs = positions.map((i) => ({ certificate: chain[i].raw, issuer: (chain[i + 1] ?? chain[i]).raw }));
  const results = await checkChain(pairs, options);
  const verdicts = [...staples];
  positions.forEach((position, i) => {
    verdicts[position] = results[i].verdict;
  });
  const bad = results.find(({ fault }) => fault !== undefined);
  return { verdicts, refusal: bad?.fault && { fault: faults[bad.fault], cause: bad.cause } };
}
