import { isInOrder } from "../check/chain.js";
import { pathOf } from "../check/lookups.js";
import type { Checked, CheckOptions, LookedUp, Seen } from "../check/model.js";
import { certificateInfo, responseInfo } from "../common/describe.js";
import { toJson } from "../common/text.js";
import { toVerdict } from "../ocsp/verdict.js";
import { exitCodes, faultText, sentIn } from "./check-report.js";
import type { Output } from "./usage.js";

/** Prints everything as one JSON object; what there is not is null. */
export function reportJson(checked: Checked, options: CheckOptions, out: Output): void {
  const { life, milliseconds, seen, status, unspoken } = checked;
  const { host, port, servername = null, starttls = null } = options.target;
  const sent = sentIn(checked)?.certificates ?? [];
  const result = {
    status,
    code: exitCodes[status],
    ...{ host, port, servername, starttls, policy: options.policy },
    findings: checked.findings.map(({ fault = null, ...finding }) => ({ ...finding, fault })),
    secondsLeft: life?.left ?? null,
    life: life?.whole ?? null,
    certificates: sent.map(certificateInfo),
    inOrder: sent.length > 0 ? isInOrder(sent) : null,
    path: pathOf(seen).map((der) => certificateInfo(der)?.subject ?? null),
    visits: seen.map(visitJson),
    unspoken: unspoken.map(({ error, way }) => ({ version: way.version, error: error && errorJson(error) })),
    lookups: checked.lookups.map(lookupJson),
    milliseconds,
  };
  out.write(`${toJson(result, 2)}\n`);
}

function lookupJson({ cause, fault, position, reports, verdict }: LookedUp) {
  const message = cause instanceof Error ? cause.message : null;
  return { position, ...verdict, fault: fault ?? null, message, reports };
}

function visitJson({ address, error, opinions, staples, time, way, certificates }: Seen) {
  const { chain, leaf } = opinions;
  return {
    ...way,
    ...{ time, address: address ?? null, error: error ? errorJson(error) : null },
    staples: certificates.map((_, i) => (staples[i] ? stapleJson(staples[i]) : null)),
    verdicts: opinions["if-present"].verdicts.map(toVerdict),
    leaf: faultText(leaf.fault),
    chain: faultText(chain.fault),
    store: chain.store,
  };
}

function errorJson({ code, message, name }: Error & { code?: unknown }) {
  return { code: code ?? name, message };
}

function stapleJson(der: Buffer) {
  return { bytes: der.length, ...(responseInfo(der) ?? { responseStatus: "malformed" }) };
}
