import { requires } from "../../../src/pki/index.js";
import { type LookupReport, lookupStatus } from "../ocsp/lookup.js";
import { sentPath } from "./chain.js";
import type { CheckOptions, LookedUp, Seen } from "./model.js";

/** Asks the responders of the certificates that the policy looks at. Never rejects. */
export function lookUp(
  seen: readonly Seen[],
  { overrideUrl, policy }: CheckOptions,
  signal: AbortSignal,
): Promise<LookedUp[]> {
  const path = pathOf(seen);
  const positions = path.slice(0, -1).flatMap((_, i) => (i === 0 || requires(policy, i) ? [i] : []));
  return Promise.all(positions.map(ask));

  async function ask(position: number): Promise<LookedUp> {
    const pair = { certificate: path[position], issuer: path[position + 1] };
    const reports: LookupReport[] = [];
    const onLookup = (report: LookupReport) => reports.push(report);
    const url = position === 0 ? overrideUrl : undefined;
    const { cause, fault, verdict } = await lookupStatus(pair, { overrideUrl: url, signal, onLookup });
    return { position, verdict, fault, cause, reports };
  }
}

/** From the server's own certificate to the root; where no client found it, as it was sent. */
export function pathOf(seen: readonly Seen[]): readonly Buffer[] {
  const paths = seen.map(({ opinions }) => opinions["if-present"].path);
  const sent = seen.find(({ certificates }) => certificates.length > 0)?.certificates ?? [];
  return paths.find((path) => path.length > 0) ?? sentPath(sent);
}
