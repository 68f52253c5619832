import type { Exchange } from "./provider.js";

/** ML-KEM-768 of FIPS 203, with keys as bytes or as the host holds them. */
export interface Kem<PrivateKey> {
  generate(): { readonly publicKey: Uint8Array; readonly privateKey: PrivateKey };
  /** Undefined when it is no encapsulation key, FIPS 203 7.2. */
  encapsulate(
    publicKey: Uint8Array,
  ): { readonly ciphertext: Uint8Array; readonly secret: Uint8Array } | undefined;
  decapsulate(ciphertext: Uint8Array, privateKey: PrivateKey): Uint8Array;
  /** Wipes the private key where the host can. */
  forget(privateKey: PrivateKey): void;
}

/** Bytes of an encapsulation key and of a ciphertext of ML-KEM-768, FIPS 203 section 8. */
const PUBLIC_KEY = 1184;
const CIPHERTEXT = 1088;

/** Bytes of the client's share, the longer one. */
export const HYBRID_SHARE = PUBLIC_KEY + 32;

/**
 * X25519MLKEM768, draft-ietf-tls-ecdhe-mlkem section 4: of both shares and of the secret ML-KEM-768's part comes first.
 * The client's share is its encapsulation key, the server's the ciphertext for it: whoever agrees before asking for the
 * public key is the server.
 */
export class HybridExchange<PrivateKey> implements Exchange {
  private readonly kem: Kem<PrivateKey>;
  private readonly curve: Exchange;
  private privateKey: PrivateKey | undefined;
  /** What our share begins with. */
  private own: Uint8Array | undefined;

  constructor(kem: Kem<PrivateKey>, curve: Exchange) {
    this.kem = kem;
    this.curve = curve;
  }

  /** Throws RangeError where there is too little room. */
  publicKey(out: Uint8Array, at: number): number {
    this.own ??= this.generate();
    out.set(this.own, at);
    return this.own.length + this.curve.publicKey(out, at + this.own.length);
  }

  agree(peer: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    const split = start + (this.own ? CIPHERTEXT : PUBLIC_KEY);
    if (split >= end) return 0;
    const secret = this.own ? this.decapsulate(peer, start, split) : this.encapsulate(peer, start, split);
    if (secret === undefined) return 0;
    out.set(secret, at);
    const size = this.curve.agree(peer, split, end, out, at + secret.length);
    if (size === 0) out.fill(0, at, at + secret.length);
    secret.fill(0);
    return size && secret.length + size;
  }

  dispose(): void {
    if (this.privateKey !== undefined) this.kem.forget(this.privateKey);
    this.privateKey = undefined;
    this.curve.dispose();
  }

  private generate(): Uint8Array {
    const { publicKey, privateKey } = this.kem.generate();
    this.privateKey = privateKey;
    return publicKey;
  }

  private decapsulate(peer: Uint8Array, start: number, end: number): Uint8Array | undefined {
    return this.privateKey && this.kem.decapsulate(peer.slice(start, end), this.privateKey);
  }

  private encapsulate(peer: Uint8Array, start: number, end: number): Uint8Array | undefined {
    const made = this.kem.encapsulate(peer.slice(start, end));
    this.own = made?.ciphertext;
    return made?.secret;
  }
}
