import type { X509Certificate } from "node:crypto";
import type { OcspPolicy, OcspRequirement } from "../../../src/pki/index.js";
import { faults } from "../../../src/wire/index.js";
import { typeError, valueError } from "../common/errors.js";
import type { Read, SchemaOf } from "../common/read.js";
import type { OcspFetch } from "../ocsp/http.js";
import { checkChain, type LookupOptions } from "../ocsp/lookup.js";
import { responderUrl } from "../ocsp/settings.js";
import { readSubject } from "../ocsp/subject.js";
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

const fetching: Read<boolean | OcspFetch> = (value, name) => {
  if (typeof value === "boolean" || typeof value === "function") return value as boolean | OcspFetch;
  throw typeError(name, "a boolean or a function");
};

/** How a choice is read. */
export const lookupSchema = { lookup: fetching, overrideUrl: responderUrl } satisfies SchemaOf<LookupChoice>;

/** The option `ocsp`, read, as far as it matters here. */
interface OcspChoice extends LookupChoice {
  readonly policy?: OcspRequirement;
}

/** What the core has of the option `ocsp`. Where certificates are looked up, a staple is not the only way to meet `policy`. */
export function coreOcsp<O extends OcspChoice>({ lookup, overrideUrl, ...ocsp }: O) {
  return lookup ? { ...ocsp, policy: "if-present" as const } : ocsp;
}

/** What comes of a choice; what is looked up is judged as strictly as the core's `config` has it for staples. */
export function inquirySettings(
  { lookup, overrideUrl, policy }: OcspChoice,
  config: { readonly ocsp: OcspPolicy; readonly clock: InquirySettings["clock"] },
  asking: Pick<LookupOptions, "nonce" | "cache">,
): InquirySettings | undefined {
  if (overrideUrl !== undefined && !lookup) throw valueError("ocsp.overrideUrl", "only with ocsp.lookup");
  if (!lookup) return undefined;
  return {
    ...asking,
    overrideUrl,
    fetch: typeof lookup === "function" ? lookup : undefined,
    policy: config.ocsp,
    requirement: policy ?? "if-present",
    clock: config.clock,
  };
}

/** How a connection looks certificates up that came without a staple. */
export interface InquirySettings extends LookupOptions {
  /**
   * Which certificates must be known to be good: with "chain" each, otherwise the peer's own; with "if-present" not one
   * that is itself a root that is trusted and names no responder, as nobody else can revoke it.
   */
  readonly requirement: OcspRequirement;
}

/** Verdicts by staple and by lookup, and the reason to refuse the peer, if there is one. */
export interface Finding {
  readonly verdicts: OcspVerdict[];
  readonly refusal: Refusal | undefined;
}

/**
 * Asks the responders of the certificates that need a good answer and have no staple of this connection's. `chain`
 * ends with the root, which is trusted by itself.
 */
export async function inquire(
  chain: readonly X509Certificate[],
  staples: readonly OcspVerdict[],
  { requirement, ...options }: InquirySettings,
): Promise<Finding> {
  if (requirement === "if-present" && isSilentRoot(chain))
    return { verdicts: [...staples], refusal: undefined };
  const needed = requirement === "chain" ? Math.max(1, chain.length - 1) : 1;
  const positions = Array.from({ length: needed }, (_, i) => i).filter(
    (i) => staples[i]?.status !== "good" || staples[i].resumed,
  );
  const pairs = positions.map((i) => ({ certificate: chain[i].raw, issuer: (chain[i + 1] ?? chain[i]).raw }));
  const results = await checkChain(pairs, options);
  const verdicts = [...staples];
  positions.forEach((position, i) => {
    verdicts[position] = results[i].verdict;
  });
  const bad = results.find(({ fault }) => fault !== undefined);
  return { verdicts, refusal: bad?.fault && { fault: faults[bad.fault], cause: bad.cause } };
}

/** Whether the peer's own certificate is the anchor of its chain, signed by itself, and names no responder. */
function isSilentRoot([own, ...others]: readonly X509Certificate[]): boolean {
  const { raw } = own;
  return (
    others.length === 0 &&
    own.checkIssued(own) &&
    readSubject({ certificate: raw, issuer: raw }).urls.length === 0
  );
}
