/** Asks responders with the nonces of a server's clients, RFC 6066 section 8 and RFC 9654. */

import { setMaxListeners } from "node:events";
import { faults } from "../../../src/wire/index.js";
import { type Attempt, ask, urlsOf } from "./ask.js";
import { isFresh, type Kept, keep } from "./entry.js";
import { Gate } from "./gate.js";
import type { Settings } from "./settings.js";
import type { Subject } from "./subject.js";

/** A question: who is asked about, and who hears how it went. */
export interface Question {
  readonly subject: Subject;
  readonly onAttempt: (attempt: Attempt) => void;
  readonly onFailure: (error: unknown, url: string) => void;
}

/** Nothing that it brings is kept, as no other client has asked for it: so how often it asks is limited. */
export class Forwarder {
  private readonly settings: Settings;
  private readonly gate: Gate;
  private readonly controller = new AbortController();

  constructor(settings: Settings) {
    this.settings = settings;
    this.gate = new Gate(settings.noncesAtOnce, settings.noncesPerSecond);
    setMaxListeners(0, this.controller.signal);
  }

  /**
   * One request for each question, all at once: the verified responses with this nonce, undefined where none came
   * in time. Undefined as a whole: too many are under way, and nobody is asked. The answers never reject.
   */
  forward(questions: readonly Question[], nonce: Uint8Array): Promise<(Kept | undefined)[]> | undefined {
    if (!this.gate.enter(questions.length)) return undefined;
    const leave = () => this.gate.leave();
    return Promise.all(questions.map((question) => this.askOne(question, nonce).finally(leave)));
  }

  /** Ends the questions under way. */
  close(): void {
    this.controller.abort();
  }

  /** Asks the first responder alone, so that what counts as one request is one. */
  private async askOne({ subject, ...listeners }: Question, nonce: Uint8Array): Promise<Kept | undefined> {
    const { fetching, policy, clock, nonceWait } = this.settings;
    const { signal } = this.controller;
    const [url] = urlsOf(subject, fetching);
    const how = { overrideUrl: url, timeout: nonceWait, signal, onAttempt: listeners.onAttempt };
    try {
      // A cache could not answer with a nonce that it has never seen
      const answer = await ask(subject, { ...fetching, ...how, policy, clock, nonce, get: false });
      const kept = keep(answer, policy.maxAge);
      if (isFresh(kept, clock(), policy.skew)) return kept;
      listeners.onFailure(faults.OCSP_EXPIRED, url);
    } catch (error) {
      if (!signal.aborted) listeners.onFailure(error, url);
    }
    return undefined;
  }
}
