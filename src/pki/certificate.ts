import type { Provider, PublicKey, Verification } from "../crypto/provider.js";
import { faults } from "../wire/fault.js";
import { none } from "../wire/reader.js";
import { extensionType } from "../wire/registry.js";
import { table } from "../wire/table.js";
import { copyBytes, equalBytes } from "../wire/writer.js";
import { readPublicKey, readSignatureAlgorithm, SubjectKey } from "./algorithm.js";
import { readNameConstraints } from "./constraints.js";
import { Der, type ExtensionRow, readExtensions, tag } from "./der.js";
import { matchesReference, type Reference } from "./hostname.js";
import { readGeneralName, readName } from "./name.js";
import type { Store } from "./store.js";

/** The bits of KeyUsage that matter here, as `Certificate.keyUsage` has them. RFC 5280 4.2.1.3. */
export const keyUsage = Object.freeze({ digitalSignature: 0x8000, keyCertSign: 0x0400 });

/** The purposes of ExtendedKeyUsage, as `Certificate.extendedKeyUsage` has them. RFC 5280 4.2.1.12. */
export const extendedKeyUsage = Object.freeze({
  serverAuth: 1,
  ocspSigning: 2,
  any: 4,
  other: 8,
  clientAuth: 16,
});

/** RFC 5280 4.1.2.2: at most 20 octets, and one for the sign. */
const maxSerial = 20;

/** The size of a SEQUENCE without any element. */
const empty = 2;

/**
 * What is kept of one X.509 certificate, RFC 5280 section 4. Spans are offsets into `bytes`: the input after
 * `read`, the store after `parse`, when the input may be overwritten.
 */
export class Certificate {
  bytes: Uint8Array = none;
  /** 1 to 3. */
  version = 1;
  /** The INTEGER's contents. */
  serialStart = 0;
  serialEnd = 0;
  /** The whole Name, header included. */
  issuerStart = 0;
  issuerEnd = 0;
  /** Seconds since 1970, both inclusive. */
  notBefore = 0;
  notAfter = 0;
  /** The whole Name, header included. */
  subjectStart = 0;
  subjectEnd = 0;
  readonly key = new SubjectKey();
  /** The SignatureScheme it is signed with, or 0 when that is unknown or refused. */
  scheme = 0;
  /** The contents of the signature's BIT STRING. */
  signatureStart = 0;
  signatureEnd = 0;
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
  /** The contents of SubjectAltName; empty when absent. After `parse` they may be lost: see `Store.keep`. */
  altNamesStart = 0;
  altNamesEnd = 0;
  /** Whether the SubjectAltName has a name that matches the reference given to `parse`; true when none was. */
  named = true;
  /** RFC 7633: the server promises to staple. */
  mustStaple = false;
  /** Whether there is a critical extension that can't be met here; whoever uses the certificate must refuse it. */
  unknownCritical = false;
  /** Over the TBSCertificate; absent when the provider has no such scheme. */
  verification: Verification | undefined;
  private tbsStart = 0;
  private tbsEnd = 0;
  private readonly der: Der;

  /** `der` reads it, and says what is thrown for bad DER; certificates that are read in turn may share it. */
  constructor(der = new Der()) {
    this.der = der;
  }

  /**
   * Reads `bytes[start…end)` and keeps in `store` what is needed later, which is all or nothing. The names are
   * compared with `reference` now, while they are all at hand. Throws CERT_MALFORMED, CERT_KEY,
   * CERT_ALGORITHM_MISMATCH or STORE_TOO_SMALL.
   */
  parse(
    provider: Provider,
    store: Store,
    bytes: Uint8Array,
    start: number,
    end: number,
    reference?: Reference,
  ): void {
    this.read(bytes, start, end);
    const names = this.der.over(bytes, this.altNamesStart, this.altNamesEnd);
    this.named = reference === undefined || matchesReference(names, reference);
    if (provider.schemes.includes(this.scheme)) {
      this.verification = provider.verification(this.scheme);
      this.verification.update(bytes, this.tbsStart, this.tbsEnd);
      this.verification.end();
    }
    this.move(store);
  }

  /** Reads `bytes[start…end)` and keeps nothing: the spans are of `bytes`, and there is no verification. */
  read(bytes: Uint8Array, start: number, end: number): void {
    this.clear();
    this.bytes = bytes;
    const der = this.der.over(bytes, start, end);
    const outer = der.enter(tag.SEQUENCE);
    this.tbsStart = der.at;
    const algorithm = this.readTbs(der);
    this.tbsEnd = der.at;
    this.readAlgorithm(der, algorithm);
    this.signatureStart = der.octets();
    this.signatureEnd = der.at;
    der.leave(outer);
    der.finish();
  }

  /** Whether `key` made the signature. False too when the scheme is unknown here. */
  verify(key: PublicKey): boolean {
    const { verification, bytes, signatureStart, signatureEnd } = this;
    return verification?.settle(key, bytes, signatureStart, signatureEnd) ?? false;
  }

  /** Whether issuer and subject are the same name, RFC 5280 section 3.2. */
  get selfIssued(): boolean {
    const { bytes, issuerStart, issuerEnd, subjectStart, subjectEnd } = this;
    return equalBytes(bytes, issuerStart, issuerEnd, bytes, subjectStart, subjectEnd);
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

  // As an Authority
  get nameBytes(): Uint8Array {
    return this.bytes;
  }

  get nameStart(): number {
    return this.subjectStart;
  }

  get nameEnd(): number {
    return this.subjectEnd;
  }

  /** Forgets what optional fields of the last certificate said. */
  private clear(): void {
    this.ca = false;
    this.pathLen = -1;
    this.keyUsage = 0;
    this.extendedKeyUsage = 0;
    this.constraintsStart = this.constraintsEnd = 0;
    this.altNamesStart = this.altNamesEnd = 0;
    this.mustStaple = false;
    this.unknownCritical = false;
    this.verification = undefined;
  }

  /** TBSCertificate, RFC 5280 4.1. Returns where its signature algorithm stands. */
  private readTbs(der: Der): number {
    const outer = der.enter(tag.SEQUENCE);
    this.version = readVersion(der);
    this.readSerial(der);
    const algorithm = der.at;
    this.scheme = readSignatureAlgorithm(der);
    this.readNames(der);
    readPublicKey(der, this.key);
    this.readTail(der);
    der.leave(outer);
    // 4.1.2.6: without a subject there must be a subjectAltName
    const nameless = this.subjectEnd - this.subjectStart === empty;
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
    this.subjectStart = der.at;
    readName(der);
    this.subjectEnd = der.at;
  }

  /** The unique identifiers of version 2, 4.1.2.8, and the extensions of version 3, 4.1.2.9. */
  private readTail(der: Der): void {
    if (this.version > 1 && der.peek() === tag.CONTEXT + 1) der.skip();
    if (this.version > 1 && der.peek() === tag.CONTEXT + 2) der.skip();
    if (this.version < 3 || der.peek() !== tag.CONSTRUCTED + 3) return;
    const outer = der.enter(tag.CONSTRUCTED + 3);
    if (der.end - der.at === empty) throw der.fault;
    if (readExtensions(der, extensionRows, this)) this.unknownCritical = true;
    der.leave(outer);
  }

  /** RFC 5280 4.1.1.2: the algorithm outside is the one inside, or an attacker could swap it. */
  private readAlgorithm(der: Der, inner: number): void {
    const bytes = der.bytes;
    const start = der.skip();
    // The element inside is as long as the one outside whenever the two are equal
    if (!equalBytes(bytes, inner, inner + der.at - start, bytes, start, der.at)) {
      throw faults.CERT_ALGORITHM_MISMATCH;
    }
  }

  /**
   * Moves to the store what is needed later. Serial to public key stand together and go as one piece, though
   * some 60 bytes between them are not needed.
   */
  private move(store: Store): void {
    const body = this.key.end - this.serialStart;
    const signature = this.signatureEnd - this.signatureStart;
    const constraints = this.constraintsEnd - this.constraintsStart;
    const at = store.reserve(body + signature + constraints);
    const altNames = store.keep(this.bytes, this.altNamesStart, this.altNamesEnd);
    this.altNamesEnd += altNames - this.altNamesStart;
    this.altNamesStart = altNames;
    this.moveBody(store.bytes, at);
    this.moveSignature(store.bytes, at + body);
    this.moveConstraints(store.bytes, at + body + signature);
    this.bytes = store.bytes;
  }

  private moveBody(to: Uint8Array, at: number): void {
    copyBytes(this.bytes, this.serialStart, this.key.end, to, at);
    const shift = at - this.serialStart;
    this.serialStart += shift;
    this.serialEnd += shift;
    this.issuerStart += shift;
    this.issuerEnd += shift;
    this.subjectStart += shift;
    this.subjectEnd += shift;
    this.key.start += shift;
    this.key.end += shift;
    this.key.bytes = to;
  }

  private moveSignature(to: Uint8Array, at: number): void {
    copyBytes(this.bytes, this.signatureStart, this.signatureEnd, to, at);
    this.signatureEnd += at - this.signatureStart;
    this.signatureStart = at;
  }

  private moveConstraints(to: Uint8Array, at: number): void {
    copyBytes(this.bytes, this.constraintsStart, this.constraintsEnd, to, at);
    this.constraintsEnd += at - this.constraintsStart;
    this.constraintsStart = at;
  }
}

/** Whether an ExtendedKeyUsage, when there is one, allows this purpose. RFC 5280 4.2.1.12. */
export function serves(usage: number, purpose: number): boolean {
  return usage === 0 || (usage & (purpose | extendedKeyUsage.any)) !== 0;
}

/** Version, RFC 5280 4.1.2.1: [0] EXPLICIT, and version 1, the default, is never written. */
function readVersion(der: Der): number {
  if (der.peek() !== tag.CONSTRUCTED) return 1;
  const outer = der.enter(tag.CONSTRUCTED);
  const version = der.small() + 1;
  der.leave(outer);
  if (version !== 2 && version !== 3) throw der.fault;
  return version;
}

function row(oid: string, read: ExtensionRow<Certificate>["read"]): ExtensionRow<Certificate> {
  return { oid, read };
}

/**
 * The extensions that a path validation for TLS acts on, and those that can't fail it, as any policy will do
 * (6.1.1 (c) to (g)). Others may stand there if they are not critical.
 */
const extensionRows = table<ExtensionRow<Certificate>>([
  row("\x55\x1d\x13", readBasicConstraints), // 2.5.29.19
  row("\x55\x1d\x0f", readKeyUsage), // 2.5.29.15
  row("\x55\x1d\x25", readExtendedKeyUsage), // 2.5.29.37
  row("\x55\x1d\x11", readAltNames), // 2.5.29.17
  row("\x55\x1d\x1e", readConstraints), // 2.5.29.30
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
  do to.extendedKeyUsage |= readPurpose(der);
  while (der.more);
  der.leave(outer);
}

function readPurpose(der: Der): number {
  const start = der.oid();
  if (der.is(start, "\x2b\x06\x01\x05\x05\x07\x03\x01")) return extendedKeyUsage.serverAuth; // 1.3.6.1.5.5.7.3.1
  if (der.is(start, "\x2b\x06\x01\x05\x05\x07\x03\x02")) return extendedKeyUsage.clientAuth; // 1.3.6.1.5.5.7.3.2
  if (der.is(start, "\x2b\x06\x01\x05\x05\x07\x03\x09")) return extendedKeyUsage.ocspSigning; // 1.3.6.1.5.5.7.3.9
  if (der.is(start, "\x55\x1d\x25\x00")) return extendedKeyUsage.any; // 2.5.29.37.0
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

/** RFC 5280 4.2.1.10. */
function readConstraints(der: Der, to: Certificate): void {
  to.constraintsStart = der.at;
  readNameConstraints(der);
  to.constraintsEnd = der.at;
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
