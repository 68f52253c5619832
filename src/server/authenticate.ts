import { faults } from "../wire/fault.js";
import type { ServerSession } from "./session.js";

/**
 * One costly step of authenticating the client: finding the path to a trust anchor, then settling the staples
 * along it. True when all is done and well.
 */
export function authenticate(s: ServerSession): boolean {
  if (!s.config.verify) return true;
  const { now } = s;
  if (now === undefined) throw faults.NO_CLOCK;
  if (!s.pathFound) {
    s.pathFound = s.path.step(now);
    return false;
  }
  if (s.stapleIndex === s.path.length) return true;
  if (checkStaple(s, s.stapleIndex, now)) s.stapleIndex++;
  return s.stapleIndex === s.path.length;
}

/** One step with one certificate's staple: true when it is settled, or not needed. */
function checkStaple(s: ServerSession, position: number, now: number): boolean {
  const { path, config } = s;
  const index = path.index(position);
  const staple = s.staple(index);
  if (staple.present)
    return s.stapleVerifier.settle(staple, path.at(index), path.issuer(position), config.ocsp, now);
  const { policy } = config.ocsp;
  if (policy === "chain" || (policy === "leaf" && position === 0)) throw faults.OCSP_STAPLE_MISSING;
  return true;
}
