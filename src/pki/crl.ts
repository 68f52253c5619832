import type { PublicKey, Verification } from "../crypto/provider.js";
import { fitsKey } from "../crypto/suites.js";
import { faults } from "../wire/fault.js";
import { none } from "../wire/reader.js";
import { table } from "../wire/table.js";
import { copyBytes, equalBytes } from "../wire/writer.js";
import { readSignatureAlgorithm } from "./algorithm.js";
import { type Certificate, type PkiOptions, type PkiTables, settleVerification } from "./certificate.js";
import { Der, type ExtensionRow, readExtensions, tag } from "./der.js";
import { readGeneralName, readName } from "./name.js";
import type { Authority } from "./path.js";

/** Bytes of a list that are looked at together: no name, entry, extensions or signature in it may be longer. */
export const CRL_WINDOW = 2048;

/** What a list is asked. */
export interface CrlQuestion {
  readonly subject: Certificate;
  readonly authority: Authority;
  /** Seconds since 1970. */
  readonly now: number;
  /** Seconds by which the clocks of CA and verifier may differ. */
  readonly skew: number;
}

/** What is read next of a CertificateList: its parts, in their order. */
const part = Object.freeze({
  LIST: 0,
  TBS: 1,
  VERSION: 2,
  ALGORITHM: 3,
  ISSUER: 4,
  THIS_UPDATE: 5,
  NEXT_UPDATE: 6,
  REVOKED: 7,
  ENTRY: 8,
  EXTENSIONS: 9,
  OUTER_ALGORITHM: 10,
  SIGNATURE: 11,
  END: 12,
});

/** CRLReason, RFC 5280 5.3.1: of a delta CRL, that an entry is gone. */
const removeFromCrl = 8;

/** A time that was not told: no comparison with it holds. */
const absent = Number.NaN;

/** Octets of the longest length that a header may have: lists of 4 GB. */
const maxLengthOctets = 4;

/**
 * One CRL, RFC 5280 section 5, in pieces of any size as they come, in memory that does not grow with it: `begin`, then
 * `update` for each piece, `finish`, and `settle`. Only then its answer can be believed: before, it is what the bytes
 * claim. Faults are thrown as soon as they are met.
 */
export class CrlReader {
  /** Seconds since 1970; NaN when absent or not yet read. */
  thisUpdate = absent;
  nextUpdate = absent;
  /** Whether the subject is on the list, since when, and why: CRLReason, RFC 5280 5.3.1, or -1. */
  revoked = false;
  revokedAt = absent;
  revocationReason = -1;
  /** Whether the list is another CA's than the subject's issuer: then the rest of it says nothing. */
  foreign = false;
  private readonly options: PkiOptions;
  private readonly der: Der;
  private question: CrlQuestion | undefined;
  /** What has come and is not done with: `window[at…filled)` is to be read, `window[hashed…]` to be hashed. */
  private readonly window: Uint8Array;
  private hashed = 0;
  private at = 0;
  private filled = 0;
  /** Bytes of the list before the window. Where things end counts from the list's beginning. */
  private passed = 0;
  private listEnd = 0;
  private tbsEnd = 0;
  private entriesEnd = 0;
  private part: number = part.LIST;
  private contents = 0;
  private end = 0;
  private version2 = false;
  private reason = -1;
  private scheme = 0;
  private algorithm: Uint8Array = none;
  private verification: Verification | undefined;
  private signature: Uint8Array = none;

  /** `window` is its own from now on. */
  constructor(options: PkiOptions, window: Uint8Array = new Uint8Array(CRL_WINDOW)) {
    this.options = options;
    this.window = window;
    this.der = new Der(faults.CRL_MALFORMED);
  }

  /** Begins with a list. Without a question its form alone is checked, and no signature can be settled. */
  begin(question?: CrlQuestion): void {
    this.question = question;
    this.thisUpdate = this.nextUpdate = this.revokedAt = absent;
    this.revoked = this.foreign = this.version2 = false;
    this.revocationReason = -1;
    this.hashed = this.at = this.filled = this.passed = 0;
    this.part = part.LIST;
    this.verification = undefined;
    this.der.fault = faults.CRL_MALFORMED;
  }

  /** Takes the next bytes of the list. */
  update(bytes: Uint8Array, start: number, end: number): void {
    const { window } = this;
    for (let at = start; at < end && !this.foreign; ) {
      const n = Math.min(end - at, window.length - this.filled);
      if (n === 0) throw faults.CRL_MALFORMED;
      copyBytes(bytes, at, at + n, window, this.filled);
      this.filled += n;
      at += n;
      while (!this.foreign && this.at < this.filled && this.takePart());
      this.discard();
    }
  }

  /** That was all of it. */
  finish(): void {
    if (this.part !== part.END && !this.foreign) throw faults.CRL_MALFORMED;
  }

  /** Whether the issuer made the signature. The costly step. */
  settle(): void {
    const { options, question, scheme, verification, signature, foreign } = this;
    if (this.part !== part.END || foreign || !question || !verification) throw faults.INTERNAL_ERROR;
    const { key } = question.authority;
    verification.end();
    this.verification = undefined;
    if (!settleVerification(options, scheme, verification, key, signature, 0, signature.length))
      throw faults.CRL_SIGNATURE;
  }

  // In the window

  /** Takes what comes next; false when not all of it is there. */
  private takePart(): boolean {
    if (!this.readHeader()) return false;
    this.passOverAbsent();
    const next = this.part;
    const streamed = next === part.LIST || next === part.TBS || next === part.REVOKED;
    if (this.passed + this.end > this.limit) throw faults.CRL_MALFORMED;
    if (streamed) this.open(next);
    else if (this.end > this.filled) return false;
    else this.readPart(next);
    this.moveOn(next);
    return true;
  }

  /**
   * Tag and length at `at`, X.690 8.1 and 10.1, as far as they are there: `contents` is then where the contents begin, and
   * `end` where they end.
   */
  private readHeader(): boolean {
    const { window, at, filled } = this;
    if (this.part === part.END) throw faults.CRL_MALFORMED;
    if (filled - at < 2) return false;
    const first = window[at + 1];
    const octets = first < 0x80 ? 0 : first & 0x7f;
    if (octets > maxLengthOctets || first === 0x80) throw faults.CRL_MALFORMED;
    if (filled - at < 2 + octets) return false;
    let length = octets === 0 ? first : 0;
    for (let i = 0; i < octets; i++) length = length * 256 + window[at + 2 + i];
    if (octets > 0 && (length < 0x80 || length < 256 ** (octets - 1))) throw faults.CRL_MALFORMED;
    this.contents = at + 2 + octets;
    this.end = this.contents + length;
    return true;
  }

  /** Where what is read next must end at the latest. */
  private get limit(): number {
    const { part: next } = this;
    if (next === part.ENTRY) return this.entriesEnd;
    if (next === part.LIST) return Number.POSITIVE_INFINITY;
    return next === part.TBS || next > part.EXTENSIONS ? this.listEnd : this.tbsEnd;
  }

  /** Optional parts are told by their tags. */
  private passOverAbsent(): void {
    const found = this.window[this.at];
    if (this.part === part.VERSION && found !== tag.INTEGER) this.part = part.ALGORITHM;
    if (this.part === part.NEXT_UPDATE && found !== tag.UTC_TIME && found !== tag.GENERALIZED_TIME)
      this.part = part.REVOKED;
    if (this.part === part.REVOKED && found !== tag.SEQUENCE) this.part = part.EXTENSIONS;
  }

  /** Goes into a SEQUENCE that is too long for the window. */
  private open(next: number): void {
    if (this.window[this.at] !== tag.SEQUENCE) throw faults.CRL_MALFORMED;
    const end = this.passed + this.end;
    if (next === part.LIST) this.listEnd = end;
    else if (next === part.TBS) this.tbsEnd = end;
    else this.entriesEnd = end;
    // What is signed begins with the header of the TBSCertList
    if (next === part.LIST) this.hashed = this.contents;
    this.at = this.contents;
  }

  private readPart(next: number): void {
    const { der, window, at, end } = this;
    der.over(window, at, end);
    if (next === part.VERSION) this.readVersion();
    else if (next === part.ALGORITHM) this.readAlgorithm();
    else if (next === part.ISSUER) this.readIssuer();
    else if (next === part.THIS_UPDATE) this.thisUpdate = this.readTime();
    else if (next === part.NEXT_UPDATE) this.nextUpdate = this.readTime();
    else if (next === part.ENTRY) this.readEntry();
    else if (next === part.EXTENSIONS) this.readListExtensions();
    else if (next === part.OUTER_ALGORITHM) this.readOuterAlgorithm();
    else this.readSignature();
    der.finish();
    this.at = end;
  }

  /** What follows what was read. The optional parts are over where their SEQUENCE is. */
  private moveOn(done: number): void {
    const position = this.passed + this.at;
    this.part = done === part.ENTRY ? part.ENTRY : done + 1;
    if (this.part === part.ENTRY && position === this.entriesEnd) this.part = part.EXTENSIONS;
    const complete = this.part > part.THIS_UPDATE && this.part <= part.EXTENSIONS;
    if (complete && position === this.tbsEnd) this.part = part.OUTER_ALGORITHM;
    if (this.part === part.END && position !== this.listEnd) throw faults.CRL_MALFORMED;
  }

  /** Hashes what was read, and makes room for what comes. */
  private discard(): void {
    const { window, verification, at, filled } = this;
    const end = Math.min(at, this.tbsEnd - this.passed);
    if (this.part <= part.ALGORITHM) return;
    if (this.hashed < end) verification?.update(window, this.hashed, end);
    window.copyWithin(0, at, filled);
    this.passed += at;
    this.filled -= at;
    this.hashed = this.at = 0;
  }

  // What the list says, RFC 5280 5.1

  /** 5.1.2.1: version 2, or not written, which is version 1 and has no extensions. */
  private readVersion(): void {
    if (this.der.small() !== 1) throw faults.CRL_MALFORMED;
    this.version2 = true;
  }

  private readAlgorithm(): void {
    const { options, der, window, at, end } = this;
    const { provider, pki } = options;
    this.scheme = readSignatureAlgorithm(der, pki.signatures);
    this.algorithm = window.slice(at, end);
    if (provider.schemes.includes(this.scheme)) this.verification = provider.verification(this.scheme);
  }

  /** 6.3.3 (b)(1). CAs write their name the same way each time, so octets are compared. */
  private readIssuer(): void {
    const { der, window, at, end, question } = this;
    readName(der);
    if (question) {
      const { nameBytes, nameStart, nameEnd, key } = question.authority;
      this.foreign = !equalBytes(window, at, end, nameBytes, nameStart, nameEnd);
      if (!this.foreign) demandFit(this.scheme, key);
    }
    if (!this.foreign && !this.verification) throw faults.CRL_SIGNATURE_ALGORITHM;
  }

  /** 5.1.2.4 to 5.1.2.6: UTCTime or GeneralizedTime; one that is no time is CRL_TIME. */
  private readTime(): number {
    const { der } = this;
    const { at } = der;
    der.skip();
    der.at = at;
    der.fault = faults.CRL_TIME;
    const time = der.date();
    der.fault = faults.CRL_MALFORMED;
    return time;
  }

  /** Every check says what must hold, so that a NaN fails it. */
  private checkTimes(): void {
    const { thisUpdate, nextUpdate, question } = this;
    // 5.1.2.5: conforming CAs always say when the next list comes
    if (Number.isNaN(nextUpdate)) throw faults.CRL_NO_NEXT_UPDATE;
    if (!(thisUpdate <= nextUpdate)) throw faults.CRL_TIME;
    if (!question) return;
    const { now, skew } = question;
    if (!(thisUpdate <= now + skew)) throw faults.CRL_NOT_YET_VALID;
    if (!(now <= nextUpdate + skew)) throw faults.CRL_EXPIRED;
  }

  /** An entry of revokedCertificates: userCertificate, revocationDate, crlEntryExtensions. */
  private readEntry(): void {
    const { der, question } = this;
    const outer = der.enter(tag.SEQUENCE);
    const serial = der.integer();
    const serialEnd = der.at;
    const date = this.readTime();
    this.reason = -1;
    if (der.more) this.readEntryExtensions();
    der.leave(outer);
    if (!question || this.reason === removeFromCrl) return;
    const { bytes, serialStart, serialEnd: end } = question.subject;
    if (!equalBytes(bytes, serialStart, end, der.bytes, serial, serialEnd)) return;
    this.revoked = true;
    this.revokedAt = date;
    this.revocationReason = this.reason;
  }

  /** 5.3: a critical one that is not known spoils the whole list. */
  private readEntryExtensions(): void {
    if (!this.version2) throw faults.CRL_MALFORMED;
    if (readExtensions(this.der, entryExtensions, this)) throw faults.CRL_CRITICAL_EXTENSION;
  }

  takeReason(reason: number): void {
    this.reason = reason;
  }

  /** crlExtensions [0] EXPLICIT Extensions, 5.2. */
  private readListExtensions(): void {
    const { der } = this;
    if (!this.version2) throw faults.CRL_MALFORMED;
    const outer = der.enter(tag.CONSTRUCTED);
    if (readExtensions(der, listExtensions, this)) throw faults.CRL_CRITICAL_EXTENSION;
    der.leave(outer);
  }

  /** What is issued for some certificates alone must be for the one in question, 6.3.3 (b)(2). */
  limitTo(onlyUsers: boolean, onlyAuthorities: boolean): void {
    const { question } = this;
    if (question && (question.subject.ca ? onlyUsers : onlyAuthorities)) throw faults.CRL_SCOPE;
  }

  /** The DistributionPointName `start…der.at` must be one of the certificate's. */
  limitToPoint(start: number): void {
    const { question, der } = this;
    const points = question?.subject.distributionPoints;
    if (question && !(points && hasPoint(points, der.bytes, start, der.at))) throw faults.CRL_SCOPE;
  }

  /** 5.1.1.2: the algorithm outside is the one inside. */
  private readOuterAlgorithm(): void {
    const { der, window, at, end, algorithm } = this;
    if (this.passed + at !== this.tbsEnd) throw faults.CRL_MALFORMED;
    this.checkTimes();
    der.skip();
    if (!equalBytes(window, at, end, algorithm, 0, algorithm.length)) throw faults.CRL_ALGORITHM_MISMATCH;
  }

  private readSignature(): void {
    const { der } = this;
    const start = der.octets();
    this.signature = der.bytes.slice(start, der.at);
  }
}

/** Refuses a signature that no key of this kind can have made. */
function demandFit(scheme: number, key: PublicKey): void {
  if (!fitsKey(scheme, key.kind)) throw faults.CRL_SIGNATURE_ALGORITHM;
}

// Extensions

const entryExtensions = table<ExtensionRow<CrlReader>>([
  { oid: "\x55\x1d\x15", read: (der, to) => to.takeReason(der.small(tag.ENUMERATED)) }, // 2.5.29.21, reasonCode
  { oid: "\x55\x1d\x17", read: passOver }, // 2.5.29.23, holdInstructionCode
  { oid: "\x55\x1d\x18", read: passOver }, // 2.5.29.24, invalidityDate
  { oid: "\x55\x1d\x1d", read: refuseIndirect }, // 2.5.29.29, certificateIssuer
]);

const listExtensions = table<ExtensionRow<CrlReader>>([
  { oid: "\x55\x1d\x12", read: passOver }, // 2.5.29.18, issuerAltName
  { oid: "\x55\x1d\x14", read: passOver }, // 2.5.29.20, cRLNumber
  { oid: "\x55\x1d\x1b", read: refuseDelta }, // 2.5.29.27, deltaCRLIndicator
  { oid: "\x55\x1d\x1c", read: readIssuingPoint }, // 2.5.29.28, issuingDistributionPoint
  { oid: "\x55\x1d\x23", read: passOver }, // 2.5.29.35, authorityKeyIdentifier
]);

function passOver(der: Der): void {
  der.skip();
}

/** 5.3.3: entries of an indirect CRL may be another CA's certificates. */
function refuseIndirect(): void {
  throw faults.CRL_INDIRECT;
}

/** 5.2.4: a delta CRL says what has changed since another list. */
function refuseDelta(): void {
  throw faults.CRL_DELTA;
}

/**
 * IssuingDistributionPoint, 5.2.5: distributionPoint [0] EXPLICIT, onlyContainsUserCerts [1], onlyContainsCACerts [2],
 * onlySomeReasons [3], indirectCRL [4], onlyContainsAttributeCerts [5], of which at most one is TRUE of 1, 2 and 5.
 */
function readIssuingPoint(der: Der, to: CrlReader): void {
  const outer = der.enter(tag.SEQUENCE);
  if (der.peek() === tag.CONSTRUCTED) readPoint(der, to);
  const onlyUsers = flag(der, 1);
  const onlyAuthorities = flag(der, 2);
  if (der.peek() === tag.CONTEXT + 3) throw faults.CRL_SOME_REASONS;
  if (flag(der, 4)) throw faults.CRL_INDIRECT;
  if (flag(der, 5)) throw faults.CRL_SCOPE;
  der.leave(outer);
  if (onlyUsers && onlyAuthorities) throw der.fault;
  to.limitTo(onlyUsers, onlyAuthorities);
}

/** distributionPoint [0] DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] }. */
function readPoint(der: Der, to: CrlReader): void {
  const explicit = der.enter(tag.CONSTRUCTED);
  const start = der.at;
  const relative = der.peek() === tag.CONSTRUCTED + 1;
  const names = der.enter(relative ? tag.CONSTRUCTED + 1 : tag.CONSTRUCTED);
  do relative ? der.skip() : readGeneralName(der);
  while (der.more);
  der.leave(names);
  der.leave(explicit);
  to.limitToPoint(start);
}

/** [n] IMPLICIT BOOLEAN DEFAULT FALSE, which DER does not write. */
function flag(der: Der, n: number): boolean {
  if (der.peek() !== tag.CONTEXT + n) return false;
  const start = der.value(tag.CONTEXT + n);
  if (der.at - start !== 1 || der.bytes[start] !== 0xff) throw der.fault;
  return true;
}

// Distribution points of certificates, RFC 5280 4.2.1.13

/**
 * The same tables, and certificates read with them know their distribution points, and that there is no CRL for them: without,
 * a list for one point is CRL_SCOPE.
 */
export function withCrlExtensions(tables: PkiTables): PkiTables {
  const rows = tables.extensions.concat(crlExtensions);
  return Object.freeze(Object.assign({}, tables, { extensions: table(rows) }));
}

const crlExtensions: readonly ExtensionRow<Certificate>[] = Object.freeze([
  { oid: "\x55\x1d\x1f", read: keepPoints }, // 2.5.29.31, cRLDistributionPoints
  { oid: "\x55\x1d\x38", read: readNoRevAvail }, // 2.5.29.56, noRevAvail
]);

/** Who marks it as critical means that it must be heeded, which without a list nobody does. */
function keepPoints(der: Der, to: Certificate, critical: boolean): void {
  to.distributionPoints = der.bytes.slice(der.at, der.end);
  if (critical) to.unknownCritical = true;
  der.at = der.end;
}

/** RFC 9608 section 2: NULL, in no CA's certificate. */
function readNoRevAvail(der: Der, to: Certificate, critical: boolean): void {
  if (der.value(tag.NULL) !== der.at) throw der.fault;
  to.noRevAvail = true;
  if (critical) to.unknownCritical = true;
}

/**
 * Whether one of a certificate's distribution points has a name of the DistributionPointName `bytes[start…end)`. One for
 * some reasons alone, or of an indirect CRL, is none.
 */
function hasPoint(points: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const der = new Der(faults.CRL_SCOPE, points);
  let found = false;
  const outer = der.enter(tag.SEQUENCE);
  while (der.more) {
    const point = der.enter(tag.SEQUENCE);
    const named = der.peek() === tag.CONSTRUCTED;
    const name = named ? der.value(tag.CONSTRUCTED) : 0;
    if (named && !der.more && sharesName(points, name, der.at, bytes, start, end)) found = true;
    der.drop(point);
  }
  der.leave(outer);
  return found;
}

/** Whether two DistributionPointNames have a GeneralName in common, or are the same relative name. */
function sharesName(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  if (a[aStart] !== tag.CONSTRUCTED || b[bStart] !== tag.CONSTRUCTED)
    return equalBytes(a, aStart, aEnd, b, bStart, bEnd);
  const der = new Der(faults.CRL_SCOPE, a, aStart, aEnd);
  der.enter(tag.CONSTRUCTED);
  while (der.more) {
    const name = der.skip();
    if (hasName(b, bStart, bEnd, a, name, der.at)) return true;
  }
  return false;
}

/** Whether the GeneralName `name[at…nameEnd)` is among those of a fullName. */
function hasName(
  bytes: Uint8Array,
  start: number,
  end: number,
  name: Uint8Array,
  at: number,
  nameEnd: number,
): boolean {
  const der = new Der(faults.CRL_SCOPE, bytes, start, end);
  der.enter(tag.CONSTRUCTED);
  while (der.more) {
    const other = der.skip();
    if (equalBytes(bytes, other, der.at, name, at, nameEnd)) return true;
  }
  return false;
}
