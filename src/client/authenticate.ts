import type { Certificate } from "../pki/certificate.js";
import type { Staple } from "../pki/ocsp.js";
import { faults } from "../wire/fault.js";
import type { ClientSession } from "./session.js";

/**
 * One costly step of authenticating the server: finding the path to a trust anchor, then settling the
 * staples along it. True when all is done and well.
 */
export function authenticate(s: ClientSession): boolean {
  if (!s.config.verify) return true;
  const now = time(s);
  if (!s.pathFound) {
    s.pathFound = s.path.step(now);
    return false;
  }
  if (checkStaple(s, s.stapleIndex, now)) s.stapleIndex++;
  return s.stapleIndex === s.path.lengthWithAnchor;
}

/** A clock that was never set must not pass for one that was. */
function time(s: ClientSession): number {
  const now = s.config.clock();
  if (now === undefined || !(now >= s.config.clockFloor)) throw faults.NO_CLOCK;
  return now;
}

/** The certificate at `position` of the path, 0 being the server's. */
function certificateAt(s: ClientSession, position: number): Certificate {
  return s.path.at(s.path.index(position));
}

/** The staple that came with it; perhaps an empty one. */
export function stapleAt(s: ClientSession, position: number): Staple {
  return s.staple(s.path.index(position));
}

/** One step with one certificate's staple: true when it is settled, or not needed. */
function checkStaple(s: ClientSession, position: number, now: number): boolean {
  const staple = stapleAt(s, position);
  if (!staple.present) {
    if (needsStaple(s, position)) throw faults.OCSP_STAPLE_MISSING;
    return true;
  }
  const certificate = certificateAt(s, position);
  return s.stapleVerifier.settle(staple, certificate, s.path.issuer(position), s.config.ocsp, now);
}

/** By our policy, or because certificates demand it (RFC 7633) of clients that ask for staples. */
function needsStaple(s: ClientSession, position: number): boolean {
  const { stapling, policy, mustStaple } = s.config.ocsp;
  if (stapling === "off") return false;
  // Nobody else can revoke a trust anchor that was sent along
  if (position === s.path.length) return false;
  if (policy === "chain" || (policy === "leaf" && position === 0)) return true;
  return position === 0 && mustStaple && s.path.mustStaple;
}
