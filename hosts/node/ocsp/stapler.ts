/** Fetches OCSP responses for a server's certificates, and has them ready for its handshakes. */

import { X509Certificate } from "node:crypto";
import { EventEmitter } from "node:events";
import { answers, everything, judge } from "../../../src/pki/index.js";
import { faults, isFault, type TlsError } from "../../../src/wire/index.js";
import { asError } from "../common/errors.js";
import type { Metric } from "../common/metrics.js";
import { provider } from "../provider.js";
import { type Answer, type Attempt, ask, longest, urlsOf } from "./ask.js";
import { newCounters, type StaplerCounters, staplerMetrics } from "./counters.js";
import { Entry, isFresh, type Kept, keep, refreshAt, retryAt, supersedes } from "./entry.js";
import { Forwarder, type Question } from "./forwarder.js";
import type { OcspFetchError } from "./http.js";
import { Lru } from "./lru.js";
import { readSettings, type Settings, type StaplerOptions } from "./settings.js";
import { type Seeker, type SharedStaple, SharedStaples } from "./shared-staples.js";
import { closed, elsewhere, noIssuer, noUrl, StapleError, type Why, waiting, whyOf } from "./staple-error.js";
import { digest, isIssuedBy, readSubject, type Subject } from "./subject.js";

/** What there is to staple. */
export interface Staples {
  /** For each certificate the response in DER, undefined where there is none. */
  readonly staples: (Uint8Array | undefined)[];
  /** Seconds since 1970 at which the first of them ends; undefined when there are none. */
  readonly until: number | undefined;
}

/** Where staples come from. */
export type StapleSource = Pick<Stapler, "ready" | "staples"> & Partial<Pick<Stapler, "fresh">>;

/** A response that is handed out from now on. */
export interface StapleEvent {
  /** The SHA-256 of the certificate and its issuer's, in hexadecimal: part of its key in the store. */
  readonly id: string;
  readonly status: "good" | "revoked";
  /** Seconds since 1970. */
  readonly thisUpdate: number;
  readonly until: number;
}

/** Something that did not work, and that no handshake failed for. */
export interface StaplerFailure {
  /** As in `StapleEvent`. */
  readonly id: string;
  /** The responder that was asked last. */
  readonly url?: string;
  /** A TlsError for a response that does not count, an OcspFetchError for none, or an error of the store. */
  readonly error: TlsError | OcspFetchError | unknown;
}

export interface StaplerEvents {
  staple: [StapleEvent];
  failure: [StaplerFailure];
  /** A certificate has no staple, or no new one: told once for each reason, and again when it was good meanwhile. */
  stapleError: [StapleError];
}

const noStaples: Staples = Object.freeze({ staples: [], until: undefined });

/** A certificate that can be asked about. */
interface Known {
  readonly id: string;
  readonly subject: Subject;
}

/** One that cannot, and why; undefined for a root that names no responder, as who trusts it asks for no staple. */
interface Unknown {
  readonly certificate: Uint8Array;
  readonly why: Why | undefined;
  told: boolean;
}

/** Seconds for which a response is refreshed though no handshake asks for it. */
const idle = 7 * 86_400;
/** Who shares a store asks by itself at each so many-th try, whatever befell others: no store can silence it for good. */
const alone = 8;
/** The part of the time until its next try for which a server that failed has others not ask. */
const rest = 0.9;

/**
 * Keeps OCSP responses for chains of certificates: fetched when first needed, by one request however many wait
 * for it; verified as a client would; handed out until they end, and refreshed before that in the background.
 * No handshake fails for it: with a responder that is down, slow or lying there is no staple, at worst. A
 * response that says "revoked" is handed out like any other.
 */
export class Stapler extends EventEmitter<StaplerEvents> {
  readonly counters: StaplerCounters = newCounters();
  private readonly settings: Settings;
  private readonly shared: SharedStaples | undefined;
  private chains: Lru<readonly (Known | Unknown)[]>;
  private readonly entries: Lru<Entry>;
  private readonly forwarder: Forwarder;
  private closed = false;

  /** @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION` */
  constructor(options: StaplerOptions = {}) {
    super();
    // Each server that shares it listens
    this.setMaxListeners(0);
    this.settings = readSettings(options);
    const { store, maxEntries, fetching } = this.settings;
    this.chains = new Lru(maxEntries);
    this.entries = new Lru(maxEntries, (entry) => this.evict(entry));
    this.forwarder = new Forwarder(this.settings);
    const onError = (id: string, error: unknown) => this.onStoreError(id, error);
    this.shared = store && new SharedStaples(store, fetching.maxBytes, onError);
  }

  /**
   * The responses for the first `count` certificates of a chain in DER, the server's own first. Waits for those
   * that must be fetched first, `wait` milliseconds at most. Never rejects.
   */
  async staples(chain: readonly Uint8Array[], count: number): Promise<Staples> {
    const entries = this.demand(chain, count);
    const awaited = entries.filter((entry) => this.mustWait(entry));
    this.counters.misses += awaited.length;
    if (awaited.length > 0)
      await atMost(this.settings.wait, Promise.all(awaited.map(({ flight }) => flight)));
    return this.handOut(entries, awaited);
  }

  /** The same out of memory; undefined when something should be fetched first, and that has begun. */
  ready(chain: readonly Uint8Array[], count: number): Staples | undefined {
    const entries = this.demand(chain, count);
    return entries.some((entry) => this.mustWait(entry)) ? undefined : this.handOut(entries, []);
  }

  /**
   * Responses that are asked for now, with the nonce of one client (RFC 6066 section 8), and not kept. Where none
   * comes within `nonceWait`, or too many are under way, those that `staples` gives. Never rejects.
   */
  async fresh(chain: readonly Uint8Array[], count: number, nonce: Uint8Array): Promise<Staples> {
    const kept = this.staples(chain, count);
    const known = this.known(chain, count);
    const answers = await this.forward(known, nonce);
    const missing = known.some((each, i) => "id" in each && !answers[i]);
    const others = missing ? await kept : noStaples;
    const ends = [others.until, ...answers.map((each) => each?.until)].filter((end) => end !== undefined);
    return {
      staples: known.map((_, i) => answers[i]?.der ?? others.staples[i]),
      until: ends.length > 0 ? Math.min(...ends) : undefined,
    };
  }

  /** The counters, and the seconds for which each certificate's staple is handed out yet: see `metricsHandler`. */
  metrics(): Metric[] {
    return staplerMetrics(this.counters, this.closed ? [] : this.entries.values(), this.settings);
  }

  /** Ends all timers and fetches. There are no staples from then on. */
  close(): void {
    this.closed = true;
    this.chains = new Lru(this.settings.maxEntries);
    this.forwarder.close();
    for (const entry of this.entries.values()) entry.stop();
  }

  // ---- Handing out

  /** The entries of a chain's certificates; what is due is being fetched when this returns. */
  private demand(chain: readonly Uint8Array[], count: number): (Entry | Unknown)[] {
    return this.known(chain, count).map((each) => ("why" in each ? each : this.want(each)));
  }

  /** What is known of a chain's first certificates. */
  private known(chain: readonly Uint8Array[], count: number): readonly (Known | Unknown)[] {
    return this.chains.use(digest(chain), () => this.readChain(chain)).slice(0, count);
  }

  private want(known: Known): Entry {
    const entry = this.entries.use(known.id, () => new Entry(known.id, known.subject));
    entry.wanted = this.settings.clock();
    this.fetchIfDue(entry);
    return entry;
  }

  /** Only a first response is waited for: once a responder has failed, handshakes go on without. */
  private mustWait(entry: Entry | Unknown): entry is Entry {
    return (
      entry instanceof Entry && entry.flight !== undefined && entry.failures === 0 && !this.freshOf(entry)
    );
  }

  /** What may be handed out at this very moment. */
  private freshOf(entry: Entry | Unknown): Kept | undefined {
    const { clock, policy } = this.settings;
    const kept = entry instanceof Entry ? entry.kept : undefined;
    return isFresh(kept, clock(), policy.skew) ? kept : undefined;
  }

  private handOut(entries: readonly (Entry | Unknown)[], awaited: readonly Entry[]): Staples {
    const kept = entries.map((entry) => this.freshOf(entry));
    for (const entry of entries.filter((_, i) => !kept[i])) this.explain(entry);
    const present = kept.filter((each) => each !== undefined);
    const atOnce = entries.filter((entry, i) => kept[i] && !awaited.includes(entry as Entry));
    this.counters.hits += atOnce.length;
    this.counters.none += kept.length - present.length;
    const until = present.length > 0 ? Math.min(...present.map((each) => each.until)) : undefined;
    return { staples: kept.map((each) => each?.der), until };
  }

  /** Tells why nothing is handed out. */
  private explain(entry: Entry | Unknown): void {
    if (entry instanceof Entry) {
      this.tellWhy(entry, entry.why ?? (entry.flight ? waiting : whyOf(faults.OCSP_EXPIRED)));
    } else if (entry.why && !entry.told) {
      entry.told = true;
      this.tell("stapleError", new StapleError(entry.certificate, entry.why));
    }
  }

  /** Not at each handshake, nor at each try: once until it changes. */
  private tellWhy(entry: Entry, why: Why): void {
    const until = this.freshOf(entry)?.until;
    const told = [why.code, why.text, until].join();
    if (told === entry.told) return;
    entry.told = told;
    this.tell("stapleError", new StapleError(entry.subject.certificate.bytes, why, until));
  }

  // ---- Certificates

  /** Finds who issued each certificate: the next one, if the chain is in order. */
  private readChain(chain: readonly Uint8Array[]): (Known | Unknown)[] {
    const parsed = chain.map(readCertificate);
    return chain.map((der, i) => {
      const certificate = parsed[i];
      if (this.closed || !certificate)
        return unknown(der, this.closed ? closed : whyOf(faults.CERT_MALFORMED));
      const candidates = [parsed[i + 1], ...parsed, ...this.settings.issuers];
      const issuer = candidates.find((each) => each && isIssuedBy(certificate, each));
      if (!issuer) return unknown(der, noIssuer);
      return this.know(certificate.raw, issuer.raw, i > 0 && issuer.raw.equals(certificate.raw));
    });
  }

  /** Nothing is known of a certificate that names no responder, or that our own parser refuses. */
  private know(certificate: Uint8Array, issuer: Uint8Array, isRoot: boolean): Known | Unknown {
    const id = digest([certificate, issuer]);
    try {
      const subject = readSubject({ certificate, issuer });
      if (urlsOf(subject, this.settings.fetching).length > 0) return { id, subject };
      return unknown(certificate, isRoot ? undefined : noUrl);
    } catch (error) {
      this.tell("failure", { id, error: asError(error) });
      return unknown(certificate, whyOf(error));
    }
  }

  private evict(entry: Entry): void {
    this.counters.evicted++;
    entry.stop();
  }

  // ---- The nonces of clients

  /** The answers for those that are known, at their places. */
  private async forward(
    known: readonly (Known | Unknown)[],
    nonce: Uint8Array,
  ): Promise<(Kept | undefined)[]> {
    const asked = known.filter((each) => "id" in each);
    const answers = await this.forwarder.forward(
      asked.map((each) => this.question(each)),
      nonce,
    );
    if (!answers) this.counters.unforwarded++;
    return known.map((each) => ("id" in each ? answers?.[asked.indexOf(each)] : undefined));
  }

  private question(known: Known): Question {
    const { id, subject } = known;
    const onAttempt = () => {
      this.counters.requests++;
      this.counters.forwarded++;
    };
    const onFailure = (error: unknown, url: string) => {
      this.counters.failures++;
      if (isFault(error)) this.counters.rejected++;
      this.tell("failure", { id, url, error: asError(error) });
      this.tellWhy(this.want(known), whyOf(error, url));
    };
    return { subject, onAttempt, onFailure };
  }

  // ---- Fetching

  private fetchIfDue(entry: Entry): void {
    const { clock, policy } = this.settings;
    const now = clock();
    if (!entry.isDue(now, policy.skew)) return;
    if (this.freshOf(entry)) this.counters.refreshes++;
    entry.asked = now;
    entry.flight = this.obtain(entry).finally(() => {
      entry.flight = undefined;
      this.schedule(entry);
    });
  }

  /** Has a response that may be handed out, if there is one: another server's, or one that is asked for now. */
  private async obtain(entry: Entry): Promise<void> {
    const { shared } = this;
    if (!shared) await this.fetch(entry);
    else if (!(await shared.seek(entry.id, this.seeker(entry)))) this.fail(entry, elsewhere());
  }

  private seeker(entry: Entry): Seeker {
    const { fetching, clock } = this.settings;
    return {
      lease: longest(entry.subject, fetching),
      signal: entry.signal,
      insists: entry.failures % alone === alone - 1,
      take: (stored) => this.take(entry, stored),
      ask: async () => {
        await this.fetch(entry);
        const { failures, due, kept, since } = entry;
        if (failures > 0 || !kept) return { seconds: rest * (due - clock()) };
        return { staple: { der: kept.der, asked: since }, seconds: kept.until - clock() };
      },
    };
  }

  /**
   * Takes what is stored, which counts no more than what comes from the network. True when nobody needs to ask then: when
   * that is due goes by the time at which whoever stored it asked.
   */
  private take(entry: Entry, { der, asked }: SharedStaple): boolean {
    const now = this.settings.clock();
    const since = Math.min(asked, now);
    if (!entry.kept || !isEqual(der, entry.kept.der)) this.load(entry, der, since);
    else if (since > entry.since) this.keep(entry, entry.kept, since);
    return this.freshOf(entry) !== undefined && now < entry.due;
  }

  private load(entry: Entry, der: Uint8Array, since: number): void {
    if (entry.refused && isEqual(der, entry.refused)) return;
    const { policy, clock } = this.settings;
    const judgment = judge(der, entry.subject, { provider, pki: everything, ocsp: policy }, clock());
    const counts = answers(judgment);
    if (counts && this.accept(entry, { der, ...judgment }, since)) {
      this.counters.loaded++;
      return;
    }
    entry.refused = der;
    this.counters.rejected++;
    this.tell("failure", { id: entry.id, error: asError(counts ? faults.OCSP_EXPIRED : judgment.fault) });
  }

  private onStoreError(id: string, error: unknown): void {
    this.counters.storeErrors++;
    this.tell("failure", { id, error });
  }

  private async fetch(entry: Entry): Promise<void> {
    const { fetching, policy, clock } = this.settings;
    const { signal, subject } = entry;
    let url: string | undefined;
    const onAttempt = (attempt: Attempt) => {
      url = attempt.url;
      this.counters.requests++;
    };
    try {
      const since = clock();
      const answer = await ask(subject, { ...fetching, policy, clock, signal, onAttempt });
      if (!this.accept(entry, answer, since)) throw faults.OCSP_EXPIRED;
    } catch (error) {
      this.fail(entry, error, url);
    }
  }

  /** Keeps a verified response, unless it has ended or is older than the one there is. */
  private accept(entry: Entry, answer: Answer, since: number): boolean {
    const { policy, clock } = this.settings;
    const kept = keep(answer, policy.maxAge);
    if (!isFresh(kept, clock(), policy.skew) || !supersedes(kept, entry.kept)) return false;
    this.keep(entry, kept, since);
    const { status, thisUpdate, until } = kept;
    this.tell("staple", { id: entry.id, status, thisUpdate, until });
    return true;
  }

  private keep(entry: Entry, kept: Kept, since: number): void {
    entry.kept = kept;
    entry.since = since;
    entry.failures = 0;
    entry.why = undefined;
    entry.told = "";
    entry.due = refreshAt(kept.until, since, this.settings.random);
  }

  private fail(entry: Entry, error: unknown, url?: string): void {
    if (entry.signal.aborted) return;
    const { clock, random } = this.settings;
    this.counters.failures++;
    if (isFault(error)) this.counters.rejected++;
    entry.failures++;
    entry.due = retryAt(entry.failures, clock(), random);
    entry.why = whyOf(error, url);
    this.tell("failure", { id: entry.id, url, error: asError(error) });
    this.tellWhy(entry, entry.why);
  }

  private schedule(entry: Entry): void {
    const { clock } = this.settings;
    entry.wake(entry.due - clock(), () => {
      if (clock() - entry.wanted > idle) return;
      this.fetchIfDue(entry);
      if (!entry.flight) this.schedule(entry);
    });
  }

  /** Calls listeners later, so that what they throw is theirs alone. */
  protected tell<E extends keyof StaplerEvents>(event: E, ...args: StaplerEvents[E]): void {
    process.nextTick(() => (this as EventEmitter).emit(event, ...args));
  }
}

function unknown(certificate: Uint8Array, why: Why | undefined): Unknown {
  return { certificate, why, told: false };
}

const isEqual = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

function readCertificate(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

/** Waits for `promise`, but no longer than so many milliseconds. */
async function atMost(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([promise, enough]);
  clearTimeout(timer);
}
