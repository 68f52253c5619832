/** One question about one certificate: its responders are asked in turn, and what they say is verified. */

import { performance } from "node:perf_hooks";
import { answers, everything, type Judgment, judge, type OcspPolicy } from "../../../src/pki/index.js";
import { type Fault, isFault } from "../../../src/wire/index.js";
import { provider } from "../provider.js";
import { defaultTimeout, type FetchOptions, fetchOcsp, OcspFetchError } from "./http.js";
import { ocspRequest } from "./request.js";
import type { Subject } from "./subject.js";

/** A response that counts: it says good or revoked. */
export interface Answer extends Judgment {
  readonly der: Uint8Array;
}

/** How asking one responder went. */
export interface Attempt {
  readonly url: string;
  readonly milliseconds: number;
  /** What it answered, if that counts. */
  readonly answer?: Answer;
  /** A Fault when what it answered does not count, an OcspFetchError when there was no answer. */
  readonly error?: Fault | OcspFetchError;
}

export interface AskOptions extends FetchOptions {
  /** Asked in place of those that the certificate names. */
  readonly overrideUrl?: string;
  readonly policy: OcspPolicy;
  /** Seconds since 1970. */
  readonly clock: () => number;
  /** Has the response repeat these bytes; the policy says whether it may do without. */
  readonly nonce?: Uint8Array;
  /** Called after each responder that was asked. */
  readonly onAttempt?: (attempt: Attempt) => void;
}

/**
 * The first answer that counts.
 * @throws Fault OCSP_CERT_UNKNOWN or why a response does not count; OcspFetchError when none came at all
 */
export async function ask(subject: Subject, options: AskOptions): Promise<Answer> {
  const request = ocspRequest(subject, options);
  let failure: unknown;
  for (const url of urlsOf(subject, options)) {
    const attempt = await askOne(subject, request, url, options);
    options.onAttempt?.(attempt);
    if (attempt.answer) return attempt.answer;
    // An answer that does not count tells more than none
    if (failure === undefined || (isFault(attempt.error) && !isFault(failure))) failure = attempt.error;
    if (options.signal?.aborted) break;
  }
  throw failure ?? new OcspFetchError("ERR_TLSTAPLE_OCSP_URL", "the certificate names no OCSP responder");
}

/** Where to ask. A root is not asked for at `overrideUrl` unless it names a responder: who trusts it won't ask. */
export function urlsOf(
  { certificate, urls }: Subject,
  { overrideUrl }: { overrideUrl?: string },
): readonly string[] {
  if (overrideUrl === undefined || (certificate.selfIssued && urls.length === 0)) return urls;
  return [overrideUrl];
}

/** Milliseconds that asking may take. */
export function longest(subject: Subject, options: Pick<AskOptions, "overrideUrl" | "timeout">): number {
  return urlsOf(subject, options).length * (options.timeout ?? defaultTimeout);
}

async function askOne(
  subject: Subject,
  request: Uint8Array,
  url: string,
  options: AskOptions,
): Promise<Attempt> {
  const start = performance.now();
  const outcome = await settle(subject, request, url, options);
  return { url, milliseconds: performance.now() - start, ...outcome };
}

async function settle(
  subject: Subject,
  request: Uint8Array,
  url: string,
  options: AskOptions,
): Promise<Pick<Attempt, "answer" | "error">> {
  try {
    const der = await fetchOcsp(url, request, options);
    const judgment = judge(
      der,
      subject,
      { provider, pki: everything, ocsp: options.policy },
      options.clock(),
      options.nonce,
    );
    return answers(judgment) ? { answer: { der, ...judgment } } : { error: judgment.fault };
  } catch (error) {
    if (error instanceof OcspFetchError) return { error };
    throw error;
  }
}
