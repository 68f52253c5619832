import { type Exchange, HybridExchange, type Kem, longShare, type Provider } from "../../src/crypto/index.js";
import { namedGroup } from "../../src/wire/index.js";

/** `ml_kem768` of @noble/post-quantum, which whoever wants it imports. */
export interface MlKem768 {
  keygen(seed?: Uint8Array): { publicKey: Uint8Array; secretKey: Uint8Array };
  encapsulate(
    publicKey: Uint8Array,
    message?: Uint8Array,
  ): { cipherText: Uint8Array; sharedSecret: Uint8Array };
  decapsulate(cipherText: Uint8Array, secretKey: Uint8Array): Uint8Array;
}

/** Bytes of randomness that make a key pair, and a secret: FIPS 203 7.1 and 7.2. */
const SEED = 64;
const MESSAGE = 32;

/** noble's, with another's random bytes. */
export function nobleKem(kem: MlKem768, fill: (bytes: Uint8Array) => void): Kem<Uint8Array> {
  const drawn = <T>(size: number, use: (bytes: Uint8Array) => T): T => {
    const bytes = new Uint8Array(size);
    fill(bytes);
    try {
      return use(bytes);
    } finally {
      bytes.fill(0);
    }
  };
  return {
    generate() {
      const { publicKey, secretKey } = drawn(SEED, (seed) => kem.keygen(seed));
      return { publicKey, privateKey: secretKey };
    },
    encapsulate(publicKey) {
      try {
        const { cipherText, sharedSecret } = drawn(MESSAGE, (bytes) => kem.encapsulate(publicKey, bytes));
        return { ciphertext: cipherText, secret: sharedSecret };
      } catch {
        return undefined; // noble checks the key, FIPS 203 7.2
      }
    },
    decapsulate: (ciphertext, privateKey) => kem.decapsulate(ciphertext, privateKey),
    forget: (privateKey) => privateKey.fill(0),
  };
}

/**
 * The provider with X25519MLKEM768 before its other groups, by `ml_kem768` of @noble/post-quantum. The client's first
 * message then takes 1,216 bytes for its share: give `buffers.output` 2,048 or more.
 */
export function hybrid(provider: Provider, mlKem768: MlKem768): Provider {
  const kem = nobleKem(mlKem768, (bytes) => provider.random(bytes, 0, bytes.length));
  const exchange = (group: number): Exchange =>
    group === namedGroup.x25519mlkem768
      ? new HybridExchange(kem, provider.exchange(namedGroup.x25519))
      : provider.exchange(group);
  const groups = Object.freeze([namedGroup.x25519mlkem768, ...provider.groups]);
  return Object.freeze({ ...provider, groups, longShare, exchange });
}
