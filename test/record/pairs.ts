import { provider } from "../../hosts/node/provider.js";
import { type Protection, Protection13 } from "../../src/record/protection.js";
import { AAD, Protection12 } from "../../src/record/protection12.js";
import { version } from "../../src/wire/registry.js";
import { none } from "../peers/bytes.js";
import * as peer from "../peers/records.js";
import { expandLabel, suites } from "../peers/schedule.js";

const AES_GCM_RECORDS = 2 ** 24;

/** A way to protect: ours, and the puppet's with the same keys as the oracle. */
export interface Pair {
  name: string;
  version: number;
  ours(capacity?: number): Protection & { sequence: number };
  theirs(): peer.Protection;
}

type Suite = (typeof suites)[number];

function pair13(suite: Suite): Pair {
  const secret = Buffer.alloc(suite.hash === "sha256" ? 32 : 48, 0x5e);
  const key = expandLabel(suite.hash, secret, "key", none, suite.keyLength);
  const iv = expandLabel(suite.hash, secret, "iv", none, 12);
  return {
    name: `TLS 1.3 ${suite.cipher}`,
    version: version.tls13,
    ours: (capacity = AES_GCM_RECORDS) =>
      new Protection13(provider.aead(suite.cipher, key, 0, key.length), Buffer.from(iv), capacity),
    theirs: () => new peer.Protection13(suite, secret),
  };
}

function pair12(suite: Suite): Pair {
  const key = Buffer.alloc(suite.keyLength, 0x4b);
  const explicit = suite.cipher !== "chacha20-poly1305";
  const salt = Buffer.from("a0a1a2a3a4a5a6a7a8a9aaab".slice(0, explicit ? 8 : 24), "hex");
  return {
    name: `TLS 1.2 ${suite.cipher}`,
    version: version.tls12,
    ours(capacity = AES_GCM_RECORDS) {
      const iv = new Uint8Array(12);
      iv.set(salt);
      return new Protection12(
        provider.aead(suite.cipher, key, 0, key.length),
        iv,
        capacity,
        explicit,
        new Uint8Array(AAD),
      );
    },
    theirs: () => new peer.Protection12(suite, key, salt),
  };
}

/** One for each way of TLS to protect records. */
export const pairs: readonly Pair[] = Object.values(suites)
  .filter(({ auth }) => auth !== "rsa")
  .map((suite) => (suite.version === version.tls13 ? pair13(suite) : pair12(suite)));

export const pairs13 = pairs.filter((pair) => pair.version === version.tls13);
export const pairs12 = pairs.filter((pair) => pair.version === version.tls12);
