import {
  createECDH,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
} from "node:crypto";
import { cipherSuite as c, namedGroup, version } from "../../src/wire/registry.js";
import { concat, none, u8, u16, vec8 } from "./bytes.js";

/** The key schedules of TLS 1.3 and 1.2 over node:crypto, written apart from src/crypto, to be its oracle. */

export type HashName = "sha256" | "sha384";

export interface Suite {
  version: number;
  cipher: "aes-128-gcm" | "aes-256-gcm" | "chacha20-poly1305";
  keyLength: number;
  hash: HashName;
  auth?: "ecdsa" | "rsa";
}

const aes128 = { cipher: "aes-128-gcm", keyLength: 16, hash: "sha256" } as const;
const aes256 = { cipher: "aes-256-gcm", keyLength: 32, hash: "sha384" } as const;
const chacha = { cipher: "chacha20-poly1305", keyLength: 32, hash: "sha256" } as const;
const tls13 = { version: version.tls13 };
const ecdsa = { version: version.tls12, auth: "ecdsa" } as const;
const rsa = { version: version.tls12, auth: "rsa" } as const;

export const suites: Readonly<Record<number, Suite>> = {
  [c.TLS_AES_128_GCM_SHA256]: { ...tls13, ...aes128 },
  [c.TLS_AES_256_GCM_SHA384]: { ...tls13, ...aes256 },
  [c.TLS_CHACHA20_POLY1305_SHA256]: { ...tls13, ...chacha },
  [c.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]: { ...ecdsa, ...aes128 },
  [c.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]: { ...ecdsa, ...aes256 },
  [c.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]: { ...ecdsa, ...chacha },
  [c.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]: { ...rsa, ...aes128 },
  [c.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]: { ...rsa, ...aes256 },
  [c.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256]: { ...rsa, ...chacha },
};

export function hash(name: HashName, bytes: Uint8Array): Buffer {
  return createHash(name).update(bytes).digest();
}

export function hmac(name: HashName, key: Uint8Array, bytes: Uint8Array): Buffer {
  return createHmac(name, key).update(bytes).digest();
}

/** HKDF-Expand-Label, RFC 8446 7.1. */
export function expandLabel(
  name: HashName,
  secret: Buffer,
  label: string,
  context: Buffer,
  length: number,
): Buffer {
  const info = concat(u16(length), vec8(Buffer.from(`tls13 ${label}`)), vec8(context));
  let block: Buffer = none;
  let out: Buffer = none;
  for (let i = 1; out.length < length; i++) {
    block = hmac(name, secret, concat(block, info, u8(i)));
    out = concat(out, block);
  }
  return out.subarray(0, length);
}

/** The secrets of RFC 8446 7.1, with a PSK or without; each is derived from the transcript so far. */
export class Schedule13 {
  private readonly name: HashName;
  private secret: Buffer;

  constructor(name: HashName, psk?: Buffer) {
    this.name = name;
    const zeros = Buffer.alloc(hash(name, none).length);
    this.secret = hmac(name, zeros, psk ?? zeros); // Early Secret
  }

  /** Goes on to the Handshake Secret (with the ECDHE secret), then to the Main Secret (without). */
  advance(input: Buffer = Buffer.alloc(this.secret.length)): void {
    this.secret = hmac(this.name, this.derive("derived", none), input);
  }

  /** Derive-Secret over the handshake messages. */
  derive(label: string, messages: Buffer): Buffer {
    return expandLabel(this.name, this.secret, label, hash(this.name, messages), this.secret.length);
  }
}

/** The Finished of TLS 1.3, RFC 8446 4.4.4, under one side's traffic secret. */
export function finished13(name: HashName, trafficSecret: Buffer, messages: Buffer): Buffer {
  const key = expandLabel(name, trafficSecret, "finished", none, trafficSecret.length);
  return hmac(name, key, hash(name, messages));
}

/** The next application traffic secret, RFC 8446 7.2. */
export function updateSecret(name: HashName, trafficSecret: Buffer): Buffer {
  return expandLabel(name, trafficSecret, "traffic upd", none, trafficSecret.length);
}

/** The PRF of TLS 1.2, RFC 5246 section 5. */
export function prf(name: HashName, secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const labelAndSeed = concat(Buffer.from(label), seed);
  let a = labelAndSeed;
  let out: Buffer = none;
  while (out.length < length) {
    a = hmac(name, secret, a);
    out = concat(out, hmac(name, secret, concat(a, labelAndSeed)));
  }
  return out.subarray(0, length);
}

/** One ephemeral key: its share and what it agrees on with the client's. */
export interface Ephemeral {
  share: Buffer;
  agree(peer: Buffer): Buffer;
}

const curves: Readonly<Record<number, string>> = {
  [namedGroup.secp256r1]: "prime256v1",
  [namedGroup.secp384r1]: "secp384r1",
};

export function ephemeral(group: number): Ephemeral {
  if (group === namedGroup.x25519) return x25519();
  const ecdh = createECDH(curves[group]);
  return { share: ecdh.generateKeys(), agree: (peer) => ecdh.computeSecret(peer) };
}

/** The SubjectPublicKeyInfo of X25519 up to the 32 bytes of the key, RFC 8410. */
const x25519Header = Buffer.from("302a300506032b656e032100", "hex");

function x25519(): Ephemeral {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const share = publicKey.export({ type: "spki", format: "der" }).subarray(x25519Header.length);
  const agree = (peer: Buffer) =>
    diffieHellman({
      privateKey,
      publicKey: createPublicKey({ key: concat(x25519Header, peer), type: "spki", format: "der" }),
    });
  return { share, agree };
}
