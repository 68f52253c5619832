/** The provider over `node:crypto`: OpenSSL does the work, this file only fits the shapes. */

import {
  constants,
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  type ECDH,
  generateKeyPairSync,
  getCipherInfo,
  KeyObject,
  randomFillSync,
  sign,
  verify,
} from "node:crypto";
import {
  type Aead,
  type AeadAlgorithm,
  type Exchange,
  findScheme,
  fitsKey,
  groups,
  type Hash,
  type HashAlgorithm,
  HybridExchange,
  longShare,
  moreGroups,
  type Provider,
  type PublicKey,
  type Scheme,
  type Signature,
  type Signer,
  schemes,
  type Verification,
} from "../../src/crypto/index.js";
import { namedGroup } from "../../src/wire/index.js";
import { readPrivateKey } from "./common/private-key.js";
import { mlKem768 } from "./mlkem.js";

const tagSize = 16;
const tagLength = Object.freeze({ authTagLength: tagSize });

class NodeHash implements Hash {
  private readonly hash;

  constructor(algorithm: HashAlgorithm) {
    this.hash = createHash(algorithm);
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    this.hash.update(bytes.subarray(start, end));
  }

  digest(out: Uint8Array, at: number): void {
    out.set(this.hash.copy().digest(), at);
  }
}

/** What createHmac takes a key as: Node 24 takes four times as long to find out that bytes are no KeyObject. */
const hmacKey: (key: Uint8Array) => Uint8Array | KeyObject = process.version.startsWith("v24.")
  ? createSecretKey
  : (key) => key;

/**
 * Content that OpenSSL made last, and for whom: a host may hand it on. It is only one, lest each connection keep a
 * record's.
 */
let latest: { readonly by: NodeAead; readonly bytes: Buffer } | undefined;

/** One AEAD key. A Node cipher takes one nonce, so each record makes one; a KeyObject makes that cheaper. */
class NodeAead implements Aead {
  private readonly algorithm: AeadAlgorithm;
  private key: KeyObject | undefined;

  constructor(algorithm: AeadAlgorithm, key: Uint8Array) {
    this.algorithm = algorithm;
    this.key = createSecretKey(key);
  }

  seal(
    nonce: Uint8Array,
    aad: Uint8Array,
    aadStart: number,
    aadEnd: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const cipher = createCipheriv(this.algorithm as "aes-128-gcm", this.key!, nonce, tagLength);
    cipher.setAAD(aad.subarray(aadStart, aadEnd));
    const ciphertext = cipher.update(bytes.subarray(start, end));
    cipher.final();
    bytes.set(ciphertext, start);
    latest = { by: this, bytes: ciphertext };
    bytes.set(cipher.getAuthTag(), end);
  }

  open(
    nonce: Uint8Array,
    aad: Uint8Array,
    aadStart: number,
    aadEnd: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const tag = end - tagSize;
    if (tag < start) return false;
    const cipher = createDecipheriv(this.algorithm as "aes-128-gcm", this.key!, nonce, tagLength);
    cipher.setAAD(aad.subarray(aadStart, aadEnd));
    cipher.setAuthTag(bytes.subarray(tag, end));
    const plaintext = cipher.update(bytes.subarray(start, tag));
    try {
      cipher.final();
    } catch {
      plaintext.fill(0);
      bytes.fill(0, start, end);
      return false;
    }
    bytes.set(plaintext, start);
    latest = { by: this, bytes: plaintext };
    return true;
  }

  apart(): Buffer | undefined {
    const made = latest?.by === this ? latest.bytes : undefined;
    if (made) latest = undefined;
    return made;
  }

  /** Node offers no way to wipe a key: it goes with the last reference to it. */
  dispose(): void {
    this.key = undefined;
    if (latest?.by === this) latest = undefined;
  }
}

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A curve of RFC 7748: its name in JWK, the bytes of a key, and the point whose multiple is a public key (6.1, 6.2). */
interface Montgomery {
  readonly crv: string;
  readonly size: number;
  readonly basePoint: KeyObject;
}

function montgomery(crv: string, size: number, base: number): Montgomery {
  return Object.freeze({ crv, size, basePoint: montgomeryKey(crv, Buffer.alloc(size).fill(base, 0, 1)) });
}

/** A public key. It passes as JWK, which OpenSSL 3 reads ten times faster than DER. */
function montgomeryKey(crv: string, bytes: Buffer): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv, x: bytes.toString("base64url") }, format: "jwk" });
}

const curve25519 = montgomery("X25519", 32, 9);
/** Undefined where OpenSSL's place is taken by what lacks it, and Ed448 with it: Bun has BoringSSL. */
const curve448 = attempt(() => montgomery("X448", 56, 5));

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

/**
 * X25519 and X448, RFC 7748. Our public key is computed, not exported: Node 20 holds the key's lock while it exports JWK,
 * and a garbage collection at that moment takes the lock again, to free what generated the key. The process then hangs.
 */
abstract class MontgomeryExchange implements Exchange {
  private readonly curve: Montgomery;
  private pair: KeyPair | undefined;

  constructor(curve: Montgomery, pair: KeyPair) {
    this.curve = curve;
    this.pair = pair;
  }

  publicKey(out: Uint8Array, at: number): number {
    const { basePoint } = this.curve;
    return take(diffieHellman({ privateKey: this.pair!.privateKey, publicKey: basePoint }), out, at);
  }

  agree(peer: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    const { crv, size } = this.curve;
    if (end - start !== size) return 0;
    const { privateKey } = this.pair!;
    const publicKey = montgomeryKey(crv, span(peer, start, end));
    try {
      // OpenSSL refuses the all-zero secret, RFC 7748 6.1 and 6.2.
      return take(diffieHellman({ privateKey, publicKey }), out, at);
    } catch {
      return 0;
    }
  }

  dispose(): void {
    this.pair = undefined;
  }
}

export class X25519Exchange extends MontgomeryExchange {
  /** `pair` is given in tests only. */
  constructor(pair: KeyPair = generateKeyPairSync("x25519")) {
    super(curve25519, pair);
  }
}

export class X448Exchange extends MontgomeryExchange {
  /** `pair` is given in tests only. */
  constructor(pair: KeyPair = generateKeyPairSync("x448")) {
    super(curve448!, pair);
  }
}

/** ECDH on a NIST curve, RFC 8446 7.4.2; points uncompressed, 4.2.8.2. */
export class EcExchange implements Exchange {
  private ecdh: ECDH | undefined;
  private readonly point: Uint8Array;

  /** `privateKey` is given in tests only. */
  constructor(curve: string, privateKey?: Uint8Array) {
    this.ecdh = createECDH(curve);
    if (privateKey) this.ecdh.setPrivateKey(privateKey);
    else this.ecdh.generateKeys();
    this.point = this.ecdh.getPublicKey();
  }

  publicKey(out: Uint8Array, at: number): number {
    out.set(this.point, at);
    return this.point.length;
  }

  agree(peer: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    if (end - start !== this.point.length || peer[start] !== uncompressed) return 0;
    const ecdh = this.ecdh!;
    try {
      return take(ecdh.computeSecret(peer.subarray(start, end)), out, at);
    } catch {
      return 0; // not on the curve
    }
  }

  dispose(): void {
    this.ecdh = undefined;
  }
}

const uncompressed = 4;

/** Moves a secret to where it is wanted and wipes Node's copy of it. */
function take(secret: Buffer, out: Uint8Array, at: number): number {
  out.set(secret, at);
  secret.fill(0);
  return secret.length;
}

/** A Buffer over the same bytes. */
function span(bytes: Uint8Array, start: number, end: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
}

/** The message is kept, as several keys may be tried on it and Node's hash-then-verify takes only one. */
class NodeVerification implements Verification {
  private readonly scheme: Scheme;
  private readonly message: Buffer[] = [];

  constructor(scheme: Scheme) {
    this.scheme = scheme;
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    this.message.push(Buffer.from(bytes.subarray(start, end)));
  }

  /** node:crypto verifies whole messages. */
  end(): void {}

  digest(out: Uint8Array, at: number): number {
    const hash = createHash(this.scheme.hash);
    for (const part of this.message) hash.update(part);
    return hash.digest().copy(out, at);
  }

  settle(key: PublicKey, signature: Uint8Array, start: number, end: number): boolean {
    if (!fitsKey(this.scheme.id, key.kind)) return false;
    const publicKey = importKey(key);
    if (publicKey === undefined || !hasLength(publicKey, end - start)) return false;
    const message = Buffer.concat(this.message);
    try {
      const signed = signature.subarray(start, end);
      return verify(digestName(this.scheme), message, withPadding(this.scheme, publicKey), signed);
    } catch {
      return false;
    }
  }
}

/** An RSA signature is as long as the modulus, RFC 8017 8.1.2; OpenSSL takes a PSS one without its leading zeros. */
function hasLength({ asymmetricKeyDetails }: KeyObject, length: number): boolean {
  const { modulusLength } = asymmetricKeyDetails ?? {};
  return modulusLength === undefined || length === Math.ceil(modulusLength / 8);
}

/** Ed25519 and Ed448 hash by themselves, RFC 8032 5.1 and 5.2. */
function digestName({ key, hash }: Scheme): HashAlgorithm | undefined {
  return key === "ed25519" || key === "ed448" ? undefined : hash;
}

/** The paddings of RFC 8446 4.2.3: a PSS salt is as long as the digest. */
function withPadding(scheme: Scheme, key: KeyObject) {
  // The key itself: Node 24 takes a fifth of a verification to find out that an object is none
  if (scheme.key !== "rsa") return key;
  if (scheme.pkcs1) return { key, padding: constants.RSA_PKCS1_PADDING };
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

/** What stands before the BIT STRING's contents in a SubjectPublicKeyInfo, and the length of the contents. */
const spki = Object.freeze({
  p256: {
    prefix: hex("3059301306072a8648ce3d020106082a8648ce3d030107034200"),
    size: 65,
    first: uncompressed,
  },
  p384: { prefix: hex("3076301006072a8648ce3d020106052b81040022036200"), size: 97, first: uncompressed },
  p521: {
    prefix: hex("30819b301006072a8648ce3d020106052b8104002303818600"),
    size: 133,
    first: uncompressed,
  },
  ed25519: { prefix: hex("302a300506032b6570032100"), size: 32, first: undefined },
  ed448: { prefix: hex("3043300506032b6571033a00"), size: 57, first: undefined },
});

function hex(text: string): Buffer {
  return Buffer.from(text, "hex");
}

/**
 * OpenSSL 3 takes longer to import an EC key than to verify with it, and chains, staples and connections
 * share their issuers: the last few keys are kept, found by what they are, not by where they lie.
 */
const imported = new Map<string, KeyObject>();
const maxImported = 64;

function importKey(key: PublicKey): KeyObject | undefined {
  const bytes = span(key.bytes, key.start, key.end);
  const name = key.kind + bytes.toString("latin1");
  const known = imported.get(name);
  if (known) return known;
  const fresh = parseKey(key.kind, bytes);
  if (fresh === undefined) return undefined;
  if (imported.size >= maxImported) imported.delete(imported.keys().next().value!);
  imported.set(name, fresh);
  return fresh;
}

function parseKey(kind: PublicKey["kind"], bytes: Buffer): KeyObject | undefined {
  try {
    if (kind === "rsa") return createPublicKey({ key: bytes, format: "der", type: "pkcs1" });
    const { prefix, size, first } = spki[kind];
    if (bytes.length !== size || (first !== undefined && bytes[0] !== first)) return undefined;
    return createPublicKey({ key: Buffer.concat([prefix, bytes]), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

class NodeSignature implements Signature {
  private readonly scheme: Scheme;
  private readonly key: KeyObject;
  private readonly message: Buffer[] = [];

  constructor(scheme: Scheme, key: KeyObject) {
    this.scheme = scheme;
    this.key = key;
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    this.message.push(Buffer.from(bytes.subarray(start, end)));
  }

  sign(out: Uint8Array, at: number): number {
    const message = Buffer.concat(this.message);
    const signature = sign(digestName(this.scheme), message, withPadding(this.scheme, this.key));
    out.set(signature, at);
    return signature.length;
  }
}

/**
 * Signs with a private key for client or server authentication: ECDSA P-256, P-384 or P-521, RSA of 2048 to 4096 bits,
 * Ed25519 or Ed448.
 * @param privateKey a KeyObject, PEM text or bytes, or DER, in PKCS#8, SEC 1 or PKCS#1
 * @param passphrase of an encrypted one
 * @throws Error when the key cannot be read or is of another kind
 */
export function signer(privateKey: KeyObject | string | Buffer, passphrase?: string): Signer {
  const key = privateKey instanceof KeyObject ? privateKey : readPrivateKey(privateKey, passphrase);
  const usable = Object.freeze(schemesOf(key));
  return Object.freeze({
    schemes: usable,
    begin(scheme: number): Signature {
      if (!usable.includes(scheme)) throw new Error(`this private key cannot sign with scheme ${scheme}`);
      return new NodeSignature(findScheme(scheme)!, key);
    },
  });
}

/** A curve has the one scheme that TLS 1.3 binds to it, RFC 8446 4.2.3. */
function schemesOf(key: KeyObject): number[] {
  if (key.type !== "private") throw new TypeError(`a private key is needed to sign, not a ${key.type} one`);
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "ec":
      if (namedCurve === "prime256v1") return idsOf("p256");
      if (namedCurve === "secp384r1") return idsOf("p384");
      if (namedCurve === "secp521r1") return idsOf("p521");
      throw new TypeError(`keys on curve ${namedCurve} are not supported; use P-256, P-384 or P-521`);
    case "rsa":
      if (modulusLength >= 2048 && modulusLength <= 4096) return idsOf("rsa");
      throw new TypeError(`an RSA key must have 2048 to 4096 bits, not ${modulusLength}`);
    case "ed25519":
    case "ed448":
      return idsOf(key.asymmetricKeyType);
    default:
      throw new TypeError(
        `private keys of type ${key.asymmetricKeyType} are not supported; use EC, RSA, Ed25519 or Ed448`,
      );
  }
}

function idsOf(kind: Scheme["key"]): number[] {
  return schemes.filter(({ key }) => key === kind).map(({ id }) => id);
}

/** Those that OpenSSL has here: Bun has no ChaCha20-Poly1305, nor has OpenSSL in FIPS mode. */
const aeads: readonly AeadAlgorithm[] = Object.freeze(
  (["aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"] as const).filter((name) => getCipherInfo(name)),
);

/** The provider over `node:crypto`, the default on Node.js. */
export const provider: Provider = Object.freeze<Provider>({
  name: "node",
  aeads,
  groups,
  moreGroups: Object.freeze(moreGroups.filter((id) => curve448 || id !== namedGroup.x448)),
  longShare,
  schemes: Object.freeze(schemes.filter(({ key }) => curve448 || key !== "ed448").map(({ id }) => id)),

  random(bytes, start, end) {
    randomFillSync(bytes, start, end - start);
  },

  hash(algorithm) {
    return new NodeHash(algorithm);
  },

  hmac(algorithm, keyBytes, keyStart, keyEnd, data, start, end, out, at) {
    const hmac = createHmac(algorithm, hmacKey(keyBytes.subarray(keyStart, keyEnd)));
    take(hmac.update(data.subarray(start, end)).digest(), out, at);
  },

  aead(algorithm, key, start, end) {
    return new NodeAead(algorithm, key.subarray(start, end));
  },

  exchange(group) {
    if (group === namedGroup.x25519) return new X25519Exchange();
    if (group === namedGroup.secp256r1) return new EcExchange("prime256v1");
    if (group === namedGroup.secp384r1) return new EcExchange("secp384r1");
    if (group === namedGroup.secp521r1) return new EcExchange("secp521r1");
    if (group === namedGroup.x448 && curve448) return new X448Exchange();
    if (group === namedGroup.x25519mlkem768) return new HybridExchange(mlKem768(), new X25519Exchange());
    throw new RangeError(`no such group: ${group}`);
  },

  verification(scheme) {
    const known = findScheme(scheme);
    if (known === undefined) throw new RangeError(`no such signature scheme: ${scheme}`);
    return new NodeVerification(known);
  },
});
