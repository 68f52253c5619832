import type { X509Certificate } from "node:crypto";
import type { OcspRequirement } from "../../src/client/options.js";
import { checkChain, type LookupOptions } from "./ocsp/lookup.js";
import type { Refusal } from "./secure-socket.js";
import type { OcspVerdict } from "./verdict.js";

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
  return { verdicts, refusal: bad?.fault && { fault: bad.fault, cause: bad.cause } };
}
