/** The client's own verifier of OCSP responses, for a response that is all at hand. */

import { type OcspPolicy, Staple, StapleVerifier, Store } from "../../../src/pki/index.js";
import { type Fault, isFault } from "../../../src/wire/index.js";
import { provider } from "../provider.js";
import type { Subject } from "./subject.js";

/** What came of it. */
export interface Judgment {
  /** What the response says. `status` is there only when it can be believed: the signature, and all before it, held. */
  readonly staple: Staple;
  /** When the signer's right to answer ends, seconds since 1970; Infinity when no date says so. */
  readonly signerUntil: number;
  /** Why the certificate must not be accepted: the response does not count, or says so. */
  readonly fault: Fault | undefined;
}

/**
 * Judges a response in DER about a certificate, at `now`, seconds since 1970. With `nonce` the response must
 * repeat it, unless the policy lets it do without. Never throws for what the response says.
 */
export function judge(
  response: Uint8Array,
  { certificate, issuer }: Pick<Subject, "certificate" | "issuer">,
  policy: OcspPolicy,
  now: number,
  nonce?: Uint8Array,
): Judgment {
  const store = new Store(new Uint8Array(response.length));
  const staple = new Staple();
  const verifier = new StapleVerifier(provider, store);
  verifier.nonce = nonce;
  staple.take(store, response, 0, response.length);
  const fault = refusal(() => {
    while (!verifier.settle(staple, certificate, issuer, policy, now));
  });
  const signerUntil = staple.delegated ? verifier.delegate.notAfter : Number.POSITIVE_INFINITY;
  return { staple, signerUntil, fault };
}

function refusal(run: () => void): Fault | undefined {
  try {
    run();
    return undefined;
  } catch (fault) {
    if (isFault(fault)) return fault;
    throw fault;
  }
}

/** Whether the response counts and answers the question: "unknown" is as good as no answer. */
export function answers({ staple: { status } }: Judgment): boolean {
  return status === "good" || status === "revoked";
}
