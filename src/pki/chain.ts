import type { PublicKey } from "../crypto/provider.js";

/** A CA as the link above a certificate needs it: its Name, header included, and its key. */
export interface Authority {
  readonly nameBytes: Uint8Array;
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly key: PublicKey;
}
