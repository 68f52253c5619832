/** What a Stapler did, and what it tells Prometheus of that. */

import { X509Certificate } from "node:crypto";
import type { Metric, Sample } from "../common/metrics.js";
import { printable } from "../common/text.js";
import { type Entry, isFresh } from "./entry.js";
import type { Settings } from "./settings.js";

/** What a Stapler did since it was made. */
export interface StaplerCounters {
  /** Responses handed out at once. */
  hits: number;
  /** Certificates for which a handshake waited. */
  misses: number;
  /** Certificates for which there was nothing to hand out. */
  none: number;
  /** Requests to responders. */
  requests: number;
  /** Fetches for a certificate whose response was still fresh. */
  refreshes: number;
  /** Fetches that brought no response to keep. */
  failures: number;
  /** Responses that came, or lay in the store, and did not count. */
  rejected: number;
  /** Responses taken from the store. */
  loaded: number;
  /** Times that the store failed. */
  storeErrors: number;
  /** Certificates forgotten because there were more than `maxEntries`. */
  evicted: number;
  /** Requests with the nonce of a client, among `requests`. */
  forwarded: number;
  /** Clients whose nonce was not passed on, as too many had one. */
  unforwarded: number;
}

const helps: Readonly<Record<keyof StaplerCounters, string>> = Object.freeze({
  hits: "OCSP responses handed out at once",
  misses: "Certificates for which a handshake waited",
  none: "Certificates for which there was no response to hand out",
  requests: "Requests to OCSP responders",
  refreshes: "Fetches for a certificate whose response was still fresh",
  failures: "Fetches that brought no response to keep",
  rejected: "Responses that did not count",
  loaded: "Responses taken from the store",
  storeErrors: "Times that the store failed",
  evicted: "Certificates forgotten because there were too many",
  forwarded: "Requests with the nonce of a client",
  unforwarded: "Clients whose nonce was not passed on",
});

export function newCounters(): StaplerCounters {
  return Object.fromEntries(Object.keys(helps).map((name) => [name, 0])) as unknown as StaplerCounters;
}

/** Each counter, and how long each certificate's staple is handed out yet: 0 where there is none. */
export function staplerMetrics(
  counters: StaplerCounters,
  entries: readonly Entry[],
  settings: Settings,
): Metric[] {
  const names = Object.keys(helps) as (keyof StaplerCounters)[];
  const counts = names.map((name) => ({
    name: `tlstaple_stapler_${snakeCase(name)}_total`,
    type: "counter" as const,
    help: helps[name],
    samples: [{ value: counters[name] }],
  }));
  const lives: Metric = {
    name: "tlstaple_staple_remaining_seconds",
    type: "gauge",
    help: "Seconds for which a certificate's OCSP response is handed out yet",
    samples: entries.map((entry) => life(entry, settings)),
  };
  return [...counts, lives];
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function life({ kept, subject }: Entry, { clock, policy }: Settings): Sample {
  const now = clock();
  const labels = labelsOf(subject.certificate.bytes);
  if (!isFresh(kept, now, policy.skew)) return { labels: { ...labels, status: "none" }, value: 0 };
  return { labels: { ...labels, status: kept.status }, value: kept.until - now };
}

function labelsOf(der: Uint8Array): { readonly subject: string; readonly serial: string } {
  const { serialNumber, subject } = new X509Certificate(der);
  return { subject: printable((subject ?? "").replaceAll("\n", ", ")), serial: serialNumber };
}
