/** What a provider made apart from the buffers is handed on only where it is just what waits there. */
import { randomBytes } from "node:crypto";
import test from "ava";
import { provider } from "../../hosts/node/provider.js";
import { portable } from "../../hosts/portable/index.js";
import type { Aead } from "../../src/crypto/provider.js";
import { openedApart, sealedApart } from "../../src/record/apart.js";
import { wants } from "../../src/record/engine.js";
import { TAG } from "../../src/record/protection.js";
import { contentType } from "../../src/wire/registry.js";
import { concat } from "../peers/bytes.js";
import { pairs } from "./pairs.js";
import { drain, fill, Toy, takes } from "./toy.js";

const { application_data } = contentType;

/** A toy whose handshake is done, with Node's cryptography both ways. */
function connected(pair: (typeof pairs)[number]): Toy {
  const toy = new Toy([takes("OPEN", 1)], 40_000, 40_000);
  toy.engine.established = true;
  toy.engine.receiveUnder(pair.ours());
  toy.engine.sendUnder(pair.ours());
  return toy;
}

/** Has these bytes come, and what can be done with them. */
function come({ engine }: Toy, bytes: Buffer): void {
  fill(engine.cipherIn, bytes);
  while (engine.wants & wants.WORK) engine.work();
}

for (const pair of pairs) {
  test(`${pair.name}: an opened record's content is told once, and is nobody else's`, (t) => {
    const toy = connected(pair);
    const { plainOut } = toy.engine;
    const peer = pair.theirs();
    const data = [randomBytes(9000), randomBytes(9000)];
    const kept = data.map((each) => {
      come(toy, peer.seal(application_data, each));
      const apart = openedApart(toy.engine)!;
      t.deepEqual(Buffer.from(apart), each);
      t.is(openedApart(toy.engine), undefined);
      t.deepEqual(drain(plainOut), each);
      return apart;
    });
    t.deepEqual(
      kept.map((each) => Buffer.from(each)),
      data,
    );
  });

  test(`${pair.name}: not what is partly read, nor what another connection's record has taken the place of`, (t) => {
    const [a, b] = [connected(pair), connected(pair)];
    const data = randomBytes(100);
    come(a, pair.theirs().seal(application_data, data));
    a.engine.plainOut.advance(1);
    t.is(openedApart(a.engine), undefined);
    t.deepEqual(drain(a.engine.plainOut), data.subarray(1));
    t.is(openedApart(a.engine), undefined, "nothing waits");
    const [c, d] = [connected(pair), connected(pair)];
    come(c, pair.theirs().seal(application_data, data));
    come(d, pair.theirs().seal(application_data, randomBytes(100)));
    t.is(openedApart(c.engine), undefined);
    t.deepEqual(drain(c.engine.plainOut), data);
    come(b, pair.theirs().seal(application_data, data));
    b.engine.wipe();
    t.is(openedApart(b.engine), undefined);
  });

  if (pair.name.includes("1.3"))
    test(`${pair.name}: not where most of it is padding`, (t) => {
      const toy = connected(pair);
      const peer = pair.theirs();
      come(toy, peer.seal(application_data, Buffer.from("word"), 100));
      t.is(openedApart(toy.engine), undefined);
      t.is(drain(toy.engine.plainOut).toString(), "word");
      come(toy, peer.seal(application_data, Buffer.from("word"), 3));
      t.is(Buffer.from(openedApart(toy.engine)!).toString(), "word");
    });

  test(`${pair.name}: a sealed record in its parts, if it waits alone`, (t) => {
    const { engine } = connected(pair);
    const oracle = pair.theirs();
    const data = randomBytes(9000);
    fill(engine.plainIn, data);
    const { header, body, tag } = sealedApart(engine)!;
    t.is(tag.length, TAG);
    const record = concat(header, body, tag);
    t.deepEqual(drain(engine.cipherOut), record);
    t.deepEqual(oracle.open(record).content, data);
    t.is(sealedApart(engine), undefined, "nothing waits");
    fill(engine.plainIn, data);
    fill(engine.plainIn, data);
    t.is(sealedApart(engine), undefined, "two");
    const two = drain(engine.cipherOut);
    for (const half of [two.subarray(0, two.length / 2), two.subarray(two.length / 2)])
      t.deepEqual(oracle.open(half).content, data);
    fill(engine.plainIn, data);
    engine.cipherOut.advance(1);
    t.is(sealedApart(engine), undefined, "a part of one");
  });
}

test("before there are keys nothing is apart", (t) => {
  const { engine } = new Toy([takes("OPEN", 1)], 1000, 1000);
  t.is(openedApart(engine), undefined);
  t.is(sealedApart(engine), undefined);
});

test("an AEAD tells of its own work alone, once, and not after its end", (t) => {
  const make = () => provider.aead("aes-128-gcm", Buffer.alloc(16), 0, 16);
  const [a, b] = [make(), make()];
  const seal = (aead: Aead) => {
    const bytes = Buffer.alloc(100);
    aead.seal(Buffer.alloc(12), bytes, 0, 5, bytes, 5, 84);
    return bytes.subarray(5, 84);
  };
  const sealed = seal(a);
  t.is(b.apart?.(), undefined);
  t.deepEqual(a.apart?.(), sealed);
  t.is(a.apart?.(), undefined);
  seal(a);
  seal(b);
  t.is(a.apart?.(), undefined);
  b.dispose();
  t.is(b.apart?.(), undefined);
  const forged = Buffer.alloc(100);
  seal(a);
  t.false(a.open(Buffer.alloc(12), forged, 0, 5, forged, 5, 100));
  t.is(a.apart?.()?.length, 79, "what failed made nothing");
  t.is(portable().aead("aes-128-gcm", Buffer.alloc(16), 0, 16).apart, undefined);
});
