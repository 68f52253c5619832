import test from "ava";
import fc from "fast-check";
import { faults } from "../../src/wire/fault.js";
import { Reader } from "../../src/wire/reader.js";
import { copyBytes, equalBytes, equalSecret, Writer } from "../../src/wire/writer.js";
import { fault } from "../faults.js";

/** What `write` writes into a buffer of `size` bytes. */
function written(size: number, write: (w: Writer) => void): Uint8Array {
  const w = new Writer(new Uint8Array(size));
  write(w);
  return w.bytes.slice(0, w.at);
}

test("fields are big-endian", (t) => {
  const bytes = written(9, (w) => {
    w.u8(0xf1);
    w.u16(0xf203);
    w.u24(0xf40506);
    w.ascii("ok!");
  });
  t.deepEqual(bytes, Uint8Array.of(0xf1, 0xf2, 0x03, 0xf4, 0x05, 0x06, 0x6f, 0x6b, 0x21));
});

test("a field never reaches past the limit, however long the buffer is", (t) => {
  const fields: [number, (w: Writer) => unknown][] = [
    [1, (w) => w.u8(1)],
    [2, (w) => w.u16(1)],
    [3, (w) => w.u24(1)],
    [4, (w) => w.copy(new Uint8Array(4))],
    [5, (w) => w.ascii("12345")],
    [6, (w) => w.skip(6)],
    [1, (w) => w.begin8()],
    [2, (w) => w.begin16()],
    [3, (w) => w.begin24()],
  ];
  for (const [size, field] of fields) {
    const w = new Writer(new Uint8Array(20).fill(0xee), 4, 4 + size - 1);
    t.is(
      fault(() => field(w)),
      faults.OUTPUT_TOO_SMALL,
    );
    t.is(w.at, 4);
    t.true(
      w.bytes.every((byte) => byte === 0xee),
      "nothing was written",
    );
    t.notThrows(() => field(w.over(w.bytes, 4, 4 + size)));
    t.is(w.room, 0);
  }
});

test("copy takes a span, or all", (t) => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  t.deepEqual(
    written(10, (w) => {
      w.copy(bytes, 1, 3);
      w.copy(bytes);
      w.copy(bytes, 4, 4);
    }),
    Uint8Array.of(2, 3, 1, 2, 3, 4),
  );
});

for (const [size, begin, finish] of [
  [1, "begin8", "finish8"],
  [2, "begin16", "finish16"],
  [3, "begin24", "finish24"],
] as const) {
  /** A vector of `n` bytes behind one other byte. */
  const vector = (n: number) => (w: Writer) => {
    w.u8(0xaa);
    const mark = w[begin]();
    w.skip(n);
    w[finish](mark);
  };

  test(`${finish} fills in a length of ${size} bytes, of zero bytes too`, (t) => {
    const prefix = new Uint8Array(size - 1);
    t.deepEqual(written(20, vector(0)), Uint8Array.of(0xaa, ...prefix, 0));
    t.deepEqual(written(20, vector(3)), Uint8Array.of(0xaa, ...prefix, 3, 0, 0, 0));
  });

  test(`${finish} takes as much as ${size} bytes can say, and no more`, (t) => {
    const most = 2 ** (8 * size) - 1;
    const full = written(most + 10, vector(most)).slice(0, 1 + size);
    t.deepEqual(full, new Uint8Array(1 + size).fill(0xff).fill(0xaa, 0, 1));
    t.is(
      fault(() => written(most + 10, vector(most + 1))),
      faults.OUTPUT_TOO_SMALL,
    );
  });
}

type Tree = number | Tree[];

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof({ depthSize: "small" }, fc.nat(255), fc.array(tie("tree"), { maxLength: 4 })),
}));

/** A number as a byte behind 0, a list as a vector behind 1. */
function write(w: Writer, node: Tree): void {
  w.u8(Array.isArray(node) ? 1 : 0);
  if (Array.isArray(node)) {
    const mark = w.begin16();
    for (const child of node) write(w, child);
    w.finish16(mark);
  } else w.u8(node);
}

function read(r: Reader): Tree {
  if (r.u8() === 0) return r.u8();
  const outer = r.enter16();
  const children: Tree[] = [];
  while (r.left > 0) children.push(read(r));
  r.leave(outer);
  return children;
}

test("what a Writer writes, nested as it may be, a Reader reads", (t) => {
  const property = fc.property(tree, (node) => {
    const w = new Writer(new Uint8Array(10000));
    write(w, node);
    const r = new Reader(w.bytes, 0, w.at);
    const back = read(r);
    r.finish();
    return JSON.stringify(back) === JSON.stringify(node);
  });
  t.notThrows(() => fc.assert(property));
});

test("copyBytes copies runs, short and long, and nothing around them", (t) => {
  const from = Uint8Array.from({ length: 300 }, (_, i) => i & 0xff);
  for (const n of [0, 1, 63, 64, 65, 66, 200]) {
    const to = new Uint8Array(300);
    copyBytes(from, 17, 17 + n, to, 5);
    const expected = new Uint8Array(300);
    expected.set(from.subarray(17, 17 + n), 5);
    t.deepEqual(to, expected, `${n} bytes`);
  }
});

const a = Uint8Array.of(9, 1, 2, 3, 9);
const b = Uint8Array.of(1, 2, 3, 8);

test("equalBytes compares lengths and every byte", (t) => {
  t.true(equalBytes(a, 1, 4, b, 0, 3));
  t.true(equalBytes(a, 0, 0, b, 1, 1), "empty spans");
  t.false(equalBytes(a, 1, 4, b, 0, 2), "a prefix");
  t.false(equalBytes(a, 1, 3, b, 0, 3), "the other way round");
  t.false(equalBytes(a, 1, 5, b, 0, 4), "the last byte");
  t.false(equalBytes(a, 0, 3, b, 0, 3), "the first byte");
});

test("equalSecret tells one flipped bit anywhere", (t) => {
  const secret = Uint8Array.from({ length: 48 }, (_, i) => i * 5);
  const other = Uint8Array.of(0, 0, ...secret);
  t.true(equalSecret(secret, 0, other, 2, 48));
  t.true(equalSecret(secret, 3, other, 5, 45));
  for (let bit = 0; bit < 48 * 8; bit++) {
    other[2 + (bit >> 3)] ^= 1 << (bit & 7);
    t.false(equalSecret(secret, 0, other, 2, 48), `bit ${bit}`);
    other[2 + (bit >> 3)] ^= 1 << (bit & 7);
  }
  // Two differences don't cancel each other
  other[2] ^= 0x40;
  other[49] ^= 0x40;
  t.false(equalSecret(secret, 0, other, 2, 48));
});
