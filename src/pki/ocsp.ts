import type { HashAlgorithm, PublicKey, Verification } from "../crypto/provider.js";
import { fitsKey, hashSize } from "../crypto/suites.js";
import { expect, type Fault, faults, isFault } from "../wire/fault.js";
import { table } from "../wire/table.js";
import { equalBytes } from "../wire/writer.js";
import { readSignatureAlgorithm } from "./algorithm.js";
import {
  beginVerification,
  Certificate,
  keyUsage,
  type PkiOptions,
  type PkiTables,
  settleVerification,
} from "./certificate.js";
import { type Der, type ExtensionRow, type Oid, readExtensions, tag } from "./der.js";
import type { Authority } from "./path.js";
import { type OcspPolicy, requiresNonce } from "./policy.js";
import type { Store } from "./store.js";

/** A responder trusted by configuration, RFC 6960 4.2.2.2 (1): a name and a key, like any authority. */
export type Responder = Authority;

/** The responder that a certificate in DER names, read with these tables: see the client's `responder`. */
export function responder(der: Uint8Array, tables: PkiTables): Responder {
  const certificate = new Certificate();
  certificate.read(tables, der, 0, der.length);
  const { nameStart, nameEnd, key } = certificate;
  return Object.freeze({ nameBytes: der, nameStart, nameEnd, key: Object.freeze(key) });
}

export type Status = "good" | "unknown" | "revoked";

/** Of several answers about one certificate the worst counts. */
const severity = Object.freeze({ GOOD: 0, UNKNOWN: 1, REVOKED: 2 });

/** What bounds the work that a hostile response makes; a responder sends one or two of each. */
const maxResponses = 512;
const maxCertificates = 4;

/** How far the judgment has come. The two in the middle say whose signature is verified next. */
const stage = Object.freeze({ TAKEN: 1, DELEGATE: 2, RESPONSE: 3, SETTLED: 4 });

/** A ResponderID's choices. Where a literal would be copied into RAM each time, these stay in flash. */
const choices = Object.freeze(["byName", "byKey"] as const);

/** A time that was not told: no comparison with it holds. */
const absent = Number.NaN;

/**
 * One OCSP response, RFC 6960: `take` keeps it, a `StapleVerifier` judges it, and what it says can be read.
 * That is what the response claims, even when it was refused; `status` is there only once the signature has
 * been verified. Times are in seconds since 1970, NaN when absent.
 */
export class Staple {
  status: Status | undefined;
  /** Of `severity`, or -1 while nothing was said about the certificate. */
  severity = -1;
  thisUpdate = absent;
  nextUpdate = absent;
  revokedAt = absent;
  /** CRLReason, RFC 5280 5.3.1, or -1. */
  revocationReason = -1;
  producedAt = absent;
  /** How the response names its signer. */
  responder: "byName" | "byKey" = choices[0];
  /** Whether the signer is a delegate of the issuer, rather than the issuer itself or a configured responder. */
  delegated = false;
  /** Where the response lies in the store; -1 when there is none. */
  start = -1;
  end = -1;

  /** Whether there is a response to settle. */
  get present(): boolean {
    return this.start >= 0;
  }

  /** Copies the response `der[start…end)` to the store. Throws STORE_TOO_SMALL. */
  take(store: Store, der: Uint8Array, start: number, end: number): void {
    this.start = store.save(der, start, end);
    this.end = this.start + end - start;
  }
}

export interface StapleOptions extends PkiOptions {
  /** What responses are measured by. */
  readonly ocsp: OcspPolicy;
}

/**
 * Judges staples, one after another: `settle` is called until it returns true or throws. Offsets are into
 * `store.bytes`, where the response stays.
 */
export class StapleVerifier {
  /** The nonce that every response must repeat, unless the policy lets it do without (RFC 9654). */
  nonce: Uint8Array | undefined;
  private readonly options: StapleOptions;
  private readonly store: Store;
  private readonly der: Der;
  /** Where digests are written to be compared. */
  private readonly scratch: Uint8Array;
  private readonly scratchAt: number;
  /** What is judged at present, and what was found out about it: nothing before `examine`. */
  declare private staple: Staple | undefined;
  declare private stage: number;
  declare nonceStart: number;
  declare nonceEnd: number;
  declare private responderStart: number;
  declare private responderEnd: number;
  declare private scheme: number;
  declare private signatureStart: number;
  declare private signatureEnd: number;
  declare private certsStart: number;
  declare private certsEnd: number;
  declare private verification: Verification | undefined;
  declare private signer: PublicKey;
  /** The signer, while a staple that is `delegated` is being settled. */
  declare delegate: Certificate | undefined;
  /** Keys and certificates looked at so far in search of the signer, and why none would do. */
  declare private tried: number;
  declare private failure: Fault;

  /** `der`, and the 32 bytes `scratch[scratchAt…]`, are nothing else's during a `settle`. */
  constructor(options: StapleOptions, store: Store, scratch: Uint8Array, scratchAt: number, der: Der) {
    this.options = options;
    this.store = store;
    this.der = der;
    this.scratch = scratch;
    this.scratchAt = scratchAt;
  }

  /**
   * Takes the next step in judging the response about `subject`, a certificate that `issuer` issued, at `now`.
   * The first call checks all but signatures, each further one verifies one signature at most. Returns true
   * when the certificate is good; throws the fault when the response, or the certificate, is not.
   */
  settle(staple: Staple, subject: Certificate, issuer: Authority, now: number): boolean {
    if (!staple.present) throw faults.OCSP_STAPLE_MISSING;
    if (this.staple !== staple) this.stage = stage.TAKEN;
    this.staple = staple;
    if (this.stage === stage.TAKEN) this.examine(staple, subject, issuer, now);
    else if (this.stage === stage.RESPONSE) this.verifyResponse(staple, issuer, now);
    else if (this.stage === stage.DELEGATE) this.verifyDelegate(issuer, now);
    if (this.stage !== stage.SETTLED) return false;
    return isGood(staple);
  }

  private examine(staple: Staple, subject: Certificate, issuer: Authority, now: number): void {
    staple.severity = -1;
    this.nonceStart = this.nonceEnd = this.certsStart = this.certsEnd = this.tried = 0;
    this.delegate = undefined;
    this.failure = faults.OCSP_RESPONDER;
    this.readResponse(staple, subject, issuer);
    expect(staple.severity >= 0, faults.OCSP_WRONG_CERT);
    this.checkNonce();
    checkTimes(staple, this.options.ocsp, now);
    expect(this.verification !== undefined, faults.OCSP_SIGNATURE_ALGORITHM);
    this.findSigner(issuer, now);
  }

  private verifyDelegate(issuer: Authority, now: number): void {
    if (this.delegate!.verify(this.options, issuer.key)) this.stage = stage.RESPONSE;
    else this.findSigner(issuer, now);
  }

  private verifyResponse(staple: Staple, issuer: Authority, now: number): void {
    const { options, scheme, verification, signer, store, signatureStart, signatureEnd } = this;
    const { bytes } = store;
    if (settleVerification(options, scheme, verification!, signer, bytes, signatureStart, signatureEnd)) {
      const worst = staple.severity;
      staple.status = worst === severity.GOOD ? "good" : worst === severity.REVOKED ? "revoked" : "unknown";
      this.verification = this.delegate = undefined;
      this.stage = stage.SETTLED;
    } else {
      this.failure = faults.OCSP_SIGNATURE;
      this.findSigner(issuer, now);
    }
  }

  // What the response says, RFC 6960 4.2.1

  /** OCSPResponse and ResponseBytes. */
  private readResponse(staple: Staple, subject: Certificate, issuer: Authority): void {
    const der = this.der.over(this.store.bytes, staple.start, staple.end);
    der.fault = faults.OCSP_MALFORMED;
    const response = der.enter(tag.SEQUENCE);
    expect(der.small(tag.ENUMERATED) === 0, faults.OCSP_NOT_SUCCESSFUL);
    const explicit = der.enter(tag.CONSTRUCTED);
    const bytes = der.enter(tag.SEQUENCE);
    expect(der.identifier() === idPkixOcspBasic, faults.OCSP_UNKNOWN_TYPE);
    const octets = der.enter(tag.OCTET_STRING);
    this.readBasic(der, staple, subject, issuer);
    der.leave(octets);
    der.leave(bytes);
    der.leave(explicit);
    der.leave(response);
    der.finish();
  }

  /** BasicOCSPResponse: tbsResponseData, signatureAlgorithm, signature, certs. */
  private readBasic(der: Der, staple: Staple, subject: Certificate, issuer: Authority): void {
    const outer = der.enter(tag.SEQUENCE);
    const tbs = der.at;
    this.readData(der, staple, subject, issuer);
    const tbsEnd = der.at;
    this.scheme = readSignatureAlgorithm(der, this.options.pki.signatures);
    this.verification = beginVerification(this.options, this.scheme, der.bytes, tbs, tbsEnd);
    this.signatureStart = der.octets();
    this.signatureEnd = der.at;
    // certs [0] EXPLICIT SEQUENCE OF Certificate: only their places for now
    if (der.more) {
      const explicit = der.enter(tag.CONSTRUCTED);
      const list = der.enter(tag.SEQUENCE);
      this.certsStart = der.at;
      while (der.more) der.value(tag.SEQUENCE);
      this.certsEnd = der.at;
      der.leave(list);
      der.leave(explicit);
    }
    der.leave(outer);
  }

  /** ResponseData: version, responderID, producedAt, responses, responseExtensions. */
  private readData(der: Der, staple: Staple, subject: Certificate, issuer: Authority): void {
    const outer = der.enter(tag.SEQUENCE);
    // Version 1 is the default, which DER does not write. Chromium and mozilla::pkix let it pass for the sake of
    // responders that do, and so it passes here: it is signed and can mean only one thing
    if (der.peek() === tag.CONSTRUCTED)
      expect(der.explicit(tag.CONSTRUCTED, tag.INTEGER) === 0, faults.OCSP_UNKNOWN_TYPE);
    this.readResponderId(der, staple);
    staple.producedAt = this.readTime();
    const responses = der.enter(tag.SEQUENCE);
    for (let count = 0; der.more; count++) {
      expect(count < maxResponses, faults.OCSP_MALFORMED);
      this.readSingle(der, staple, subject, issuer);
    }
    der.leave(responses);
    if (der.more) this.readExtensions(responseExtensions);
    der.leave(outer);
  }

  /** ResponderID ::= CHOICE { byName [1] Name, byKey [2] KeyHash }. */
  private readResponderId(der: Der, staple: Staple): void {
    const byName = der.peek() === tag.CONSTRUCTED + 1;
    staple.responder = choices[byName ? 0 : 1];
    const outer = der.enter(tag.CONSTRUCTED + (byName ? 1 : 2));
    this.responderStart = byName ? der.at : der.value(tag.OCTET_STRING);
    if (byName) der.value(tag.SEQUENCE);
    this.responderEnd = der.at;
    der.leave(outer);
  }

  /**
   * SingleResponse. It counts if it is about the subject and says something worse than those before it. CertStatus ::=
   * CHOICE { good [0] NULL, revoked [1] RevokedInfo, unknown [2] NULL }, all IMPLICIT.
   */
  private readSingle(der: Der, staple: Staple, subject: Certificate, issuer: Authority): void {
    let revokedAt = absent;
    let reason = -1;
    let nextUpdate = absent;
    const outer = der.enter(tag.SEQUENCE);
    const matches = this.readCertId(der, subject, issuer);
    const choice = der.peek();
    const isRevoked = choice === tag.CONSTRUCTED + 1;
    const says = isRevoked ? severity.REVOKED : choice === tag.CONTEXT ? severity.GOOD : severity.UNKNOWN;
    const status = der.enter(says === severity.UNKNOWN ? tag.CONTEXT + 2 : choice);
    if (isRevoked) {
      // RevokedInfo: revocationTime, revocationReason [0] EXPLICIT
      revokedAt = this.readTime();
      if (der.more) reason = der.explicit(tag.CONSTRUCTED, tag.ENUMERATED);
    }
    der.leave(status);
    const thisUpdate = this.readTime();
    if (der.peek() === tag.CONSTRUCTED) {
      const explicit = der.enter(tag.CONSTRUCTED);
      nextUpdate = this.readTime();
      der.leave(explicit);
    }
    if (der.more) this.readExtensions(singleExtensions);
    der.leave(outer);
    if (!matches || says <= staple.severity) return;
    staple.severity = says;
    staple.thisUpdate = thisUpdate;
    staple.nextUpdate = nextUpdate;
    staple.revokedAt = revokedAt;
    staple.revocationReason = reason;
  }

  /** CertID, 4.1.1. Returns whether all four fields are the subject's; a hash unknown here matches nothing. */
  private readCertId(der: Der, subject: Certificate, issuer: Authority): boolean {
    const outer = der.enter(tag.SEQUENCE);
    const hash = readHashAlgorithm(der);
    const issuerNameHash = der.value(tag.OCTET_STRING);
    const nameHashEnd = der.at;
    const issuerKeyHash = der.value(tag.OCTET_STRING);
    const keyHashEnd = der.at;
    const serialNumber = der.integer();
    const serialEnd = der.at;
    der.leave(outer);
    const { bytes, serialStart, serialEnd: subjectEnd } = subject;
    if (!hash || !equalBytes(bytes, serialStart, subjectEnd, der.bytes, serialNumber, serialEnd))
      return false;
    const { nameBytes, nameStart, nameEnd, key } = issuer;
    return (
      this.isHash(hash, nameBytes, nameStart, nameEnd, issuerNameHash, nameHashEnd) &&
      this.isHash(hash, key.bytes, key.start, key.end, issuerKeyHash, keyHashEnd)
    );
  }

  /** GeneralizedTime; one that is no time is OCSP_TIME. */
  private readTime(): number {
    const { der } = this;
    const start = der.at;
    der.value(tag.GENERALIZED_TIME);
    der.at = start;
    der.fault = faults.OCSP_TIME;
    const time = der.generalizedTime();
    der.fault = faults.OCSP_MALFORMED;
    return time;
  }

  /** [1] EXPLICIT Extensions, 4.4. Some responders write an empty list. */
  private readExtensions(rows: readonly ExtensionRow<StapleVerifier>[]): void {
    const outer = this.der.enter(tag.CONSTRUCTED + 1);
    const unknownCritical = readExtensions(this.der, rows, this);
    this.der.leave(outer);
    if (unknownCritical) throw faults.OCSP_CRITICAL_EXTENSION;
  }

  // Whether it counts now

  /** RFC 9654 section 2.1. A response that was made in advance has no nonce. */
  private checkNonce(): void {
    const { nonce, store, nonceStart, nonceEnd } = this;
    if (!nonce || (nonceEnd === 0 && !requiresNonce(this.options.ocsp))) return;
    expect(equalBytes(nonce, 0, nonce.length, store.bytes, nonceStart, nonceEnd), faults.OCSP_NONCE);
  }

  // Who signed it, RFC 6960 4.2.2.2

  /**
   * Goes on to the next key that may have made the signature: the issuer's, a configured responder's, that of
   * a certificate which came along. Throws `failure` when there is none left.
   */
  private findSigner(issuer: Authority, now: number): void {
    const { responders } = this.options.ocsp;
    while (this.tried <= responders.length) {
      const candidate = this.tried === 0 ? issuer : responders[this.tried - 1];
      this.tried++;
      if (!this.isSigner(candidate)) continue;
      this.signer = candidate.key;
      this.staple!.delegated = false;
      this.stage = stage.RESPONSE;
      return;
    }
    while (this.certsStart < this.certsEnd && this.tried <= responders.length + maxCertificates) {
      this.tried++;
      const delegate = this.readDelegate();
      if (!delegate) continue;
      if (!isDelegate(delegate, issuer, now) || !this.isSigner(delegate)) continue;
      this.signer = delegate.key;
      this.staple!.delegated = true;
      this.stage = stage.DELEGATE;
      return;
    }
    throw this.failure;
  }

  /** Whether the responderID means this authority, and its key is one for the algorithm of the signature. */
  private isSigner({ nameBytes, nameStart, nameEnd, key }: Authority): boolean {
    const { responderStart, responderEnd } = this;
    const named =
      this.staple!.responder === choices[0]
        ? equalBytes(this.store.bytes, responderStart, responderEnd, nameBytes, nameStart, nameEnd)
        : this.isHash("sha1", key.bytes, key.start, key.end, responderStart, responderEnd);
    if (!named || fitsKey(this.scheme, key.kind)) return named;
    this.failure = faults.OCSP_SIGNATURE_ALGORITHM;
    return false;
  }

  /** Reads the next certificate that came along; one that is malformed is no candidate. */
  private readDelegate(): Certificate | undefined {
    const { der, options, store } = this;
    const delegate = new Certificate(der);
    this.delegate = delegate;
    der.over(store.bytes, this.certsStart, this.certsEnd);
    const start = der.skip();
    this.certsStart = der.at;
    try {
      delegate.read(options.pki, store.bytes, start, der.at);
    } catch (fault) {
      if (isFault(fault)) return undefined;
      throw fault;
    }
    const { scheme, tbsStart, tbsEnd } = delegate;
    delegate.verification = beginVerification(options, scheme, store.bytes, tbsStart, tbsEnd);
    return delegate;
  }

  /** Whether `store.bytes[at…atEnd)` is the hash of `bytes[start…end)`. */
  private isHash(
    algorithm: HashAlgorithm,
    bytes: Uint8Array,
    start: number,
    end: number,
    at: number,
    atEnd: number,
  ): boolean {
    const { scratch, scratchAt } = this;
    const hash = this.options.provider.hash(algorithm);
    hash.update(bytes, start, end);
    hash.digest(scratch, scratchAt);
    const scratchEnd = scratchAt + hashSize[algorithm];
    return equalBytes(scratch, scratchAt, scratchEnd, this.store.bytes, at, atEnd);
  }
}

/**
 * Whether the certificate, if the issuer's key has signed it, lets its holder answer for the issuer. Its own
 * revocation is not looked up: id-pkix-ocsp-nocheck waives that (4.2.2.2.1), and without it there would be
 * no one to ask. A CA is no delegate: one that can sign responses could bring itself back to life (Baseline
 * Requirements 7.1.2.8).
 */
function isDelegate(delegate: Certificate, issuer: Authority, now: number): boolean {
  const { bytes, issuerStart, issuerEnd } = delegate;
  return (
    equalBytes(bytes, issuerStart, issuerEnd, issuer.nameBytes, issuer.nameStart, issuer.nameEnd) &&
    delegate.signsOcsp &&
    delegate.permits(keyUsage.digitalSignature) &&
    !delegate.unknownCritical &&
    !delegate.ca &&
    delegate.notBefore <= now &&
    now <= delegate.notAfter
  );
}

/** Throws why the certificate is not. */
function isGood(staple: Staple): boolean {
  if (staple.severity === severity.GOOD) return true;
  throw staple.severity === severity.REVOKED ? faults.OCSP_CERT_REVOKED : faults.OCSP_CERT_UNKNOWN;
}

/** RFC 6960 4.2.2.1 and 3.2 (5), (6). Every check says what must hold, so that a NaN fails it. */
function checkTimes(staple: Staple, policy: OcspPolicy, now: number): void {
  const { skew, maxAge, allowMissingNextUpdate } = policy;
  const { thisUpdate, nextUpdate, producedAt } = staple;
  const open = Number.isNaN(nextUpdate);
  expect(thisUpdate <= now + skew && producedAt <= now + skew, faults.OCSP_NOT_YET_VALID);
  // 2.5: what thisUpdate dates "was known" when it was signed; the skew is for responders that round
  expect(thisUpdate <= producedAt + skew, faults.OCSP_TIME);
  expect(!open || allowMissingNextUpdate, faults.OCSP_NO_NEXT_UPDATE);
  expect(open || thisUpdate <= nextUpdate, faults.OCSP_TIME);
  expect(open || now <= nextUpdate + skew, faults.OCSP_EXPIRED);
  expect(maxAge === undefined || now <= thisUpdate + maxAge + skew, faults.OCSP_EXPIRED);
}

/** 1.3.6.1.5.5.7.48.1.1 */
const idPkixOcspBasic: Oid = "\x2b\x06\x01\x05\x05\x07\x30\x01\x01";
/** 1.3.6.1.5.5.7.48.1.2 */
const idPkixOcspNonce: Oid = "\x2b\x06\x01\x05\x05\x07\x30\x01\x02";
/** 1.3.14.3.2.26 */
const idSha1: Oid = "\x2b\x0e\x03\x02\x1a";
/** 2.16.840.1.101.3.4.2.1 */
const idSha256: Oid = "\x60\x86\x48\x01\x65\x03\x04\x02\x01";

const responseExtensions = table<ExtensionRow<StapleVerifier>>([{ oid: idPkixOcspNonce, read: readNonce }]);

/** 4.4 and 4.4.5 have extensions of a single response, none of which changes what we take from it. */
const singleExtensions = table<ExtensionRow<StapleVerifier>>([]);

/** Nonce ::= OCTET STRING, RFC 9654 section 2.1. */
function readNonce(der: Der, to: StapleVerifier): void {
  to.nonceStart = der.value(tag.OCTET_STRING);
  to.nonceEnd = der.at;
}

/**
 * The hash of a CertID, with NULL or without parameters (RFC 4055 2.1). SHA-1 only tells issuers apart here, and
 * RFC 5019 2.1.1 asks for it; who signs is told by the signature.
 */
function readHashAlgorithm(der: Der): "sha1" | "sha256" | undefined {
  const outer = der.enter(tag.SEQUENCE);
  const oid = der.identifier();
  const hash = oid === idSha1 ? "sha1" : oid === idSha256 ? "sha256" : undefined;
  der.optionalNull();
  der.leave(outer);
  return hash;
}
