import { demand } from "../wire/demand.js";
import { type Fault, faults, isFault } from "../wire/fault.js";
import { Certificate, keyUsage } from "./certificate.js";
import { CRL_WINDOW, type CrlQuestion, CrlReader } from "./crl.js";
import type { Path } from "./path.js";
import { type OcspRequirement, requirements, requires } from "./policy.js";
import type { Revocation, VerifierOptions } from "./verifier.js";

/** As in node:tls, every certificate but the anchor needs a list. */
const most = requirements[requirements.length - 1];

/** Has room for a name, an entry, and the signature of a large key. */
const MIN_WINDOW = 1024;

/** A CRL in DER: its bytes, or what reads them, such as a file. */
export type CrlSource = Uint8Array | CrlPieces;

/** A CRL that is not in memory as a whole. */
export interface CrlPieces {
  /** Bytes of the list from `offset` on, from one to `most` of them; none where it ends. */
  read(offset: number, most: number): Uint8Array;
}

/** What was found out about one certificate of a path. */
export interface CrlVerdict {
  /**
   * "none": there is no list for it; "bad": there is one that does not count, see `fault`; "unchecked": the handshake ended
   * before it was looked for.
   */
  readonly status: "good" | "revoked" | "none" | "bad" | "unchecked";
  readonly fault: Fault | undefined;
  /** Of the list, seconds since 1970; NaN where there is none. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** When the certificate was revoked; NaN when it was not. */
  readonly revokedAt: number;
  /** CRLReason, RFC 5280 5.3.1, or -1. */
  readonly revocationReason: number;
}

/**
 * Judges the certificates of paths by CRLs, RFC 5280 6.3: each that `policy` names must be vouched for by a list of the CA
 * that issued it, and a list that is there is always looked at. Of several lists that count, the newest does. A trust
 * anchor is not looked up.
 */
export class Crls implements Revocation {
  readonly lists: readonly CrlSource[];
  readonly policy: OcspRequirement;
  /** Bytes of a list that are looked at in one step. */
  readonly window: number;
  /** What became of the path that was judged last: one for each certificate below the anchor, the leaf first. */
  verdicts: readonly CrlVerdict[] = [];
  private readonly checks = new WeakMap<Path, CrlCheck>();

  /** Throws RangeError for a policy or a window that can't be. */
  constructor(lists: readonly CrlSource[], policy: OcspRequirement = most, window = CRL_WINDOW) {
    demand(requirements.includes(policy), `crl: the policy is one of ${requirements.join(", ")}`);
    demand(window >= MIN_WINDOW, `crl: a window of at least ${MIN_WINDOW}`);
    this.lists = lists;
    this.policy = policy;
    this.window = window;
  }

  /** As `Revocation`: a piece of a list, or one signature. */
  step(path: Path, options: VerifierOptions, now: number): boolean {
    const check = this.checks.get(path) ?? new CrlCheck(this, path, options);
    this.checks.set(path, check);
    this.verdicts = check.verdicts;
    return check.step(now);
  }
}

/** One path's certificates before the lists, the leaf first. */
class CrlCheck {
  /** One for each certificate below the anchor, the leaf first. */
  readonly verdicts: CrlVerdict[] = [];
  /** Certificates that are judged. */
  private position = 0;
  private readonly crls: Crls;
  private readonly path: Path;
  private readonly options: VerifierOptions;
  private readonly reader: CrlReader;
  /** The list that is read, and how much of it was. */
  private list = 0;
  private offset = 0;
  /** What the newest list says that counts, and why another one does not. */
  private best: CrlVerdict | undefined;
  private failure: CrlVerdict | undefined;

  constructor(crls: Crls, path: Path, options: VerifierOptions) {
    this.crls = crls;
    this.path = path;
    this.options = options;
    this.reader = new CrlReader(options, new Uint8Array(crls.window));
    for (let i = 0; i < path.length; i++) this.verdicts.push(verdictOf("unchecked"));
  }

  /** Goes on by a piece of a list, or a signature. True when all certificates are good; throws why one is not. */
  step(now: number): boolean {
    const { lists } = this.crls;
    if (this.list === lists.length) this.conclude();
    else this.read(now);
    return this.position === this.path.length;
  }

  /** All lists are looked through for one certificate. */
  private conclude(): void {
    const { position } = this;
    const verdict = this.best ?? this.failure ?? this.missing();
    this.verdicts[position] = verdict;
    if (verdict.fault) throw verdict.fault;
    this.position = position + 1;
    this.list = 0;
    this.best = this.failure = undefined;
  }

  /** RFC 9608 section 4: of a certificate that says so there is no list. */
  private missing(): CrlVerdict {
    const { crls, path, position } = this;
    const { ca, noRevAvail } = path.at(path.index(position));
    const needed = requires(crls.policy, position) && !(noRevAvail && !ca);
    return verdictOf("none", needed ? faults.CRL_MISSING : undefined);
  }

  /** Reads a piece of a list. One that does not count may not be the only one of its CA. */
  private read(now: number): void {
    const { reader } = this;
    try {
      if (!this.advance(now)) return;
      if (!reader.foreign) this.weigh();
    } catch (fault) {
      if (!isFault(fault)) throw fault;
      this.note(fault);
    }
    this.list++;
    this.offset = 0;
  }

  /** Reads the next piece, or settles the signature behind the last one. True when the list is done with. */
  private advance(now: number): boolean {
    const { reader, crls, offset } = this;
    if (offset === 0) reader.begin(this.question(now));
    const piece = pieceOf(crls.lists[this.list], offset, crls.window);
    this.offset += piece.length;
    reader.update(piece, 0, piece.length);
    if (piece.length > 0) return reader.foreign;
    reader.finish();
    if (!this.issuerSigns()) throw faults.CRL_KEY_USAGE;
    reader.settle();
    return true;
  }

  private question(now: number): CrlQuestion {
    const { path, options, position } = this;
    const subject = path.at(path.index(position));
    return { subject, authority: path.issuer(position), now, skew: options.ocsp.skew };
  }

  /** RFC 5280 6.3.3 (f): whether the issuer's keyUsage, if there is one, has cRLSign. */
  private issuerSigns(): boolean {
    const { path, options, position } = this;
    const above = position + 1;
    const { der } = path.anchor!;
    let issuer: Certificate;
    if (above < path.length) issuer = path.at(path.index(above));
    else {
      issuer = new Certificate();
      issuer.read(options.pki, der, 0, der.length);
    }
    return issuer.permits(keyUsage.cRLSign);
  }

  /** The list counts. The newest of all that do decides; of two of one time the worse. */
  private weigh(): void {
    const { best, reader } = this;
    const { thisUpdate, revoked } = reader;
    if (best && (thisUpdate < best.thisUpdate || (thisUpdate === best.thisUpdate && !revoked))) return;
    this.best = revoked
      ? verdictOf("revoked", faults.CRL_CERT_REVOKED, reader)
      : verdictOf("good", undefined, reader);
  }

  /** Keeps the first reason, but that a list is for other certificates: it may be beside the right one. */
  private note(fault: Fault): void {
    const { failure } = this;
    if (failure === undefined || failure.fault === faults.CRL_SCOPE)
      this.failure = verdictOf("bad", fault, this.reader);
  }
}

function pieceOf(source: CrlSource, offset: number, most: number): Uint8Array {
  return source instanceof Uint8Array ? source.subarray(offset, offset + most) : source.read(offset, most);
}

/** What a reader found goes with it: of a list that does not count, what it claims, but for revocation. */
function verdictOf(status: CrlVerdict["status"], fault?: Fault, reader: Claims = silence): CrlVerdict {
  const { thisUpdate, nextUpdate } = reader;
  const { revokedAt, revocationReason } = status === "revoked" ? reader : silence;
  return { status, fault, thisUpdate, nextUpdate, revokedAt, revocationReason };
}

type Claims = Pick<CrlVerdict, "thisUpdate" | "nextUpdate" | "revokedAt" | "revocationReason">;

/** Before anything was read. */
const silence: Claims = Object.freeze({
  thisUpdate: Number.NaN,
  nextUpdate: Number.NaN,
  revokedAt: Number.NaN,
  revocationReason: -1,
});
