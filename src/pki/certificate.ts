import type { Provider, PublicKey, Verification } from "../crypto/provider.js";
import { keyOf } from "../crypto/suites.js";
import { type Fault, faults } from "../wire/fault.js";
import { none } from "../wire/reader.js";
import { extensionType } from "../wire/registry.js";
import { table } from "../wire/table.js";
import { copyBytes, equalBytes } from "../wire/writer.js";
import {
  type KeyRow,
  readPublicKey,
  readSignatureAlgorithm,
  type SignatureRow,
  type SubjectKey,
} from "./algorithm.js";
import { Der, type ExtensionRow, readExtensions, tag } from "./der.js";
import { matchesReference, type Reference } from "./hostname.js";
import { readGeneralName, readName } from "./name.js";
import type { Store } from "./store.js";

/** The bits of KeyUsage that matter here, as `Certificate.keyUsage` has them. RFC 5280 4.2.1.3. */
export const keyUsage = Object.freeze({ digitalSignature: 0x8000, keyCertSign: 0x0400, cRLSign: 0x0200 });

/** The purposes of ExtendedKeyUsage, as `Certificate.extendedKeyUsage` has them. RFC 5280 4.2.1.12. */
export const extendedKeyUsage = Object.freeze({
  serverAuth: 1,
  ocspSigning: 2,
  any: 4,
  other: 8,
  clientAuth: 16,
});

/**
 * What certificates and responses may be made of, composed by `pkiTables`. What is in no row is refused wherever it
 * matters.
 */
export interface PkiTables {
  readonly extensions: readonly ExtensionRow<Certificate>[];
  readonly keys: readonly KeyRow[];
  readonly signatures: readonly SignatureRow[];
  /** Whether RSA is among them. */
  readonly rsa?: boolean;
  /** Compares names with NameConstraints; absent when a certificate that has any is refused. */
  readonly NameConstraints?: new () => NameMatcher;
}

/** What a feature adds to the tables; a row takes the place of one with the same OID. */
export type PkiFeature = Partial<PkiTables>;

export interface NameMatcher {
  /** Whether all names of a certificate are allowed by an authority's NameConstraints. */
  allow(certificate: Certificate, authority: Constraining): boolean;
}

/** What an authority's NameConstraints are: a span of `nameBytes`, empty when there are none. */
export interface Constraining {
  readonly nameBytes: Uint8Array;
  readonly constraintsStart: number;
  readonly constraintsEnd: number;
}

/** What certificates and responses are read and verified with. */
export interface PkiOptions {
  readonly provider: Provider;
  readonly pki: PkiTables;
  readonly remembered?: Remembered;
}

/** Settles verifications of certificates and responses: it may know those that were settled before. */
export interface Remembered {
  /** As the verification's own `settle`; `provider` has begun it, of `scheme`. */
  settle(
    provider: Provider,
    scheme: number,
    verification: Verification,
    key: PublicKey,
    signature: Uint8Array,
    start: number,
    end: number,
  ): boolean;
}

/** Of these schemes those that are of use with the tables. */
export function usableSchemes({ rsa }: PkiTables, schemes: readonly number[]): readonly number[] {
  return rsa ? schemes : schemes.filter((id) => keyOf(id) !== "rsa");
}

/** The verification of a signature over `bytes[start…end)`; undefined when the scheme is none of the provider's. */
export function beginVerification(
  { provider }: PkiOptions,
  scheme: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): Verification | undefined {
  if (!provider.schemes.includes(scheme)) return undefined;
  const verification = provider.verification(scheme);
  verification.update(bytes, start, end);
  verification.end();
  return verification;
}

/** Whether `bytes[start…end)` is the key's signature of `scheme` over what the verification is of. */
export function settleVerification(
  { provider, remembered }: PkiOptions,
  scheme: number,
  verification: Verification,
  key: PublicKey,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  return remembered
    ? remembered.settle(provider, scheme, verification, key, bytes, start, end)
    : verification.settle(key, bytes, start, end);
}

/** RFC 5280 4.1.2.2: at most 20 octets, and one for the sign. */
const maxSerial = 20;

/** The size of a SEQUENCE without any element. */
const empty = 2;

/**
 * What is kept of one X.509 certificate, RFC 5280 section 4. Spans are offsets into `bytes`: the input after
 * `read`, the store after `keep`, when the input may be overwritten. What every certificate has is declared alone: there
 * is nothing before `read`.
 */
export class Certificate {
  bytes: Uint8Array = none;
  /** 1 to 3. */
  version = 1;
  /** The INTEGER's contents. */
  declare serialStart: number;
  declare serialEnd: number;
  /** The whole Name, header included. */
  declare issuerStart: number;
  declare issuerEnd: number;
  /** Seconds since 1970, both inclusive. */
  declare notBefore: number;
  declare notAfter: number;
  /** The subject's, likewise: as an Authority. */
  declare nameStart: number;
  declare nameEnd: number;
  declare key: SubjectKey;
  /** The SignatureScheme it is signed with, or 0 when that is unknown or refused. */
  declare scheme: number;
  /** The contents of the signature's BIT STRING. */
  declare signatureStart: number;
  declare signatureEnd: number;
  /** Basic constraints: `pathLen` is -1 when there is none. */
  ca = false;
  pathLen = -1;
  /** Bits of `keyUsage`; 0 when the extension is absent. */
  keyUsage = 0;
  /** Bits of `extendedKeyUsage`; 0 when the extension is absent. */
  extendedKeyUsage = 0;
  /** The value of NameConstraints, header included; empty when absent. */
  constraintsStart = 0;
  constraintsEnd = 0;
  /** The contents of SubjectAltName; empty when absent. After `keep` they may be lost: see `Store.keep`. */
  altNamesStart = 0;
  altNamesEnd = 0;
  /** RFC 7633: the server promises to staple. */
  mustStaple = false;
  /** Whether there is a critical extension that can't be met here; whoever uses the certificate must refuse it. */
  unknownCritical = false;
  /** Over the TBSCertificate; absent when the provider has no such scheme. */
  verification: Verification | undefined;
  /** The value of CRLDistributionPoints, and RFC 9608's noRevAvail, where the tables ask for them: see `withCrlExtensions`. */
  declare distributionPoints: Uint8Array | undefined;
  declare noRevAvail: boolean | undefined;
  declare tbsStart: number;
  declare tbsEnd: number;
  /** Why it cannot stand on a path: one that was not kept never can. */
  fault: Fault | undefined = faults.INTERNAL_ERROR;
  private readonly der: Der;

  /** `der` reads it, and says what is thrown for bad DER; certificates that are read in turn may share it. */
  constructor(der = new Der()) {
    this.der = der;
  }

  /**
   * Reads `bytes[start…end)`, once. Throws CERT_MALFORMED, CERT_KEY or CERT_ALGORITHM_MISMATCH. There is no verification
   * until `keep`.
   */
  read(tables: PkiTables, bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    const der = this.der.over(bytes, start, end);
    const outer = der.enter(tag.SEQUENCE);
    this.tbsStart = der.at;
    const inner = this.readTbs(der, tables);
    this.tbsEnd = der.at;
    // RFC 5280 4.1.1.2: the algorithm outside is the one inside, or an attacker could swap it; it is as long if equal
    const algorithm = der.skip();
    if (!equalBytes(bytes, inner, inner + der.at - algorithm, bytes, algorithm, der.at))
      throw faults.CERT_ALGORITHM_MISMATCH;
    this.signatureStart = der.octets();
    this.signatureEnd = der.at;
    der.leave(outer);
    der.finish();
  }

  /** Whether the SubjectAltName has a name that matches. To be asked before `keep`, while all names are at hand. */
  isFor(reference: Reference): boolean {
    return matchesReference(this.der.over(this.bytes, this.altNamesStart, this.altNamesEnd), reference);
  }

  /** Keeps in `store`, all or nothing, what is needed of what was read. Throws STORE_TOO_SMALL. */
  keep(options: PkiOptions, store: Store): void {
    this.verification = beginVerification(options, this.scheme, this.bytes, this.tbsStart, this.tbsEnd);
    this.move(store);
    this.fault = undefined;
  }

  /** Whether `key` made the signature. False too when the scheme is unknown here. */
  verify(options: PkiOptions, key: PublicKey): boolean {
    const { scheme, verification, bytes, signatureStart: start, signatureEnd: end } = this;
    return (
      verification !== undefined && settleVerification(options, scheme, verification, key, bytes, start, end)
    );
  }

  /** Whether issuer and subject are the same name, RFC 5280 section 3.2. */
  get selfIssued(): boolean {
    const { bytes, issuerStart, issuerEnd, nameStart, nameEnd } = this;
    return equalBytes(bytes, issuerStart, issuerEnd, bytes, nameStart, nameEnd);
  }

  /** Whether KeyUsage permits this use; a certificate without it may be used for all. RFC 5280 4.2.1.3. */
  permits(use: number): boolean {
    return this.keyUsage === 0 || (this.keyUsage & use) !== 0;
  }

  /** Whether ExtendedKeyUsage names OCSPSigning itself, as RFC 6960 4.2.2.2 demands of a delegate. */
  get signsOcsp(): boolean {
    return (this.extendedKeyUsage & extendedKeyUsage.ocspSigning) !== 0;
  }

  /** Whether there were names which the store had no room to keep. */
  altNamesLost(store: Store): boolean {
    return this.altNamesStart !== this.altNamesEnd && !store.holds(this.altNamesStart);
  }

  /** As an Authority. */
  get nameBytes(): Uint8Array {
    return this.bytes;
  }

  /** TBSCertificate, RFC 5280 4.1. Returns where its signature algorithm stands. */
  private readTbs(der: Der, tables: PkiTables): number {
    const outer = der.enter(tag.SEQUENCE);
    // 4.1.2.1: version 1, the default, is never written
    if (der.peek() === tag.CONSTRUCTED) {
      this.version = der.explicit(tag.CONSTRUCTED, tag.INTEGER) + 1;
      if (this.version < 2 || this.version > 3) throw der.fault;
    }
    this.readSerial(der);
    const algorithm = der.at;
    this.scheme = readSignatureAlgorithm(der, tables.signatures);
    this.readNames(der);
    this.key = readPublicKey(der, tables.keys);
    // The unique identifiers of version 2, 4.1.2.8, and the extensions of version 3, 4.1.2.9
    if (this.version > 1) {
      if (der.peek() === tag.CONTEXT + 1) der.skip();
      if (der.peek() === tag.CONTEXT + 2) der.skip();
    }
    if (this.version === 3 && der.peek() === tag.CONSTRUCTED + 3) {
      const list = der.enter(tag.CONSTRUCTED + 3);
      if (der.end - der.at === empty) throw der.fault;
      if (readExtensions(der, tables.extensions, this)) this.unknownCritical = true;
      der.leave(list);
    }
    der.leave(outer);
    // 4.1.2.6: without a subject there must be a subjectAltName
    const nameless = this.nameEnd - this.nameStart === empty;
    if (nameless && this.altNamesStart === this.altNamesEnd) throw der.fault;
    return algorithm;
  }

  /**
   * RFC 5280 4.1.2.2. Negative and zero serials are tolerated, as it asks ("Certificate users SHOULD be
   * prepared to gracefully handle such certificates"): they are compared whole and never computed with.
   */
  private readSerial(der: Der): void {
    this.serialStart = der.integer();
    this.serialEnd = der.at;
    const sign = der.bytes[this.serialStart] === 0 ? 1 : 0;
    if (this.serialEnd - this.serialStart > maxSerial + sign) throw der.fault;
  }

  /** Issuer (4.1.2.4: never empty), validity and subject. */
  private readNames(der: Der): void {
    this.issuerStart = der.at;
    readName(der);
    this.issuerEnd = der.at;
    if (this.issuerEnd - this.issuerStart === empty) throw der.fault;
    const validity = der.enter(tag.SEQUENCE);
    this.notBefore = der.date();
    this.notAfter = der.date();
    der.leave(validity);
    this.nameStart = der.at;
    readName(der);
    this.nameEnd = der.at;
  }

  /**
   * Moves to the store what is needed later. Serial to public key stand together and go as one piece, though
   * some 60 bytes between them are not needed.
   */
  private move(store: Store): void {
    const { bytes, key, signatureStart, constraintsStart } = this;
    const body = key.end - this.serialStart;
    const signature = this.signatureEnd - signatureStart;
    const constraints = this.constraintsEnd - constraintsStart;
    const at = store.reserve(body + signature + constraints);
    const altNames = store.keep(bytes, this.altNamesStart, this.altNamesEnd);
    this.altNamesEnd += altNames - this.altNamesStart;
    this.altNamesStart = altNames;
    copyBytes(bytes, this.serialStart, key.end, store.bytes, at);
    const shift = at - this.serialStart;
    this.serialStart += shift;
    this.serialEnd += shift;
    this.issuerStart += shift;
    this.issuerEnd += shift;
    this.nameStart += shift;
    this.nameEnd += shift;
    key.start += shift;
    key.end += shift;
    key.bytes = this.bytes = store.bytes;
    this.signatureStart = at + body;
    this.signatureEnd = this.constraintsStart = this.signatureStart + signature;
    this.constraintsEnd = this.constraintsStart + constraints;
    copyBytes(bytes, signatureStart, signatureStart + signature, store.bytes, this.signatureStart);
    copyBytes(bytes, constraintsStart, constraintsStart + constraints, store.bytes, this.constraintsStart);
  }
}

/** Whether an ExtendedKeyUsage, when there is one, allows this purpose. RFC 5280 4.2.1.12. */
export function serves(usage: number, purpose: number): boolean {
  return usage === 0 || (usage & (purpose | extendedKeyUsage.any)) !== 0;
}

function row(oid: string, read: ExtensionRow<Certificate>["read"]): ExtensionRow<Certificate> {
  return { oid, read };
}

/**
 * The extensions that a path validation for TLS acts on, and those that can't fail it, as any policy will do
 * (6.1.1 (c) to (g)). Others may stand there if they are not critical.
 */
export const extensionRows = table<ExtensionRow<Certificate>>([
  row("\x55\x1d\x13", readBasicConstraints), // 2.5.29.19
  row("\x55\x1d\x0f", readKeyUsage), // 2.5.29.15
  row("\x55\x1d\x25", readExtendedKeyUsage), // 2.5.29.37
  row("\x55\x1d\x11", readAltNames), // 2.5.29.17
  row("\x55\x1d\x1e", refuseConstraints), // 2.5.29.30, nameConstraints
  row("\x2b\x06\x01\x05\x05\x07\x01\x18", readTlsFeature), // 1.3.6.1.5.5.7.1.24
  row("\x2b\x06\x01\x05\x05\x07\x30\x01\x05", readNoCheck), // 1.3.6.1.5.5.7.48.1.5
  row("\x55\x1d\x20", passOver), // 2.5.29.32, certificatePolicies
  row("\x55\x1d\x21", passOver), // 2.5.29.33, policyMappings
  row("\x55\x1d\x36", passOver), // 2.5.29.54, inhibitAnyPolicy
  row("\x55\x1d\x24", readPolicyConstraints), // 2.5.29.36
]);

function passOver(der: Der): void {
  der.skip();
}

/**
 * RFC 5280 4.2.1.11: requireExplicitPolicy [0], inhibitPolicyMapping [1]. All but the second alone needs the tree
 * of policies, which is not built here. Who means it marks it as critical.
 */
function readPolicyConstraints(der: Der, to: Certificate, critical: boolean): void {
  const outer = der.enter(tag.SEQUENCE);
  if (der.peek() === tag.CONTEXT + 1) der.skip();
  if (critical && der.more) to.unknownCritical = true;
  der.drop(outer);
}

/** RFC 6960 4.2.2.2.1: an OCSP responder's certificate need not be looked up, and never is here. */
function readNoCheck(der: Der): void {
  if (der.value(tag.NULL) !== der.at) throw der.fault;
}

/** RFC 5280 4.2.1.9. A pathLenConstraint is "meaningful only if the cA boolean is asserted"; many spell out FALSE. */
function readBasicConstraints(der: Der, to: Certificate): void {
  const outer = der.enter(tag.SEQUENCE);
  to.ca = der.flag(true);
  if (der.more) to.pathLen = der.small();
  der.leave(outer);
}

/** RFC 5280 4.2.1.3: at least one of the bits must be set. */
function readKeyUsage(der: Der, to: Certificate): void {
  to.keyUsage = der.namedBits();
  if (to.keyUsage === 0) throw der.fault;
}

/** RFC 5280 4.2.1.12: SEQUENCE SIZE (1..MAX) OF KeyPurposeId. */
function readExtendedKeyUsage(der: Der, to: Certificate): void {
  const outer = der.enter(tag.SEQUENCE);
  do {
    const purpose = readPurpose(der);
    to.extendedKeyUsage |= purpose;
  } while (der.more);
  der.leave(outer);
}

function readPurpose(der: Der): number {
  const oid = der.identifier();
  if (oid === "\x2b\x06\x01\x05\x05\x07\x03\x01") return extendedKeyUsage.serverAuth; // 1.3.6.1.5.5.7.3.1
  if (oid === "\x2b\x06\x01\x05\x05\x07\x03\x02") return extendedKeyUsage.clientAuth; // 1.3.6.1.5.5.7.3.2
  if (oid === "\x2b\x06\x01\x05\x05\x07\x03\x09") return extendedKeyUsage.ocspSigning; // 1.3.6.1.5.5.7.3.9
  if (oid === "\x55\x1d\x25\x00") return extendedKeyUsage.any; // 2.5.29.37.0
  return extendedKeyUsage.other;
}

/** RFC 5280 4.2.1.6: GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName. */
function readAltNames(der: Der, to: Certificate): void {
  const outer = der.enter(tag.SEQUENCE);
  to.altNamesStart = der.at;
  do readGeneralName(der);
  while (der.more);
  to.altNamesEnd = der.at;
  der.leave(outer);
}

/** RFC 5280 4.2.1.10: whoever cannot compare names with constraints must not pass them over, critical or not. */
function refuseConstraints(der: Der, to: Certificate): void {
  der.skip();
  to.unknownCritical = true;
}

/** RFC 7633 4.1: a list of TLS extension numbers; 5 is status_request, 17 status_request_v2. */
function readTlsFeature(der: Der, to: Certificate): void {
  const outer = der.enter(tag.SEQUENCE);
  while (der.more) {
    const feature = der.small();
    if (feature === extensionType.status_request || feature === extensionType.status_request_v2) {
      to.mustStaple = true;
    }
  }
  der.leave(outer);
}
