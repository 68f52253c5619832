import type { PublicKey } from "../crypto/provider.js";
import { fitsKey } from "../crypto/suites.js";
import { type Fault, faults, isFault } from "../wire/fault.js";
import { equalBytes } from "../wire/writer.js";
import {
  Certificate,
  type Constraining,
  keyUsage,
  type NameMatcher,
  type PkiOptions,
  type PkiTables,
  serves,
} from "./certificate.js";
import type { Der } from "./der.js";
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
    nameStart: certificate.nameStart,
    nameEnd: certificate.nameEnd,
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
  /** What to say if it is not. */
  private mismatch: Fault | undefined;
  /** Made for the first chain that has any. */
  private constraints: NameMatcher | undefined;
  private readonly der: Der;
  /** The certificates as sent, and why the first that can't be used but the leaf can't; made as they come. */
  readonly rows: Certificate[] = [];
  private unusable: Fault | undefined;
  /** The anchor that the leaf is, octet for octet: with less, a trusted server could vouch for another name. */
  private pinned: TrustAnchor | undefined;
  /** The path so far, from the leaf up, and for each of them the next candidate for its issuer. */
  readonly chain: Certificate[] = [];
  private next: number[] = [];
  private signatures = 0;
  private fault: Fault | undefined;
  private faultDepth = 0;

  /**
   * `purpose`, of `extendedKeyUsage`, is what the leaf must serve for. `der` reads certificates as they are added.
   * Throws TypeError when the name is neither a DNS name nor an IP address.
   */
  constructor(options: PathOptions, store: Store, purpose: number, der: Der) {
    const { serverName } = options;
    this.options = options;
    this.store = store;
    this.purpose = purpose;
    if (serverName !== undefined) this.reference = parseReference(serverName);
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
    try {
      row.read(options.pki, der, start, end);
      options.trustIndex?.find(der, start, end);
      if (reference && !row.isFor(reference)) this.mismatch = reference.mismatch;
      row.keep(options, this.store);
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown;
      row.fault = thrown;
      if (index === 0) throw thrown;
      this.unusable ??= thrown;
    }
  }

  /** One of the certificates, in the order sent. */
  at(index: number): Certificate {
    return this.rows[index];
  }

  /** Where in the order sent element `i` of the path stands; the leaf is element 0. */
  index(i: number): number {
    return this.rows.indexOf(this.chain[i]);
  }

  /** Whether a certificate of the path promises that the server staples: RFC 7633 4.2.2, 4.2.3. */
  get mustStaple(): boolean {
    for (let i = 0; i < this.length; i++) if (this.chain[i].mustStaple) return true;
    return this.anchor!.mustStaple;
  }

  /** The authority that issued element `i` of the path: the next one, or the anchor. */
  issuer(i: number): Authority {
    return i + 1 < this.length ? this.chain[i + 1] : this.anchor!;
  }

  /**
   * Goes on with the search, up to and including one signature verification. `now` is in seconds since 1970.
   * True once a path is found and everything on it checked; throws the fault when there is none.
   */
  step(now: number): boolean {
    if (this.chain.length === 0) this.takeLeaf(now);
    let anchor = this.pinned;
    if (anchor === undefined) anchor = this.extend(now);
    if (anchor === undefined) return false;
    this.complete(anchor);
    return true;
  }

  /** Checks the leaf. */
  private takeLeaf(now: number): void {
    if (this.sent === 0) throw faults.NO_PEER_CERT;
    const leaf = this.rows[0];
    // The peer signs the handshake with it: RFC 8446 4.4.2.2, RFC 5246 7.4.2
    const fault = leaf.fault ?? this.unfit(leaf, keyUsage.digitalSignature, faults.CERT_KEY_USAGE, now);
    if (fault) throw fault;
    this.lengthen(leaf);
  }

  private lengthen(certificate: Certificate): void {
    this.next[this.chain.length] = 0;
    this.chain[this.chain.length] = certificate;
  }

  /** Looks for the next link and verifies it: the anchor at the end of the path, or undefined while there is none. */
  private extend(now: number): TrustAnchor | undefined {
    const { trust } = this.options;
    while (this.chain.length > 0) {
      const last = this.chain.length - 1;
      const subject = this.chain[last];
      // The candidates are the anchors, and after those the rows
      const candidate = this.next[last]++;
      const anchor: TrustAnchor | undefined = trust[candidate];
      const row = anchor ? undefined : this.rows[candidate - trust.length];
      const issuer = anchor ?? row;
      if (issuer === undefined) {
        this.chain.pop();
        this.next.pop();
      } else if (this.mayIssue(subject, issuer, row, now)) return this.follow(subject, issuer, row);
    }
    const none =
      this.sent > this.options.maxCertificates ? faults.CERT_CHAIN_TOO_LONG : faults.CERT_UNKNOWN_ISSUER;
    throw this.fault ?? this.unusable ?? none;
  }

  /** Whether a candidate, an anchor or a row, may have issued the last certificate of the path. */
  private mayIssue(
    subject: Certificate,
    issuer: TrustAnchor | Certificate,
    row: Certificate | undefined,
    now: number,
  ): boolean {
    if (row && (row.fault || this.chain.includes(row))) return false;
    if (!isIssuerName(subject, issuer)) return false;
    let fault = this.linkFault(subject, issuer);
    // RFC 5280 6.1.4 (n)
    if (row) fault ??= this.unfit(row, keyUsage.keyCertSign, faults.CERT_CA_KEY_USAGE, now);
    if (fault) this.note(fault);
    return !fault;
  }

  /** What forbids this link, whether the issuer is an anchor or not. */
  private linkFault(subject: Certificate, issuer: TrustAnchor | Certificate): Fault | undefined {
    // RFC 5280 6.1.4 (k)
    if (!issuer.ca) return faults.CERT_NOT_CA;
    // RFC 5280 4.2.1.12; it limits what a CA may certify, as browsers have it
    if (!serves(issuer.extendedKeyUsage, this.purpose)) return faults.CERT_EXTENDED_KEY_USAGE;
    // RFC 5280 4.2.1.9 and 6.1.4 (l), (m)
    if (issuer.pathLen >= 0) {
      const above = this.intermediates();
      if (above > issuer.pathLen) return faults.CERT_PATH_LENGTH;
    }
    const { scheme } = subject;
    const accepted = subject.verification && this.options.schemes.includes(scheme);
    if (!accepted || !fitsKey(scheme, issuer.key.kind)) return faults.CERT_SIGNATURE_ALGORITHM;
    return undefined;
  }

  /** CA certificates on the path so far that count for a pathLenConstraint: not the self-issued ones. */
  private intermediates(): number {
    let count = 0;
    for (let i = 1; i < this.chain.length; i++) if (!this.chain[i].selfIssued) count++;
    return count;
  }

  /** Verifies the link to a candidate, RFC 5280 6.1.3 (a)(1), and goes on from there; the anchor at the end of the path. */
  private follow(
    subject: Certificate,
    issuer: TrustAnchor | Certificate,
    row: Certificate | undefined,
  ): TrustAnchor | undefined {
    if (++this.signatures > maxSignatures) throw faults.CERT_CHAIN_TOO_LONG;
    if (!subject.verify(this.options, issuer.key)) this.note(faults.CERT_SIGNATURE);
    else if (row) this.lengthen(row);
    else if (this.allowNames(issuer as TrustAnchor)) return issuer as TrustAnchor;
    else this.note(faults.CERT_NAME_CONSTRAINTS);
    return undefined;
  }

  private complete(anchor: TrustAnchor): void {
    if (this.mismatch) throw this.mismatch;
    this.anchor = anchor;
    this.length = this.chain.length;
    const sent = this.findSent(anchor);
    if (sent) this.chain[this.length] = sent;
    this.lengthWithAnchor = this.chain.length;
    this.next = [];
    // Their signatures are verified, or of no account
    for (let i = 0; i < this.rows.length; i++) this.rows[i].verification = undefined;
  }

  /** The row of the anchor, if it was sent along. */
  private findSent(anchor: TrustAnchor): Certificate | undefined {
    for (let i = 0; i < this.rows.length; i++) {
      const row = this.rows[i];
      if (row.fault || this.chain.includes(row)) continue;
      if (isAnchor(row, anchor)) return row;
    }
    return undefined;
  }

  /** RFC 5280 6.1.3 (b), (c), once the path is whole: only then is a name worth the work of comparing it. */
  private allowNames(anchor: TrustAnchor): boolean {
    for (let i = this.chain.length - 1; i >= 0; i--)
      if (!this.allowBelow(i, this.chain[i + 1] ?? anchor)) return false;
    return true;
  }

  /** Whether a CA's constraints allow elements 0 to `top` of the path; self-issued ones but the leaf are exempt. */
  private allowBelow(top: number, ca: Constraining): boolean {
    if (ca.constraintsStart === ca.constraintsEnd) return true;
    for (let i = 0; i <= top; i++) {
      const certificate = this.chain[i];
      if (i > 0 && certificate.selfIssued) continue;
      if (certificate.altNamesLost(this.store)) throw faults.STORE_TOO_SMALL;
      const { NameConstraints } = this.options.pki;
      // An anchor may have been read with other tables
      if (NameConstraints === undefined) throw faults.CERT_CRITICAL_EXTENSION;
      this.constraints ??= new NameConstraints();
      if (!this.constraints.allow(certificate, ca)) return false;
    }
    return true;
  }

  /** What forbids a certificate to stand on a path. The dates so that what is not a number is refused. */
  private unfit(certificate: Certificate, use: number, useFault: Fault, now: number): Fault | undefined {
    if (!certificate.permits(use)) return useFault;
    // RFC 5280 4.2.1.12
    if (!serves(certificate.extendedKeyUsage, this.purpose)) return faults.CERT_EXTENDED_KEY_USAGE;
    // RFC 5280 4.2 and 6.1.4 (o), 6.1.5 (f)
    if (certificate.unknownCritical) return faults.CERT_CRITICAL_EXTENSION;
    // RFC 5280 6.1.3 (a)(2)
    if (!(now >= certificate.notBefore)) return faults.CERT_NOT_YET_VALID;
    if (!(now <= certificate.notAfter)) return faults.CERT_EXPIRED;
    return undefined;
  }

  /** Keeps the fault that was met furthest up, and the first of those. */
  private note(fault: Fault): void {
    if (this.chain.length <= this.faultDepth) return;
    this.fault = fault;
    this.faultDepth = this.chain.length;
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
function isAnchor(row: Certificate, anchor: TrustAnchor): boolean {
  const { bytes, nameStart, nameEnd, key } = row;
  return (
    equalBytes(bytes, nameStart, nameEnd, anchor.nameBytes, anchor.nameStart, anchor.nameEnd) &&
    equalBytes(key.bytes, key.start, key.end, anchor.key.bytes, anchor.key.start, anchor.key.end)
  );
}

/** RFC 5280 6.1.3 (a)(4). CAs write their name the same way each time (4.1.2.4), so octets are compared. */
function isIssuerName(subject: Certificate, issuer: Authority): boolean {
  const { bytes, issuerStart, issuerEnd } = subject;
  return equalBytes(bytes, issuerStart, issuerEnd, issuer.nameBytes, issuer.nameStart, issuer.nameEnd);
}
