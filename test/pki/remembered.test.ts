import { createHash, randomBytes } from "node:crypto";
import test from "ava";
import { newKey } from "../../certs/keys.js";
import { provider, signer } from "../../hosts/node/provider.js";
import type { Provider, PublicKey, Verification } from "../../src/crypto/provider.js";
import { SignatureMemory } from "../../src/pki/remembered.js";
import { signatureScheme } from "../../src/wire/registry.js";

const { ecdsa_secp256r1_sha256: p256 } = signatureScheme;

/** What is verified. */
interface Signed {
  readonly key: PublicKey;
  readonly scheme: number;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

function keyOf(bytes: Uint8Array, kind: PublicKey["kind"] = "p256"): PublicKey {
  return { kind, bytes, start: 0, end: bytes.length };
}

/** Of no meaning, for providers that do not look. */
function meaningless(message = "message"): Signed {
  return {
    key: keyOf(new Uint8Array(65).fill(4)),
    scheme: p256,
    message: Buffer.from(message),
    signature: new Uint8Array(70).fill(5),
  };
}

/** A provider that says the same of every signature, and how often it was asked. */
class Oracle {
  asked = 0;
  readonly provider: Provider;

  constructor(says: () => boolean = () => true, name = provider.name) {
    const settle = () => {
      this.asked++;
      return says();
    };
    const verification = (): Verification => {
      const hash = createHash("sha256");
      return {
        update: (bytes, start, end) => hash.update(bytes.subarray(start, end)),
        end() {},
        digest: (out, at) => hash.copy().digest().copy(out, at),
        settle,
      };
    };
    this.provider = Object.freeze({ ...provider, name, verification });
  }
}

function verify(memory: SignatureMemory, by: Provider, signed: Signed): boolean {
  const { key, scheme, message, signature } = signed;
  const verification = by.verification(scheme);
  const half = message.length >> 1;
  verification.update(message, 0, half);
  verification.update(message, half, message.length);
  verification.end();
  return memory.settle(by, scheme, verification, key, signature, 0, signature.length);
}

/** Whether the provider is asked about it. */
function asks(memory: SignatureMemory, oracle: Oracle, signed: Signed): boolean {
  const before = oracle.asked;
  verify(memory, oracle.provider, signed);
  return oracle.asked > before;
}

test("what was verified once is not verified again", (t) => {
  const oracle = new Oracle();
  const memory = new SignatureMemory(oracle.provider, 8);
  t.true(verify(memory, oracle.provider, meaningless()));
  t.is(oracle.asked, 1);
  t.true(memory.changed);
  const again = new SignatureMemory(oracle.provider, 8, memory.bytes);
  t.true(verify(again, oracle.provider, meaningless()));
  t.is(oracle.asked, 1);
  t.false(again.changed);
  t.true(verify(memory, oracle.provider, meaningless()));
  t.is(oracle.asked, 1);
  t.true(asks(memory, oracle, meaningless("another")));
});

test("a real signature: by spans, and with several keys tried", (t) => {
  const { secret, spki } = newKey("p256");
  const point = spki.subarray(-65);
  const message = randomBytes(1000);
  const made = signer(secret).begin(p256);
  made.update(message, 0, message.length);
  const room = new Uint8Array(200);
  const end = 7 + made.sign(room, 7);
  let asked = 0;
  const counting: Provider = {
    ...provider,
    verification(scheme) {
      const inner = provider.verification(scheme);
      return {
        update: (bytes, start, stop) => inner.update(bytes, start, stop),
        end: () => inner.end(),
        digest: (out, at) => inner.digest(out, at),
        settle(...all) {
          asked++;
          return inner.settle(...all);
        },
      };
    },
  };
  const memory = new SignatureMemory(counting, 8);
  const key: PublicKey = { kind: "p256", bytes: spki, start: spki.length - 65, end: spki.length };
  const other = keyOf(newKey("p256").spki.subarray(-65));
  for (const expected of [2, 3]) {
    const verification = counting.verification(p256);
    verification.update(message, 0, message.length);
    const settle = (by: PublicKey, bytes: Uint8Array, start: number, stop: number) =>
      memory.settle(counting, p256, verification, by, bytes, start, stop);
    t.false(settle(other, room, 7, end));
    t.true(settle(key, room, 7, end));
    t.true(settle(keyOf(point), room.slice(7, end), 0, end - 7), "wherever it lies");
    t.is(asked, expected, "only the other key's again");
  }
});

/** Its variants with one bit changed. */
function withBitsChanged(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length * 8 }, (_, i) => {
    const changed = Uint8Array.from(bytes);
    changed[i >> 3] ^= 1 << (i & 7);
    return changed;
  });
}

test("a changed bit anywhere is verified anew", (t) => {
  const oracle = new Oracle();
  const memory = new SignatureMemory(oracle.provider, 8);
  const good = meaningless();
  verify(memory, oracle.provider, good);
  const variants: Signed[] = [
    ...withBitsChanged(good.key.bytes).map((bytes) => ({ ...good, key: keyOf(bytes) })),
    ...withBitsChanged(good.message).map((message) => ({ ...good, message })),
    ...withBitsChanged(good.signature).map((signature) => ({ ...good, signature })),
    ...Array.from({ length: 16 }, (_, i) => ({ ...good, scheme: good.scheme ^ (1 << i) })),
  ];
  t.is(variants.length, 8 * (65 + 7 + 70) + 16);
  for (const each of variants) {
    t.true(asks(memory, oracle, each));
    t.false(asks(memory, oracle, good));
  }
});

test("no byte may go from one part to another", (t) => {
  const oracle = new Oracle();
  const memory = new SignatureMemory(oracle.provider, 8);
  const key = Uint8Array.from([1, 2, 3, 4]);
  const signature = Uint8Array.from([5, 6, 7, 8]);
  const good: Signed = { ...meaningless(), key: keyOf(key), signature };
  verify(memory, oracle.provider, good);
  const all = [...key, ...signature];
  for (let cut = 0; cut <= all.length; cut++) {
    const moved = {
      ...good,
      key: keyOf(Uint8Array.from(all.slice(0, cut))),
      signature: Uint8Array.from(all.slice(cut)),
    };
    t.is(asks(memory, oracle, moved), cut !== key.length);
  }
  t.true(asks(memory, oracle, { ...good, key: keyOf(key, "p384") }));
  t.true(asks(memory, oracle, { ...good, message: Buffer.from("messag"), signature: Buffer.from("e") }));
  // The digest in the place of the signature's end, and so on
  const digest = createHash("sha256").update(good.message).digest();
  t.true(asks(memory, oracle, { ...good, signature: Buffer.concat([signature, digest]) }));
});

const sha256 = (...parts: Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();

test("an entry is a hash of all that decides, lengths first", (t) => {
  const oracle = new Oracle(undefined, "an oracle");
  const memory = new SignatureMemory(oracle.provider, 2);
  const good = meaningless();
  verify(memory, oracle.provider, good);
  const lengths = Buffer.of(4, ...Buffer.from("p256"), 4, 3, 9, 0, 0, 65, 0, 0, 70);
  const name = Buffer.from("an oracle");
  const entry = sha256(lengths, name, good.key.bytes, good.signature, sha256(good.message));
  t.deepEqual(Buffer.from(memory.bytes), Buffer.concat([entry, Buffer.alloc(32)]));
});

test("failures are not remembered", (t) => {
  let says = false;
  const oracle = new Oracle(() => says);
  const memory = new SignatureMemory(oracle.provider, 8);
  for (let i = 1; i <= 3; i++) {
    t.false(verify(memory, oracle.provider, meaningless()));
    t.is(oracle.asked, i);
  }
  t.deepEqual(memory.bytes, new Uint8Array(8 * 32));
  t.false(memory.changed);
  says = true;
  t.true(verify(memory, oracle.provider, meaningless()));
  says = false;
  t.true(verify(memory, oracle.provider, meaningless()), "it was verified");
});

test("what the provider throws goes on, and is not remembered", (t) => {
  const failing = new Oracle(() => {
    throw new RangeError("out of memory");
  });
  const memory = new SignatureMemory(failing.provider, 8);
  for (const asked of [1, 2]) {
    t.throws(() => verify(memory, failing.provider, meaningless()), { message: "out of memory" });
    t.is(failing.asked, asked);
  }
  t.deepEqual(memory.bytes, new Uint8Array(8 * 32));
});

test("so many are remembered, and the one that was asked for least lately goes first", (t) => {
  const oracle = new Oracle();
  const memory = new SignatureMemory(oracle.provider, 3);
  const known = (...names: string[]) => names.map((name) => !asks(memory, oracle, meaningless(name)));
  t.deepEqual(known("a", "b", "c"), [false, false, false]);
  t.deepEqual(known("a", "b", "c"), [true, true, true]);
  t.deepEqual(known("a", "d"), [true, false], "b goes");
  t.deepEqual(known("c", "a", "d"), [true, true, true]);
  t.deepEqual(known("b"), [false], "c goes");
  t.deepEqual(known("a", "d", "b", "c"), [true, true, true, false]);
  t.is(memory.bytes.length, 3 * 32);
  const single = new SignatureMemory(oracle.provider, 1);
  const knownTo = (name: string) => !asks(single, oracle, meaningless(name));
  t.deepEqual(["a", "a", "b", "a"].map(knownTo), [false, true, false, false]);
});

test("counts that can't be, and names", (t) => {
  for (const count of [0, -1, 0.5, 1.5, 4097, Number.NaN, Number.POSITIVE_INFINITY])
    t.throws(() => new SignatureMemory(provider, count), { instanceOf: RangeError }, `${count}`);
  t.is(new SignatureMemory(provider, 4096).bytes.length, 131072);
  for (const name of ["", "n".repeat(32), "n".repeat(1000), "\u540d"]) {
    const oracle = new Oracle(undefined, name);
    t.false(asks(filled(oracle, 8, "a"), oracle, meaningless("a")), "any name will do");
  }
});

/** A memory that knows these, the last of them first. */
function filled(oracle: Oracle, count: number, ...names: string[]): SignatureMemory {
  const memory = new SignatureMemory(oracle.provider, count);
  for (const name of names) verify(memory, oracle.provider, meaningless(name));
  return memory;
}

test("its bytes make another memory, of the same size or not", (t) => {
  const oracle = new Oracle();
  const { bytes } = filled(oracle, 4, "a", "b", "c");
  const kept = (count: number, saved = bytes) => {
    const memory = new SignatureMemory(oracle.provider, count, saved);
    // The one that may push out another comes last
    return ["c", "b", "a"].map((name) => !asks(memory, oracle, meaningless(name)));
  };
  t.deepEqual(kept(4), [true, true, true]);
  t.deepEqual(kept(100), [true, true, true]);
  t.deepEqual(kept(2), [true, true, false], "those asked for last");
  t.deepEqual(kept(4, new Uint8Array(0)), [false, false, false]);
  t.deepEqual(kept(4, bytes.subarray(0, 40)), [true, false, false]);
});

test("its bytes are a copy, and so is what it is made from", (t) => {
  const oracle = new Oracle();
  const memory = filled(oracle, 2, "a");
  memory.bytes.fill(0);
  t.false(asks(memory, oracle, meaningless("a")));
  const saved = memory.bytes;
  const another = new SignatureMemory(oracle.provider, 2, saved);
  saved.fill(0);
  t.false(asks(another, oracle, meaningless("a")));
});

test("damaged bytes are misses", (t) => {
  const oracle = new Oracle();
  const { bytes } = filled(oracle, 1, "a");
  for (const damaged of [...withBitsChanged(bytes), randomBytes(32), randomBytes(1000), bytes.subarray(1)]) {
    const memory = new SignatureMemory(oracle.provider, 1, damaged);
    t.true(asks(memory, oracle, meaningless("a")));
    t.false(asks(memory, oracle, meaningless("a")), "and it works");
  }
});

test("no provider takes the word of another", (t) => {
  const strict = new Oracle(() => false);
  const lax = new Oracle();
  const ofLax = new SignatureMemory(lax.provider, 8);
  t.true(verify(ofLax, lax.provider, meaningless()));
  t.false(verify(ofLax, strict.provider, meaningless()), "of the same name, but another");
  const ofStrict = new SignatureMemory(strict.provider, 8);
  t.true(verify(ofStrict, lax.provider, meaningless()));
  t.false(verify(ofStrict, strict.provider, meaningless()));
  t.deepEqual(ofStrict.bytes, new Uint8Array(8 * 32));
  const another = new Oracle(() => false, "another");
  const moved = new SignatureMemory(another.provider, 8, ofLax.bytes);
  t.false(
    verify(moved, another.provider, meaningless()),
    "nor do bytes of one count for one of another name",
  );
});
