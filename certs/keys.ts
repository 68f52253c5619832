import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as nodeSign,
  privateEncrypt,
} from "node:crypto";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { explicit, integer, nil, oid, sequence } from "./der.js";

/** What `newKey` can make; some are there to be refused. */
export type KeyType =
  | "p256"
  | "p384"
  | "p521"
  | "secp256k1"
  | "rsa1024"
  | "rsa2048"
  | "rsa3072"
  | "ed25519"
  | "ed448";

/** A key pair of the fixtures. */
export interface Key {
  readonly pem: string;
  readonly secret: KeyObject;
  /** SubjectPublicKeyInfo. */
  readonly spki: Buffer;
}

/** The key pair that a PKCS#8 PEM file holds. */
export function readKey(pem: string): Key {
  const secret = createPrivateKey(pem);
  return { pem, secret, spki: createPublicKey(secret).export({ type: "spki", format: "der" }) };
}

const curveNames: Readonly<Record<string, string>> = Object.freeze({
  p256: "prime256v1",
  p384: "secp384r1",
  p521: "secp521r1",
  secp256k1: "secp256k1",
});

/** A fresh key pair. */
export function newKey(type: KeyType): Key {
  return readKey(newSecret(type).export({ type: "pkcs8", format: "pem" }) as string);
}

function newSecret(type: KeyType): KeyObject {
  if (type === "ed25519") return generateKeyPairSync("ed25519").privateKey;
  if (type === "ed448") return generateKeyPairSync("ed448").privateKey;
  if (type.startsWith("rsa")) {
    return generateKeyPairSync("rsa", { modulusLength: Number(type.slice(3)) }).privateKey;
  }
  return generateKeyPairSync("ec", { namedCurve: curveNames[type] }).privateKey;
}

/** How a certificate or a response is signed: its AlgorithmIdentifier and what computes the signature. */
export interface Algorithm {
  readonly identifier: Buffer;
  sign(key: KeyObject, data: Uint8Array): Buffer;
}

const hashOids: Readonly<Record<string, string>> = Object.freeze({
  sha1: "1.3.14.3.2.26",
  sha256: "2.16.840.1.101.3.4.2.1",
  sha384: "2.16.840.1.101.3.4.2.2",
  sha512: "2.16.840.1.101.3.4.2.3",
});

/** The AlgorithmIdentifier of a hash. */
export const hashIdentifier = (hash: string) => sequence(oid(hashOids[hash]), nil);

/** The digest of some bytes. */
export const digest = (hash: string, data: Uint8Array) => createHash(hash).update(data).digest();

/** By their names in JWK. */
const curves: Readonly<Record<string, typeof p256>> = Object.freeze({
  "P-256": p256,
  "P-384": p384,
  "P-521": p521,
  secp256k1,
});

/** RFC 5758 section 3.2. Deterministic (RFC 6979), so that a rerun of the generator changes nothing. */
function ecdsa(identifier: string, hash: string): Algorithm {
  const sign = (key: KeyObject, data: Uint8Array) => {
    const { crv, d } = key.export({ format: "jwk" });
    const curve = curves[crv!];
    const options = { prehash: false, lowS: false, format: "der" } as const;
    return Buffer.from(curve.sign(digest(hash, data), Buffer.from(d!, "base64url"), options));
  };
  return { identifier: sequence(oid(identifier)), sign };
}

/** PKCS#1 v1.5: RFC 4055 section 5. */
function pkcs1(identifier: string, hash: string): Algorithm {
  return { identifier: sequence(oid(identifier), nil), sign: (key, data) => nodeSign(hash, data, key) };
}

/** RSASSA-PSS: RFC 4055 section 3.1. The parameters say what is done, right or wrong. */
export function pss(hash: string, maskHash = hash, saltLength = digest(hash, Buffer.of()).length): Algorithm {
  return {
    identifier: sequence(
      oid("1.2.840.113549.1.1.10"),
      sequence(...pssParameters(hash, maskHash, saltLength)),
    ),
    sign: (key, data) => pssSign(key, digest(hash, data), hash, maskHash, saltLength),
  };
}

/** hashAlgorithm, maskGenAlgorithm and saltLength of RSASSA-PSS-params. */
export function pssParameters(hash: string, maskHash: string, saltLength: number): Buffer[] {
  return [
    explicit(0, hashIdentifier(hash)),
    explicit(1, sequence(oid("1.2.840.113549.1.1.8"), hashIdentifier(maskHash))),
    explicit(2, integer(saltLength)),
  ];
}

/** EMSA-PSS-ENCODE, RFC 8017 section 9.1.1, with a salt made from the digest so that a rerun changes nothing. */
function pssSign(key: KeyObject, hashed: Buffer, hash: string, maskHash: string, saltLength: number): Buffer {
  const size = key.asymmetricKeyDetails!.modulusLength! / 8;
  const salt = mask("sha512", hashed, saltLength);
  const h = digest(hash, Buffer.concat([Buffer.alloc(8), hashed, salt]));
  const block = Buffer.concat([Buffer.alloc(size - salt.length - h.length - 2), Buffer.of(1), salt]);
  const pad = mask(maskHash, h, block.length);
  for (let i = 0; i < block.length; i++) block[i] ^= pad[i];
  block[0] &= 0x7f;
  const encoded = Buffer.concat([block, h, Buffer.of(0xbc)]);
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
}

/** MGF1, RFC 8017 appendix B.2.1. */
function mask(hash: string, seed: Buffer, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let n = 0; n * 20 < length; n++) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(n);
    parts.push(digest(hash, Buffer.concat([seed, counter])));
  }
  return Buffer.concat(parts).subarray(0, length);
}

/** RFC 8410 section 6. */
function edwards(identifier: string): Algorithm {
  return { identifier: sequence(oid(identifier)), sign: (key, data) => nodeSign(null, data, key) };
}

/** Every algorithm that signs something here, the refused ones too. */
export const algorithms = Object.freeze({
  "ecdsa-sha1": ecdsa("1.2.840.10045.4.1", "sha1"),
  "ecdsa-sha256": ecdsa("1.2.840.10045.4.3.2", "sha256"),
  "ecdsa-sha384": ecdsa("1.2.840.10045.4.3.3", "sha384"),
  "ecdsa-sha512": ecdsa("1.2.840.10045.4.3.4", "sha512"),
  "rsa-md5": pkcs1("1.2.840.113549.1.1.4", "md5"),
  "rsa-sha1": pkcs1("1.2.840.113549.1.1.5", "sha1"),
  "rsa-sha256": pkcs1("1.2.840.113549.1.1.11", "sha256"),
  "rsa-sha384": pkcs1("1.2.840.113549.1.1.12", "sha384"),
  "rsa-sha512": pkcs1("1.2.840.113549.1.1.13", "sha512"),
  "pss-sha256": pss("sha256"),
  "pss-sha384": pss("sha384"),
  "pss-sha512": pss("sha512"),
  ed25519: edwards("1.3.101.112"),
  ed448: edwards("1.3.101.113"),
});

/** What a key signs with when nothing else is said. */
export function usualAlgorithm(key: Key): Algorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key.secret;
  if (type === "ed25519" || type === "ed448") return algorithms[type];
  if (type === "rsa") return algorithms["rsa-sha256"];
  const { namedCurve } = details ?? {};
  if (namedCurve === "secp521r1") return algorithms["ecdsa-sha512"];
  return algorithms[namedCurve === "secp384r1" ? "ecdsa-sha384" : "ecdsa-sha256"];
}
