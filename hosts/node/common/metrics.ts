/** Metrics for Prometheus, in its text format 0.0.4, which other collectors read too. */

import type { IncomingMessage, ServerResponse } from "node:http";

/** What is measured under one name. */
export interface Metric {
  /** Letters, digits and `_`; that of a counter ends in `_total`. */
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** A value, and what it is about. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What can be measured: a Stapler, a Responder, or an object of one's own. */
export interface MetricSource {
  metrics(): readonly Metric[];
}

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Answers GET and HEAD, whatever the path, with the metrics of all sources: a handler for node:http, Express and the
 * like. Where two sources have the same metric with the same labels, counters are added and the least gauge counts.
 *
 * @example
 * http.createServer(metricsHandler(server.stapler)).listen(9101, "127.0.0.1");
 */
export function metricsHandler(
  ...sources: readonly MetricSource[]
): (request: IncomingMessage, response: ServerResponse) => void {
  return ({ method }, response) => {
    if (method === "GET" || method === "HEAD") {
      const text = metricsText(...sources);
      const size = Buffer.byteLength(text);
      response.writeHead(200, { "content-type": CONTENT_TYPE, "content-length": size }).end(text);
    } else response.writeHead(405, { allow: "GET, HEAD", "content-length": 0 }).end();
  };
}

/** The same as text, for whoever sends it by other means. */
export function metricsText(...sources: readonly MetricSource[]): string {
  const families = new Map<string, Family>();
  for (const metric of sources.flatMap((source) => source.metrics())) {
    const family = families.get(metric.name) ?? { metric, values: new Map() };
    families.set(metric.name, family);
    for (const sample of metric.samples) add(family, sample);
  }
  return [...families.values()].map(familyText).join("");
}

/** A metric, and the values of all sources by their labels as they are written. */
interface Family {
  readonly metric: Metric;
  readonly values: Map<string, number>;
}

function add({ metric, values }: Family, { labels = {}, value }: Sample): void {
  const key = labelsText(labels);
  const known = values.get(key);
  const both = metric.type === "counter" ? (known ?? 0) + value : Math.min(known ?? value, value);
  values.set(key, both);
}

function familyText({ metric: { name, type, help }, values }: Family): string {
  const head = `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`;
  return head + [...values].map(([labels, value]) => `${name}${labels} ${value}\n`).join("");
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, text]) => `${name}="${quoted(text)}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

const escaped = (text: string) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
const quoted = (text: string) => escaped(text).replaceAll('"', '\\"');
