/** Direct lookup: asking a certificate's responder while connecting, in place of a staple. Always opt-in. */

import { randomBytes } from "node:crypto";
import type { Verdict } from "../../../src/client/index.js";
import { answers, everything, judge, type Nonce, type OcspPolicy, Staple } from "../../../src/pki/index.js";
import { type Fault, type FaultName, faultName, faults, given, isFault } from "../../../src/wire/index.js";
import { asError } from "../common/errors.js";
import { provider } from "../provider.js";
import { type Answer, type Attempt, ask, urlsOf } from "./ask.js";
import { isFresh, keep } from "./entry.js";
import type { FetchOptions } from "./http.js";
import { Lru } from "./lru.js";
import { digest, type Pair, readSubject, type Subject, serialOf } from "./subject.js";
import { type OcspVerdict, toVerdict } from "./verdict.js";

/** A line for a log: that a responder was told of our interest in a certificate. */
export interface LookupReport {
  readonly url: string;
  /** Hexadecimal. */
  readonly serialNumber: string;
  /** "good", "revoked", the fault of a response that does not count, or the `code` of an OcspFetchError. */
  readonly outcome: string;
  readonly milliseconds: number;
}

export interface LookupOptions extends Pick<FetchOptions, "maxBytes" | "signal" | "get" | "fetch"> {
  /** The responder to ask, in place of those that the certificates name. */
  readonly overrideUrl?: string;
  /** What responses are measured by; as the client's where nothing is given. */
  readonly policy?: Partial<Omit<OcspPolicy, "nonce">>;
  /**
   * Send a nonce of 32 bytes (RFC 9654). "if-present": a response that has a nonce must have this one. True: every
   * response must. False by default.
   */
  readonly nonce?: Nonce;
  /** Answers that were had before are taken from here until they end; not with a nonce, which asks for a new one. */
  readonly cache?: LookupCache;
  /** Milliseconds for all of it; 5,000 by default. */
  readonly timeout?: number;
  /** Seconds since 1970. */
  readonly clock?: () => number | undefined;
  /** Called after each responder that was asked. */
  readonly onLookup?: (report: LookupReport) => void;
}

/** What was found out about one certificate. */
export interface LookupResult {
  /** `status` is "none" when no response came, "bad" when one came that does not count. */
  readonly verdict: OcspVerdict;
  /** Why the certificate must not be accepted; undefined only if the status is "good". */
  readonly fault: FaultName | undefined;
  /** With OCSP_LOOKUP_FAIL: what went wrong, such as an OcspFetchError. */
  readonly cause?: unknown;
}

/** Answers to direct lookups, for those that come later; what it gives out is verified like any other. */
export class LookupCache {
  private readonly answers: Lru<{ der?: Uint8Array }>;

  /** Remembers the answers about so many certificates. */
  constructor(maxEntries = 1000) {
    this.answers = new Lru(maxEntries);
  }

  /** @internal */
  slot({ certificate, issuer }: Pair): { der?: Uint8Array } {
    return this.answers.use(digest([certificate, issuer]), () => ({}));
  }
}

const NONCE = 32;
const DAY = 86_400;
const defaultPolicy: OcspPolicy = Object.freeze({
  skew: 900,
  allowMissingNextUpdate: false,
  responders: Object.freeze([]),
});

/**
 * Asks the responders of one certificate. Never rejects: without a URL, or an answer, the fault is
 * OCSP_LOOKUP_FAIL; an answer that does not count has the fault that a staple would have.
 */
export async function lookupStatus(pair: Pair, options: LookupOptions = {}): Promise<LookupResult> {
  const [result] = await checkChain([pair], options);
  return result;
}

/**
 * The same for many certificates at once, `timeout` being for all together. The results are in the order of
 * `chain`. Each issuer must be known to have issued its certificate.
 */
export function checkChain(chain: readonly Pair[], options: LookupOptions = {}): Promise<LookupResult[]> {
  return Promise.all(chain.map((pair) => lookUp(pair, options)));
}

async function lookUp(pair: Pair, options: LookupOptions): Promise<LookupResult> {
  const { clock = () => Date.now() / 1000 } = options;
  const now = clock();
  if (now === undefined) return refused(faults.NO_CLOCK);
  const question: Question = {
    slot: options.nonce ? {} : (options.cache?.slot(pair) ?? {}),
    policy: policyOf(options),
    clock: () => clock() ?? now,
  };
  try {
    const subject = readSubject(pair);
    return accepted(remembered(subject, question) ?? (await answerTo(subject, question, options)));
  } catch (error) {
    return isFault(error) && faultName(error).startsWith("OCSP_")
      ? refused(error)
      : refused(faults.OCSP_LOOKUP_FAIL, asError(error));
  }
}

/** A response that nothing else ends counts for a day. */
function policyOf({ policy, nonce }: LookupOptions): OcspPolicy {
  const whole = { ...defaultPolicy, ...given(policy), nonce };
  return whole.allowMissingNextUpdate ? { ...whole, maxAge: whole.maxAge ?? DAY } : whole;
}

interface Question {
  /** Where an earlier answer may be, and this one is kept. */
  readonly slot: { der?: Uint8Array };
  readonly policy: OcspPolicy;
  readonly clock: () => number;
}

/** The answer that was had before, if it still counts. */
function remembered(subject: Subject, { slot, policy, clock }: Question): Answer | undefined {
  if (!slot.der) return undefined;
  const answer = {
    der: slot.der,
    ...judge(slot.der, subject, { provider, pki: everything, ocsp: policy }, clock()),
  };
  return answers(answer) && isFresh(keep(answer, policy.maxAge), clock(), policy.skew) ? answer : undefined;
}

/** The URLs share the time, so that one which does not answer leaves some for the next. */
async function answerTo(subject: Subject, question: Question, options: LookupOptions): Promise<Answer> {
  const { timeout = 5000, nonce, onLookup } = options;
  const answer = await ask(subject, {
    ...options,
    policy: question.policy,
    clock: question.clock,
    timeout: timeout / Math.max(1, urlsOf(subject, options).length),
    nonce: nonce ? randomBytes(NONCE) : undefined,
    // A cache could not answer with a nonce that it has never seen
    get: options.get !== false && !nonce,
    onAttempt: onLookup && ((attempt) => onLookup(report(attempt, subject))),
  });
  question.slot.der = answer.der;
  return answer;
}

function report({ url, milliseconds, answer, error }: Attempt, subject: Subject): LookupReport {
  const failure = isFault(error) ? faultName(error) : error?.code;
  return { url, milliseconds, serialNumber: serialOf(subject), outcome: failure ?? answer!.staple.status! };
}

function accepted({ staple }: Answer): LookupResult {
  const fault = staple.status === "good" ? undefined : faults.OCSP_CERT_REVOKED;
  const verdict = toVerdict({ ...timesOf(staple), status: staple.status!, fault });
  return { verdict, fault: verdict.fault };
}

function refused(fault: Fault, cause?: unknown): LookupResult {
  const verdict = toVerdict({ ...timesOf(new Staple()), status: statusOf(fault), fault });
  const found = { verdict, fault: verdict.fault };
  return cause === undefined ? found : { ...found, cause };
}

function statusOf(fault: Fault): Verdict["status"] {
  if (fault === faults.OCSP_CERT_UNKNOWN) return "unknown";
  return fault === faults.OCSP_LOOKUP_FAIL || fault === faults.NO_CLOCK ? "none" : "bad";
}

function timesOf(staple: Staple): Omit<Verdict, "status" | "fault"> {
  const { thisUpdate, nextUpdate, producedAt, revokedAt, revocationReason, responder, delegated } = staple;
  return { thisUpdate, nextUpdate, producedAt, revokedAt, revocationReason, responder, delegated };
}
