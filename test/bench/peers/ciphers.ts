import { createCipheriv, createDecipheriv, createSecretKey } from "node:crypto";
import type { Peer, Target } from "./peer.js";

/**
 * The floor for everything that protects records by node:crypto: its calls for the records of so many bytes, and nothing
 * else, no network either. It takes no buffer of the caller's, so each call makes one for the collector.
 */

const algorithm = "aes-128-gcm";
const key = createSecretKey(Buffer.alloc(16, 1));
const nonce = Buffer.alloc(12, 2);
const header = Buffer.alloc(5, 3);
const tagLength = { authTagLength: 16 };
const RECORD = 16384;
const content = Buffer.alloc(RECORD + 1, 4);

function seal(): { readonly body: Buffer; readonly tag: Buffer } {
  const cipher = createCipheriv(algorithm, key, nonce, tagLength);
  cipher.setAAD(header);
  const body = cipher.update(content);
  cipher.final();
  return { body, tag: cipher.getAuthTag() };
}

const sealed = seal();

function open(): Buffer {
  const cipher = createDecipheriv(algorithm, key, nonce, tagLength);
  cipher.setAAD(header);
  cipher.setAuthTag(sealed.tag);
  const body = cipher.update(sealed.body);
  cipher.final();
  return body;
}

const calls: Readonly<Record<string, () => unknown>> = { opening: open, sealing: seal };

export const peer: Peer = {
  verifies: "nothing",
  limits: "only the calls of node:crypto for as many records",
  scenarios: Object.keys(calls),
  staples: false,
  async fetch({ version }: Target, n: number): Promise<string> {
    const call = calls[version];
    for (let left = n; left > 0; left -= RECORD) call();
    return algorithm;
  },
};
