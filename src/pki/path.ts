import type { PublicKey } from "../crypto/provider.js";
import { fitsKey } from "../crypto/suites.js";
import { type Fault, faults, isFault } from "../wire/fault.js";
import { equalBytes } from "../wire/writer.js";
import {
  Certificate,
  extendedKeyUsage,
  keyUsage,
  type NameMatcher,
  type PkiOptions,
  type PkiTables,
  serves,
} from "./certificate.js";
import { Der } from "./der.js";
import { parseReference, type Reference } from "./hostname.js";
import type { Store } from "./store.js";

/** Signature checks for one path: a chain needs one a link; what needs more was made to need it. */
const maxSignatures = 32;

/** A CA as the link above a certificate needs it: its Name, header included, and its key. */
export interface Authority {
  readonly nameBytes: Uint8Array;
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly key: PublicKey;
}

/** A CA that is trusted a priori, RFC 5280 6.1.1 (d), with what its certificate says that it may do. */
export interface TrustAnchor extends Authority {
  /** The whole certificate. */
  readonly der: Uint8Array;
  /** Whether it may issue certificates; if not, it is trusted as a server's certificate only, and as it is. */
  readonly ca: boolean;
  /** PathLenConstraint, or -1. */
  readonly pathLen: number;
  /** Bits of `extendedKeyUsage`: what it may vouch for; 0 when the extension is absent. */
  readonly extendedKeyUsage: number;
  /** RFC 7633 4.2.2: all servers below it promise to staple. */
  readonly mustStaple: boolean;
  /** The value of NameConstraints, a span of `nameBytes`; empty when there is none. */
  readonly constraintsStart: number;
  readonly constraintsEnd: number;
}

/** Finds trust anchors that are not all at hand. */
export interface TrustIndex {
  /**
   * Adds to the path's `trust` those that may have issued the certificate `bytes[start…end)`, which is well-formed.
   * What it throws is a fault of that certificate's.
   */
  find(bytes: Uint8Array, start: number, end: number): void;
}

/** What the user of a path trusts and wants to reach. */
export interface PathOptions extends PkiOptions {
  readonly trust: readonly TrustAnchor[];
  /** Is asked for more of it with each certificate that comes. */
  readonly trustIndex?: TrustIndex;
  /** A DNS name or an IP address; any will do when absent. */
  readonly serverName?: string;
  /** The signature schemes that are accepted in certificates. */
  readonly schemes: readonly number[];
  /** Certificates that are kept; what comes after them is ignored. */
  readonly maxCertificates: number;
}

/** The trust anchor that a CA's certificate stands for, read with these tables: see the client's `trustAnchor`. */
export function trustAnchor(der: Uint8Array, tables: PkiTables): TrustAnchor {
  const certificate = new Certificate();
  certificate.read(tables, der, 0, der.length);
  if (certificate.unknownCritical) throw faults.CERT_CRITICAL_EXTENSION;
  return Object.freeze({
    der,
    nameBytes: der,
    nameStart: certificate.subjectStart,
    nameEnd: certificate.subjectEnd,
    key: Object.freeze(certificate.key),
    // RFC 5280 6.1.4 (k): a version 1 or 2 certificate can only be known as a CA "through out-of-band means"
    ca: certificate.version < 3 || (certificate.ca && certificate.permits(keyUsage.keyCertSign)),
    pathLen: certificate.pathLen,
    extendedKeyUsage: certificate.extendedKeyUsage,
    mustStaple: certificate.mustStaple,
    constraintsStart: certificate.constraintsStart,
    constraintsEnd: certificate.constraintsEnd,
  });
}

/**
 * The certificates that a peer sent, and the path from its own to a trust anchor, RFC 5280 section 6 for the
 * authentication of a server, or of a client. `add` each as it comes, then `step` until it returns true. Rows may come in any
 * order, with extras and cross-signed ones: the path is searched depth first, anchors before rows, and what
 * is not on it is ignored. The state is bounded by `maxCertificates`.
 *
 * Faults are judged in this order: the leaf's own (critical extensions, dates, key usages), then those of the
 * path, then name constraints, then the name. When several paths fail, the fault met furthest up is thrown.
 */
export class Path {
  /** Certificates of the message so far; the first of them are kept. */
  sent = 0;
  /** Certificates on the path, once it is found; 0 before. */
  length = 0;
  /** The same, and one more when the anchor itself was sent along: its certificate is then the element behind the last. */
  lengthWithAnchor = 0;
  /** The anchor that ends the path, once it is found. */
  anchor: TrustAnchor | undefined;
  private readonly options: PathOptions;
  private readonly store: Store;
  private readonly purpose: number;
  /** The name that the leaf must be for, until it was compared; undefined: any. */
  reference: Reference | undefined;
  /** What to say when it is not. */
  private mismatch: Fault | undefined;
  /** Made for the first chain that has any. */
  private constraints: NameMatcher | undefined;
  private readonly der: Der;
  /** The certificates as sent, and why one cannot be used; made as they come. */
  private readonly rows: Certificate[] = [];
  private readonly rowFaults: (Fault | undefined)[] = [];
  /** The anchor that the leaf is, octet for octet: with less, a trusted server could vouch for another name. */
  private pinned: TrustAnchor | undefined;
  /** The path so far: rows from the leaf up to `depth`, and for each the next candidate for its issuer. */
  private readonly order: number[] = [];
  private next: number[] = [];
  private depth = -1;
  private signatures = 0;
  private fault: Fault | undefined;
  private faultDepth = -1;

  /**
   * `purpose`, of `extendedKeyUsage`, is what the leaf must serve for. `der` reads certificates as they are added.
   * Throws TypeError when the name is neither a DNS name nor an IP address.
   */
  constructor(
    options: PathOptions,
    store: Store,
    purpose: number = extendedKeyUsage.serverAuth,
    der = new Der(),
  ) {
    const { serverName } = options;
    this.options = options;
    this.store = store;
    this.purpose = purpose;
    this.reference = serverName === undefined ? undefined : parseReference(serverName);
    this.mismatch = this.reference?.mismatch;
    this.der = der;
  }

  /**
   * Takes one certificate of the Certificate message, leaf first; the span may be overwritten afterwards.
   * Throws what is wrong with the leaf. Another one that is malformed, or for which there is no room, is
   * merely no candidate.
   */
  add(der: Uint8Array, start: number, end: number): void {
    const { options } = this;
    const index = this.sent++;
    if (index >= options.maxCertificates) return;
    const row = new Certificate(this.der);
    this.rows.push(row);
    if (index === 0) this.pinned = findAnchor(options.trust, der, start, end);
    const { reference } = this;
    this.reference = undefined;
    // Until it is read, so that one which was not can never stand on a path
    this.rowFaults[index] = faults.INTERNAL_ERROR;
    try {
      row.read(options.pki, der, start, end);
      options.trustIndex?.find(der, start, end);
      row.keep(options, this.store, reference);
      this.rowFaults[index] = undefined;
    } catch (thrown) {
      if (isFault(thrown)) this.rowFaults[index] = thrown;
      if (index === 0 || !isFault(thrown)) throw thrown;
    }
  }

  /** Certificates that are kept, in the order sent. */
  get count(): number {
    return this.rows.length;
  }

  /** One of them. */
  at(index: number): Certificate {
    return this.rows[index];
  }

  /** Where in the order sent element `i` of the path stands; the leaf is element 0. */
  index(i: number): number {
    return this.order[i];
  }

  /** Whether a certificate of the path promises that the server staples: RFC 7633 4.2.2, 4.2.3. */
  get mustStaple(): boolean {
    for (let i = 0; i < this.length; i++) if (this.rows[this.order[i]].mustStaple) return true;
    return this.anchor!.mustStaple;
  }

  /** The authority that issued element `i` of the path: the next one, or the anchor. */
  issuer(i: number): Authority {
    return i + 1 < this.length ? this.rows[this.order[i + 1]] : this.anchor!;
  }

  /**
   * Goes on with the search, up to and including one signature verification. `now` is in seconds since 1970.
   * True once a path is found and everything on it checked; throws the fault when there is none.
   */
  step(now: number): boolean {
    if (this.depth < 0 && this.begin(now)) return true;
    while (this.depth >= 0) {
      const candidate = this.next[this.depth]++;
      if (candidate >= this.options.trust.length + this.rows.length) this.depth--;
      else if (this.mayIssue(candidate, now)) return this.follow(candidate);
    }
    throw this.fault ?? this.missing();
  }

  /** Checks the leaf. True when it is itself trusted, and for the name wanted: then nobody need have signed it. */
  private begin(now: number): boolean {
    if (this.sent === 0) throw faults.NO_PEER_CERT;
    const fault = this.rowFaults[0] ?? leafFault(this.rows[0], this.purpose, now);
    if (fault) throw fault;
    this.push(0);
    return this.pinned !== undefined && this.complete(this.pinned);
  }

  private push(row: number): void {
    this.order[++this.depth] = row;
    this.next[this.depth] = 0;
  }

  /** Whether a candidate, an anchor or after those a row, may have issued the last certificate of the path. */
  private mayIssue(candidate: number, now: number): boolean {
    const { trust } = this.options;
    const row = candidate - trust.length;
    if (row >= 0 && (this.rowFaults[row] || this.isOnPath(row))) return false;
    const subject = this.rows[this.order[this.depth]];
    const issuer = row < 0 ? trust[candidate] : this.rows[row];
    if (!isIssuerName(subject, issuer)) return false;
    const fault =
      this.linkFault(subject, issuer) ?? (row < 0 ? undefined : authorityFault(this.rows[row], now));
    if (fault) this.note(fault);
    return !fault;
  }

  private isOnPath(row: number): boolean {
    for (let i = 0; i <= this.depth; i++) if (this.order[i] === row) return true;
    return false;
  }

  /** What forbids this link, whether the issuer is an anchor or not. */
  private linkFault(subject: Certificate, issuer: TrustAnchor | Certificate): Fault | undefined {
    // RFC 5280 6.1.4 (k)
    if (!issuer.ca) return faults.CERT_NOT_CA;
    // RFC 5280 4.2.1.12; it limits what a CA may certify, as browsers have it
    if (!serves(issuer.extendedKeyUsage, this.purpose)) return faults.CERT_EXTENDED_KEY_USAGE;
    // RFC 5280 4.2.1.9 and 6.1.4 (l), (m)
    if (issuer.pathLen >= 0 && this.intermediates() > issuer.pathLen) return faults.CERT_PATH_LENGTH;
    const { scheme } = subject;
    const accepted = subject.verification && this.options.schemes.includes(scheme);
    if (!accepted || !fitsKey(scheme, issuer.key.kind)) return faults.CERT_SIGNATURE_ALGORITHM;
    return undefined;
  }

  /** CA certificates on the path so far that count for a pathLenConstraint: not the self-issued ones. */
  private intermediates(): number {
    let count = 0;
    for (let i = 1; i <= this.depth; i++) if (!this.rows[this.order[i]].selfIssued) count++;
    return count;
  }

  /** Verifies the link to a candidate, RFC 5280 6.1.3 (a)(1), and goes on from there. True at the end of the path. */
  private follow(candidate: number): boolean {
    if (++this.signatures > maxSignatures) throw faults.CERT_CHAIN_TOO_LONG;
    const { trust } = this.options;
    const row = candidate - trust.length;
    const issuer = row < 0 ? trust[candidate] : this.rows[row];
    if (!this.rows[this.order[this.depth]].verify(this.options, issuer.key)) {
      this.note(faults.CERT_SIGNATURE);
      return false;
    }
    if (row >= 0) {
      this.push(row);
      return false;
    }
    if (this.allowNames(trust[candidate])) return this.complete(trust[candidate]);
    this.note(faults.CERT_NAME_CONSTRAINTS);
    return false;
  }

  private complete(anchor: TrustAnchor): boolean {
    if (!this.rows[0].named) throw this.mismatch;
    this.anchor = anchor;
    this.length = this.lengthWithAnchor = this.depth + 1;
    const row = this.findSent(anchor);
    if (row >= 0) this.order[this.lengthWithAnchor++] = row;
    this.next = [];
    // Their signatures are verified, or of no account
    for (let i = 0; i < this.rows.length; i++) this.rows[i].verification = undefined;
    return true;
  }

  /** The row of the anchor, if it was sent along; else -1. */
  private findSent(anchor: TrustAnchor): number {
    for (let i = 0; i < this.rows.length; i++)
      if (!this.rowFaults[i] && !this.isOnPath(i) && isAnchor(this.rows[i], anchor)) return i;
    return -1;
  }

  /** RFC 5280 6.1.3 (b), (c), once the path is whole: only then is a name worth the work of comparing it. */
  private allowNames(anchor: TrustAnchor): boolean {
    const { nameBytes, constraintsStart, constraintsEnd } = anchor;
    if (!this.allowBelow(this.depth, nameBytes, constraintsStart, constraintsEnd)) return false;
    for (let i = this.depth; i > 0; i--) {
      const ca = this.rows[this.order[i]];
      if (!this.allowBelow(i - 1, ca.bytes, ca.constraintsStart, ca.constraintsEnd)) return false;
    }
    return true;
  }

  /** Whether one CA's constraints allow elements 0 to `top` of the path; self-issued ones but the leaf are exempt. */
  private allowBelow(top: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (start === end) return true;
    for (let i = 0; i <= top; i++) {
      const certificate = this.rows[this.order[i]];
      if (i > 0 && certificate.selfIssued) continue;
      if (certificate.altNamesLost(this.store)) throw faults.STORE_TOO_SMALL;
      const { NameConstraints } = this.options.pki;
      // An anchor may have been read with other tables
      if (NameConstraints === undefined) throw faults.CERT_CRITICAL_EXTENSION;
      this.constraints ??= new NameConstraints();
      if (!this.constraints.allow(certificate, bytes, start, end)) return false;
    }
    return true;
  }

  private note(fault: Fault): void {
    if (this.depth <= this.faultDepth) return;
    this.fault = fault;
    this.faultDepth = this.depth;
  }

  /** Why no candidate was found at all: one that could not be read or kept, or there is none. */
  private missing(): Fault {
    for (let i = 1; i < this.rows.length; i++) {
      const fault = this.rowFaults[i];
      if (fault) return fault;
    }
    return this.sent > this.options.maxCertificates ? faults.CERT_CHAIN_TOO_LONG : faults.CERT_UNKNOWN_ISSUER;
  }
}

/** The anchor with this very certificate, if there is one. */
function findAnchor(
  anchors: readonly TrustAnchor[],
  bytes: Uint8Array,
  start: number,
  end: number,
): TrustAnchor | undefined {
  for (let i = 0; i < anchors.length; i++) {
    const { der } = anchors[i];
    if (equalBytes(der, 0, der.length, bytes, start, end)) return anchors[i];
  }
  return undefined;
}

/** Whether a certificate is the anchor's own, or another edition of it: the same name and key. */
function isAnchor({ bytes, subjectStart, subjectEnd, key }: Certificate, anchor: TrustAnchor): boolean {
  return (
    equalBytes(bytes, subjectStart, subjectEnd, anchor.nameBytes, anchor.nameStart, anchor.nameEnd) &&
    equalBytes(key.bytes, key.start, key.end, anchor.key.bytes, anchor.key.start, anchor.key.end)
  );
}

/** RFC 5280 6.1.3 (a)(4). CAs write their name the same way each time (4.1.2.4), so octets are compared. */
function isIssuerName(subject: Certificate, issuer: Authority): boolean {
  const { bytes, issuerStart, issuerEnd } = subject;
  return equalBytes(bytes, issuerStart, issuerEnd, issuer.nameBytes, issuer.nameStart, issuer.nameEnd);
}

/** What forbids a certificate to be the peer's own. */
function leafFault(leaf: Certificate, purpose: number, now: number): Fault | undefined {
  // The peer signs the handshake with it: RFC 8446 4.4.2.2, RFC 5246 7.4.2
  if (!leaf.permits(keyUsage.digitalSignature)) return faults.CERT_KEY_USAGE;
  // RFC 5280 4.2.1.12
  if (!serves(leaf.extendedKeyUsage, purpose)) return faults.CERT_EXTENDED_KEY_USAGE;
  return commonFault(leaf, now);
}

/** What forbids a certificate to be a CA's, and is not asked of an anchor. */
function authorityFault(certificate: Certificate, now: number): Fault | undefined {
  // RFC 5280 6.1.4 (n)
  if (!certificate.permits(keyUsage.keyCertSign)) return faults.CERT_CA_KEY_USAGE;
  return commonFault(certificate, now);
}

/** What forbids a certificate to stand on a path at all. The dates so that what is not a number is refused. */
function commonFault(certificate: Certificate, now: number): Fault | undefined {
  // RFC 5280 4.2 and 6.1.4 (o), 6.1.5 (f)
  if (certificate.unknownCritical) return faults.CERT_CRITICAL_EXTENSION;
  // RFC 5280 6.1.3 (a)(2)
  if (!(now >= certificate.notBefore)) return faults.CERT_NOT_YET_VALID;
  if (!(now <= certificate.notAfter)) return faults.CERT_EXPIRED;
  return undefined;
}
