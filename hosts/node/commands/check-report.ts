import type { Verdict } from "../../../src/pki/index.js";
import { type Fault, faultName } from "../../../src/wire/index.js";
import { errorText } from "../check/assess.js";
import { isInOrder } from "../check/chain.js";
import type { Checked, CheckOptions, Finding, LookedUp, Seen } from "../check/model.js";
import { spanText } from "../check/span.js";
import { secondsOf } from "../check/threshold.js";
import type { Way } from "../check/visit.js";
import { type CertificateInfo, certificateInfo, isoTime, responseInfo } from "../common/describe.js";
import { advice } from "../common/errors.js";
import { printable } from "../common/text.js";
import type { Output } from "./usage.js";

/** Of monitoring plug-ins. */
export const exitCodes = Object.freeze({ OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 });

/** A line that says it all, with the figures behind a bar, as monitoring systems read it; then what people want to know. */
export function report(checked: Checked, options: CheckOptions, out: Output): void {
  out.write(`${clean(headline(checked, options))}${figures(checked, options)}\n`);
  const lines = [...advices(checked), ...certificates(checked), ...staples(checked)];
  lines.push(...checked.lookups.map(lookupText), ...table(checked));
  for (const line of lines) out.write(`${clean(line)}\n`);
}

/** A bar begins figures, and nobody else may. */
const clean = (text: string) => printable(text).replaceAll("|", "\\u007c");

// ---- The first line

function headline({ findings, life, seen, status, unspoken }: Checked, { target }: CheckOptions): string {
  const { host, port, servername } = target;
  const place = `${host.includes(":") ? `[${host}]` : host}:${port}${servername ? ` (${servername})` : ""}`;
  const left = life ? `staple good for ${spanText(Math.max(0, life.left))}` : "no staple";
  const all = new Set((seen.length > 0 ? seen : unspoken).map(({ way }) => way)).size;
  return `TLSTAPLE ${status}: ${place}: ${findings.map((each) => findingText(each, all)).join("; ") || left}`;
}

/** What holds for all ways names none. */
function findingText({ text, ways }: Finding, all: number): string {
  return ways.length > 0 && ways.length < all ? `${text} (${ways.map(wayText).join(", ")})` : text;
}

const wayText = ({ version, stapling }: Way) => `${version} ${stapling}`;

/** 'label'=value[unit];warn;crit;min;max, of which a range N: has what is below N in alarm. */
function figures({ life, milliseconds, seen }: Checked, { crit, warn }: CheckOptions): string {
  const words = [`time=${(milliseconds / 1000).toFixed(3)}s;;;0`];
  const size = seen.flatMap(({ staples }) => staples[0]?.length ?? []).at(-1);
  if (size !== undefined) words.unshift(`size=${size}B;;;0`);
  if (life) {
    const bounds = [warn, crit].map((each) => `${secondsOf(each, life.whole)}:`).join(";");
    words.unshift(`left=${Math.floor(life.left)}s;${bounds};;${life.whole}`);
  }
  return ` | ${words.join(" ")}`;
}

// ---- What people want to know

function advices({ findings }: Checked): string[] {
  const faults = new Set(findings.flatMap(({ fault }) => fault ?? []));
  return [...faults].map((fault) => `advice ${fault}: ${advice[fault]}`);
}

/** What the first visitor got: the others got the same, or it is no good server. */
export const sentIn = ({ seen }: Checked) => seen.find(({ certificates }) => certificates.length > 0);

function certificates(checked: Checked): string[] {
  const first = sentIn(checked);
  if (first === undefined) return [];
  const sent = first.certificates;
  const bytes = sent.reduce((sum, { length }) => sum + length, 0);
  const order = isInOrder(sent) ? "in order" : "out of order";
  return [
    `${first.address ?? "server"}: ${sent.length} certificates, ${bytes} bytes, ${order}; a client needs a store of ${storeOf(checked)} bytes`,
    ...sent.map((der, i) => `certificate ${i}: ${certificateText(certificateInfo(der))}`),
  ];
}

/** The most that any way takes. */
function storeOf({ seen }: Checked): number {
  return Math.max(...seen.map(({ opinions }) => opinions.chain.store));
}

function certificateText(info: CertificateInfo | null): string {
  if (info === null) return "malformed";
  const { mustStaple, notAfter, ocspResponders, subject } = info;
  const urls = ocspResponders.length > 0 ? `responder ${ocspResponders.join(", ")}` : "names no responder";
  return [subject, `until ${notAfter}`, ...(mustStaple ? ["must-staple"] : []), urls].join("; ");
}

/** The staples of the last connection that had any, each with who signed it. */
function staples({ seen }: Checked): string[] {
  const last = seen.filter(({ staples, way }) => way.stapling === "v1" && staples.some(Boolean)).at(-1);
  return (last?.staples ?? []).flatMap((der, i) =>
    der ? [`staple ${i}: ${stapleText(der, last!, i)}`] : [],
  );
}

function stapleText(der: Buffer, { certificates, opinions }: Seen, index: number): string {
  const info = responseInfo(der);
  const [single] = info?.responses ?? [];
  if (!info || !single) return `${info?.responseStatus ?? "malformed"}; ${der.length} bytes`;
  const { path, verdicts } = opinions["if-present"];
  const verdict = verdicts[path.findIndex((each) => each.equals(certificates[index]))];
  const signer =
    verdict?.status !== "good" ? "" : verdict.delegated ? ", a delegate of the CA" : ", the CA itself";
  const { certStatus, nextUpdate, thisUpdate } = single;
  const times = `${thisUpdate} to ${nextUpdate ?? "no nextUpdate"}${leftText(nextUpdate)}`;
  return `${certStatus}, ${times}; ${der.length} bytes; signer ${info.responderID}${signer}; ${info.signatureAlgorithm}`;
}

function leftText(nextUpdate: string | null): string {
  if (nextUpdate === null) return "";
  const left = (Date.parse(nextUpdate) - Date.now()) / 1000;
  return left < 0 ? `, ended ${spanText(-left)} ago` : `, ${spanText(left)} left`;
}

function lookupText({ cause, fault, position, reports, verdict }: LookedUp): string {
  const urls = reports.map(({ url, milliseconds }) => `${url} in ${Math.round(milliseconds)} ms`);
  const asked = urls.length > 0 ? ` (${urls.join(", ")})` : "";
  const times = [verdict.thisUpdate, verdict.nextUpdate].map((time) => time && isoTime(time));
  if (times[0]) return `responder on ${position}: ${verdict.status}, ${times.join(" to ")}${asked}`;
  return `responder on ${position}: ${cause instanceof Error ? cause.message : fault}${asked}`;
}

/** A line for each way: what came on either connection, certificate by certificate, and what clients say to that. */
function table({ seen, unspoken }: Checked): string[] {
  if (seen.every(({ certificates }) => certificates.length === 0)) return [];
  const ways = [...new Set(seen.map(({ way }) => way))];
  const rows = ways.map((way) => rowOf(seen.filter((each) => each.way === way)));
  const lines = aligned([["", "first", "second", "policy leaf", "policy chain"], ...rows]);
  const unspokenLines = unspoken.map(
    ({ error, way }) => `${way.version} is not spoken: ${errorText(error!)}`,
  );
  return [...lines, ...unspokenLines];
}

function rowOf(visits: readonly Seen[]): string[] {
  const [first, second] = visits;
  const { chain, leaf } = visits[visits.length - 1].opinions;
  const cells = [first, second].map((each) => (each ? statusesOf(each).join(" ") : "-"));
  return [wayText(first.way), ...cells, faultText(leaf.fault), faultText(chain.fault)];
}

/** What the staple of each certificate is worth, as far as a path was found; else whether one came. */
function statusesOf({ opinions, staples, certificates, error }: Seen): string[] {
  if (certificates.length === 0) return [error?.name ?? "nothing"];
  const { path, verdicts } = opinions["if-present"];
  if (path.length > 0) return verdicts.map(({ status }: Verdict) => status);
  return certificates.map((_, i) => (staples[i] ? "unchecked" : "none"));
}

export const faultText = (fault: Fault | undefined) => (fault === undefined ? "good" : faultName(fault));

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
}
