import test from "ava";
import fc from "fast-check";
import { faults } from "../../src/wire/fault.js";
import { Reader } from "../../src/wire/reader.js";
import { fault } from "../faults.js";

const bytes = Uint8Array.of(0x80, 0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88, 0x09);

test("fields are big-endian and unsigned, and stand where the view begins", (t) => {
  const r = new Reader(bytes, 0, 10);
  t.deepEqual([r.u8(), r.u16(), r.u24(), r.u32()], [0x80, 0x0182, 0x038405, 0x86078809]);
  t.is(r.left, 0);
  t.is(new Reader(bytes, 4).u16(), 0x8405);
});

test("24 bits of length are 24 bits, above 64 KB too", (t) => {
  t.is(new Reader(Uint8Array.of(0x01, 0x00, 0x02)).u24(), 0x010002);
  t.is(new Reader(Uint8Array.of(0xfe, 0xdc, 0xba)).u24(), 0xfedcba);
  const long = new Uint8Array(3 + 0x010203);
  long.set([1, 2, 3]);
  const r = new Reader(long);
  r.leave(r.enter24() - r.skip(0x010203) + 3);
  t.is(r.left, 0);
  t.is(
    fault(() => new Reader(long, 0, long.length - 1).enter24()),
    faults.DECODE_ERROR,
  );
});

test("a field never reaches past the view's end, however many bytes lie behind it", (t) => {
  const read: Record<number, (r: Reader) => unknown> = {
    1: (r) => r.u8(),
    2: (r) => r.u16(),
    3: (r) => r.u24(),
    4: (r) => r.u32(),
    5: (r) => r.skip(5),
  };
  for (const [size, field] of Object.entries(read)) {
    t.is(
      fault(() => field(new Reader(bytes, 2, 2 + Number(size) - 1))),
      faults.DECODE_ERROR,
    );
    t.notThrows(() => field(new Reader(bytes, 2, 2 + Number(size))));
  }
});

test("skip returns where the bytes begin that it passes", (t) => {
  const r = new Reader(bytes, 1, 10);
  t.is(r.skip(3), 1);
  t.is(r.skip(0), 4);
  t.is(r.at, 4);
  t.is(
    fault(() => r.skip(7)),
    faults.DECODE_ERROR,
  );
  t.is(r.at, 4);
});

for (const width of [1, 2, 3] as const) {
  const enter = (r: Reader) => (width === 1 ? r.enter8() : width === 2 ? r.enter16() : r.enter24());
  /** A vector of `length` bytes as its prefix says, with `body` bytes there, and one byte behind. */
  const vector = (length: number, body: number) =>
    new Reader(Uint8Array.of(...new Uint8Array(width - 1), length, ...new Uint8Array(body), 0xff));

  test(`a vector with ${width} bytes of length is a view of its own`, (t) => {
    const r = vector(2, 2);
    const outer = enter(r);
    t.is(r.left, 2);
    r.u16();
    t.is(
      fault(() => r.u8()),
      faults.DECODE_ERROR,
      "the outer bytes are out of reach",
    );
    r.leave(outer);
    t.is(r.u8(), 0xff);
    r.finish();
  });

  test(`a vector with ${width} bytes of length fits its outer one`, (t) => {
    const r = vector(4, 2);
    t.is(
      fault(() => enter(r)),
      faults.DECODE_ERROR,
    );
    t.is(r.end, r.bytes.length, "the view is as it was");
    const whole = vector(3, 2);
    t.is(enter(whole) - whole.at, 3);
  });

  test(`a vector with ${width} bytes of length has no bytes that nobody reads`, (t) => {
    const r = vector(2, 2);
    const outer = enter(r);
    r.u8();
    t.is(
      fault(() => r.leave(outer)),
      faults.DECODE_ERROR,
    );
    r.drop(outer);
    t.is(r.u8(), 0xff);
  });
}

test("a vector of vectors", (t) => {
  const r = new Reader(Uint8Array.of(0, 4, 1, 0xaa, 1, 0xbb, 0xcc));
  const outer = r.enter16();
  const values = [];
  while (r.left > 0) {
    const inner = r.enter8();
    values.push(r.u8());
    r.leave(inner);
  }
  r.leave(outer);
  t.deepEqual(values, [0xaa, 0xbb]);
  t.is(r.u8(), 0xcc);
});

test("enter with a length read elsewhere", (t) => {
  const r = new Reader(bytes, 0, 4);
  t.is(
    fault(() => r.enter(5)),
    faults.DECODE_ERROR,
  );
  const outer = r.enter(3);
  t.is(r.left, 3);
  r.drop(outer);
  t.is(r.left, 1);
});

test("finish refuses trailing bytes", (t) => {
  const r = new Reader(bytes, 0, 2);
  r.u8();
  t.is(
    fault(() => r.finish()),
    faults.DECODE_ERROR,
  );
  r.u8();
  t.notThrows(() => r.finish());
});

test("one Reader reads many spans", (t) => {
  const r = new Reader(bytes);
  r.u32();
  t.is(r.over(Uint8Array.of(1, 2, 3), 1, 2), r);
  t.is(r.u8(), 2);
  t.is(r.left, 0);
});

/** Every way to read, by name, and what it must give by Node's own reading. */
const operations = fc.array(fc.constantFrom("u8", "u16", "u24", "u32", "enter8", "enter16", "skip", "leave"));

test("whatever is read of whatever bytes, the cursor stays in its view and agrees with Node's Buffer", (t) => {
  const property = fc.property(fc.uint8Array({ maxLength: 40 }), operations, (input, names) => {
    const r = new Reader(input);
    const outer: number[] = [];
    for (const name of names) {
      const { at, end } = r;
      try {
        if (name === "skip") r.skip(3);
        else if (name === "enter8" || name === "enter16") outer.push(r[name]());
        else if (name !== "leave") {
          const size = Number(name.slice(1)) / 8;
          if (r[name]() !== Buffer.from(input).readUIntBE(at, size)) return false;
        } else if (outer.length > 0) r.leave(outer.pop()!);
      } catch (thrown) {
        return thrown === faults.DECODE_ERROR && r.end === end;
      }
      if (!(at <= r.at && r.at <= r.end && r.end <= input.length)) return false;
    }
    return true;
  });
  t.notThrows(() => fc.assert(property, { numRuns: 2000 }));
});
