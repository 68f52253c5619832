import { hashSize } from "../crypto/suites.js";
import { type Fault, faults, isFault } from "../wire/fault.js";
import type { Certificate } from "./certificate.js";
import { Der } from "./der.js";
import { Staple, type StapleOptions, StapleVerifier, type Status } from "./ocsp.js";
import { Path, type PathOptions } from "./path.js";
import { requires, type StaplePolicy } from "./policy.js";
import { Store } from "./store.js";

/** Certificates of one list that are taken at most: to pass over those that are not kept is work too. */
const maxSent = 64;
/** RFC 9654 2.1. */
const nonceSize = 32;

/** What a peer is judged by. */
export interface VerifierOptions extends PathOptions {
  /** False: take any certificate and any staple. */
  readonly verify: boolean;
  /** A time before which no clock can be right, in seconds since 1970. */
  readonly clockFloor: number;
  readonly ocsp: StaplePolicy;
  /** Is told of the path to a trust anchor when it is found. */
  readonly onPath?: (path: Path) => void;
  /** Has the last word on a path, once the staples are settled. */
  readonly crl?: Revocation;
}

/** Judges the certificates of a path by what did not come with them. */
export interface Revocation {
  /** One step; true when all of them are good. Throws the fault of one that is not. */
  step(path: Path, options: VerifierOptions, now: number): boolean;
}

/**
 * Judges a peer by its certificates and staples: `add` and `staple` take them as they come, then `step` is called
 * until it returns true. What it throws is the fault for which the peer must be refused.
 */
export class Verifier {
  /** The certificates, and the path to the anchor once it is found. */
  readonly path: Path;
  /** What is kept of certificates and staples. */
  readonly store: Store;
  private readonly options: VerifierOptions;
  private readonly judge: StapleVerifier;
  /** For each certificate, in the order sent, what came with it; made as they come. */
  private readonly staples: Staple[] = [];
  /** Certificates of the path, the leaf first, whose staples are settled. */
  private settled = 0;
  /** The nonce that responses are asked to repeat: whoever asks fills it in. */
  readonly nonce: Uint8Array | undefined;

  /**
   * `purpose`, of `extendedKeyUsage`, is what the peer's own certificate must serve for. What is needed of all that
   * comes is kept in `store`; the 32 bytes `scratch[scratchAt…]` are nothing else's during a `step`. Throws
   * TypeError when the name is neither a DNS name nor an IP address.
   */
  constructor(
    options: VerifierOptions,
    purpose: number,
    store: Store,
    scratch: Uint8Array,
    scratchAt: number,
  ) {
    const der = new Der();
    this.options = options;
    this.store = store;
    this.path = new Path(options, store, purpose, der);
    this.judge = new StapleVerifier(options, store, scratch, scratchAt, der);
    if (options.ocsp.nonce) this.nonce = this.judge.nonce = new Uint8Array(nonceSize);
  }

  /** Certificates in the peer's list so far; the path keeps the first of them. */
  get sent(): number {
    return this.path.sent;
  }

  /** The peer's own certificate, once it is added. */
  get leaf(): Certificate {
    return this.path.at(0);
  }

  /** Takes the next certificate of the peer's list, its own first. Throws what is wrong with its own. */
  add(bytes: Uint8Array, start: number, end: number): void {
    if (this.sent === maxSent) throw faults.CERT_CHAIN_TOO_LONG;
    this.path.add(bytes, start, end);
  }

  /** Keeps a response for the certificate at `index` in the order sent, if that one is kept. Throws STORE_TOO_SMALL. */
  staple(index: number, bytes: Uint8Array, start: number, end: number): void {
    const { verify, maxCertificates } = this.options;
    if (!verify || index >= maxCertificates) return;
    while (this.staples.length <= index) this.staples.push(new Staple());
    this.staples[index].take(this.store, bytes, start, end);
  }

  /** What came with element `position` of the path; perhaps an empty one. */
  stapleAt(position: number): Staple {
    return this.sentWith(position) ?? new Staple();
  }

  private sentWith(position: number): Staple | undefined {
    return this.staples[this.path.index(position)];
  }

  /**
   * One costly step: of finding the path to a trust anchor, then of settling the staples along it, up to that of
   * the anchor if it was sent along. `now` is in seconds since 1970. True when all is done and well.
   */
  step(now: number | undefined): boolean {
    const { path, options } = this;
    if (!options.verify) return true;
    // A clock that was never set must not pass for one that was
    if (now === undefined || !(now >= options.clockFloor)) throw faults.NO_CLOCK;
    if (path.length === 0) {
      if (path.step(now)) options.onPath?.(path);
      return false;
    }
    const position = this.settled;
    const staple = this.sentWith(position);
    if (!staple?.present) {
      if (this.needsStaple(position)) throw faults.OCSP_STAPLE_MISSING;
    } else if (!this.judge.settle(staple, path.chain[position], path.issuer(position), now)) return false;
    this.settled = position + 1;
    if (this.settled < path.lengthWithAnchor) return false;
    const { crl } = options;
    if (crl === undefined || crl.step(path, options, now)) return true;
    // The last staple is asked again, and stays settled
    this.settled = position;
    return false;
  }

  /** By our policy, or because certificates demand it (RFC 7633) of those that ask for staples. */
  private needsStaple(position: number): boolean {
    const { path } = this;
    const { stapling, policy, mustStaple } = this.options.ocsp;
    // Nobody else can revoke a trust anchor that was sent along
    if (stapling === "off" || position === path.length) return false;
    if (requires(policy, position)) return true;
    return position === 0 && mustStaple === true && path.mustStaple;
  }

  /**
   * One verdict for each certificate of the path, the peer's own first, and for a trust anchor that came with a
   * staple; `fault`, if any, is what `step` threw. Empty before the path is found.
   */
  verdicts(fault: Fault | undefined): readonly Verdict[] {
    const { path } = this;
    const verdicts: Verdict[] = [];
    for (let i = 0; i < path.lengthWithAnchor; i++) {
      const staple = this.stapleAt(i);
      if (i >= path.length && !staple.present) continue;
      const verdict = verdictOn(staple, i, this.settled, fault);
      verdicts.push(verdict);
    }
    return verdicts;
  }
}

/**
 * What was found out about one certificate of a path.
 * "none": no staple came; "bad": one came that does not count, see `fault`; "unchecked": the handshake ended,
 * or verification is off, before it was looked at.
 */
export interface Verdict {
  readonly status: Status | "none" | "bad" | "unchecked";
  readonly fault?: Fault;
  /** Seconds since 1970; NaN where the response has none. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly producedAt: number;
  readonly revokedAt: number;
  /** CRLReason, RFC 5280 5.3.1, or -1. */
  readonly revocationReason: number;
  /** How the response names its signer, and whether that is a delegate of the CA rather than the CA itself. */
  readonly responder: "byName" | "byKey";
  readonly delegated: boolean;
}

/** What is said of a certificate when those before `settled` are settled and `fault`, if any, ended it there. */
function verdictOn(staple: Staple, position: number, settled: number, fault: Fault | undefined): Verdict {
  const { thisUpdate, nextUpdate, producedAt, revokedAt, revocationReason, responder, delegated } = staple;
  const ended = position === settled ? fault : undefined;
  const status = statusOf(staple, position < settled, ended);
  const told = {
    status,
    thisUpdate,
    nextUpdate,
    producedAt,
    revokedAt,
    revocationReason,
    responder,
    delegated,
  };
  return ended === undefined ? told : Object.assign(told, { fault: ended });
}

function statusOf(staple: Staple, isSettled: boolean, ended: Fault | undefined): Verdict["status"] {
  if (ended === faults.OCSP_CERT_REVOKED) return "revoked";
  if (ended === faults.OCSP_CERT_UNKNOWN) return "unknown";
  if (ended === faults.OCSP_STAPLE_MISSING) return "none";
  if (ended !== undefined) return "bad";
  if (!staple.present) return "none";
  return isSettled ? "good" : "unchecked";
}

/** What came of one response. */
export interface Judgment {
  /** What the response says. `status` is there only when it can be believed: the signature, and all before it, held. */
  readonly staple: Staple;
  /** When the signer's right to answer ends, seconds since 1970; Infinity when no date says so. */
  readonly signerUntil: number;
  /** Why the certificate must not be accepted: the response does not count, or says so. */
  readonly fault: Fault | undefined;
}

/**
 * Judges one response in DER about a certificate that `issuer` has issued, at `now`, seconds since 1970. With `nonce` the
 * response must repeat it, unless the policy lets it do without. Never throws for what the response says.
 */
export function judge(
  response: Uint8Array,
  { certificate, issuer }: { readonly certificate: Certificate; readonly issuer: Certificate },
  options: StapleOptions,
  now: number,
  nonce?: Uint8Array,
): Judgment {
  const store = new Store(new Uint8Array(response.length));
  const staple = new Staple();
  const verifier = new StapleVerifier(options, store, new Uint8Array(hashSize.sha256), 0, new Der());
  verifier.nonce = nonce;
  staple.take(store, response, 0, response.length);
  let signerUntil = Number.POSITIVE_INFINITY;
  const fault = settled(() => {
    const done = verifier.settle(staple, certificate, issuer, now);
    if (staple.delegated && verifier.delegate) signerUntil = verifier.delegate.notAfter;
    return done;
  });
  return { staple, signerUntil, fault };
}

/** Steps until all is settled; the fault if there is one. */
function settled(step: () => boolean): Fault | undefined {
  try {
    while (!step());
    return undefined;
  } catch (fault) {
    if (isFault(fault)) return fault;
    throw fault;
  }
}

/** Whether the response counts and answers the question: "unknown" is as good as no answer. */
export function answers({ staple: { status } }: Judgment): boolean {
  return status === "good" || status === "revoked";
}
