import test from "ava";
import { boolean, generalizedTime, integer, octets, oid, sequence, tlv, utcTime } from "../../certs/der.js";
import { extension } from "../../certs/extensions.js";
import { Der, type ExtensionRow, readExtensions, tag } from "../../src/pki/der.js";
import { type Fault, faults } from "../../src/wire/fault.js";
import { verdict } from "./kit.js";

const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
const over = (bytes: Uint8Array, fault?: Fault) => new Der(fault, bytes);

/** "good" when `read` gets to the end of the bytes. */
function reading(bytes: Uint8Array | string, read: (der: Der) => unknown): string {
  const der = over(typeof bytes === "string" ? hex(bytes) : bytes);
  return verdict(() => {
    read(der);
    der.finish();
  });
}

const refused = "CERT_MALFORMED";

/** Lists of hex strings: those that `read` takes, those that it refuses. */
function table(title: string, read: (der: Der) => unknown, good: string[], bad: string[]) {
  test(title, (t) => {
    for (const text of good) t.is(reading(text, read), "good", text);
    for (const text of bad) t.is(reading(text, read), refused, text);
  });
}

const zeros = (n: number) => "00".repeat(n);

table(
  "lengths are definite, minimal and within what holds them",
  (der) => der.value(tag.OCTET_STRING),
  ["0400", `047f${zeros(127)}`, `048180${zeros(128)}`, `04820100${zeros(256)}`, `0483010000${zeros(65536)}`],
  [
    "",
    "04",
    "0401",
    "0480",
    "04800000",
    "0481",
    `04817f${zeros(127)}`,
    `048200ff${zeros(255)}`,
    `048300ffff${zeros(65535)}`,
    "048300ffff",
    `0484000100${zeros(256)}`,
    "0484ffffffff",
    `0480${zeros(128)}`,
    `04850100000080${zeros(128)}`,
    "04ff",
    "040200",
    "0500",
    "040000",
  ],
);

test("a length beyond an inner end is refused though the bytes are there", (t) => {
  const der = over(hex("3003040200000000"));
  der.enter(tag.SEQUENCE);
  t.is(
    verdict(() => der.value(tag.OCTET_STRING)),
    refused,
  );
});

table("skip refuses tags in long form", (der) => der.skip(), ["0500", "be0100"], ["1f0100", "bf0100", ""]);

test("what follows the view is not seen", (t) => {
  const der = new Der(undefined, hex("0101ff"), 0, 0);
  t.is(der.peek(), -1);
  t.false(der.flag(false));
  const pair = over(hex("06032b65708000"));
  t.is(pair.oid(), 2);
  t.is(pair.value(tag.CONTEXT), 7);
});

test("leave refuses what was not read, drop passes over it", (t) => {
  const bytes = hex("3004050005000401aa");
  const leave = (der: Der) => {
    const outer = der.enter(tag.SEQUENCE);
    der.value(tag.NULL);
    der.leave(outer);
    der.value(tag.OCTET_STRING);
  };
  const drop = (der: Der) => {
    der.drop(der.enter(tag.SEQUENCE));
    der.value(tag.OCTET_STRING);
  };
  t.is(reading(bytes, leave), refused);
  t.is(reading(bytes, drop), "good");
});

test("what is thrown is the fault that the reader was made with", (t) => {
  const der = over(hex("0401"), faults.OCSP_MALFORMED);
  t.is(
    verdict(() => der.value(tag.OCTET_STRING)),
    "OCSP_MALFORMED",
  );
});

test("nesting costs no stack", (t) => {
  let nested: Buffer = Buffer.of();
  for (let i = 0; i < 4000; i++) nested = sequence(nested);
  t.is(
    reading(nested, (der) => der.skip()),
    "good",
  );
  t.is(
    reading(nested, (der) => {
      while (der.more) der.enter(tag.SEQUENCE);
    }),
    "good",
  );
  t.is(
    reading("3080".repeat(100_000), (der) => der.enter(tag.SEQUENCE)),
    refused,
  );
});

table(
  "INTEGER is minimal",
  (der) => der.integer(),
  ["020100", "02017f", "020180", "0201ff", "02020080", "0202ff7f", "02028000"],
  ["0200", "02020000", "0202007f", "0202ffff", "0202ff80", "0a0100"],
);

test("small is from 0 to 2^31 - 1", (t) => {
  const small = (text: string) => over(hex(text)).small();
  t.is(small("020100"), 0);
  t.is(small("02020100"), 256);
  t.is(small("02047fffffff"), 2 ** 31 - 1);
  t.is(over(hex("0a0106")).small(tag.ENUMERATED), 6);
  for (const text of ["0201ff", "02048000" + "0000", "02050080000000", "0206010000000000", "02020001"]) {
    t.is(
      reading(text, (der) => der.small()),
      refused,
      text,
    );
  }
});

test("BOOLEAN DEFAULT FALSE is 0xff or absent, and 0 where that may be", (t) => {
  const flag = (text: string) => over(hex(text)).flag(false);
  t.true(flag("0101ff"));
  t.false(flag(""));
  t.false(flag("0500"));
  for (const text of ["010100", "010101", "0100", "0102ffff"]) {
    t.is(
      reading(text, (der) => der.flag(false)),
      refused,
      text,
    );
  }
  const lenient = (text: string) => over(hex(text)).flag(true);
  t.deepEqual(["0101ff", "010100", "", "0500"].map(lenient), [true, false, false, false]);
  for (const text of ["010101", "0101fe", "0100", "01020000", "0102ffff"]) {
    t.is(
      reading(text, (der) => der.flag(true)),
      refused,
      text,
    );
  }
});

table("a NULL is empty", (der) => der.optionalNull(), ["0500", ""], ["050100", "0400"]);

table(
  "OBJECT IDENTIFIER is minimal and complete",
  (der) => der.oid(),
  ["0603551d13", "06032b6570", "060481800001", "06055581808001"],
  ["0600", "06022b80", "0603558180", "0603805513", "06042b800113", "0601ff"],
);

test("OIDs are compared whole", (t) => {
  const is = (text: string) => over(hex(text)).identifier() === "\x55\x1d\x25";
  t.true(is("0603551d25"));
  t.false(is("0603551d24"));
  t.false(is("0604551d2500"));
  t.false(is("0602551d"));
});

table(
  "BIT STRING has 0 to 7 unused bits, all zero",
  (der) => der.namedBits(),
  ["030100", "0302078" + "0", "03020000", "030200ff", "030307ff80"],
  ["0300", "030101", "030801", "03020800", "0302ff00", "03020781", "03020101", "030201ff"],
);

test("octets are a BIT STRING without unused bits", (t) => {
  const der = over(hex("030300abcd"));
  t.is(der.octets(), 3);
  t.is(der.at, 5);
  t.is(
    reading("03020780", (d) => d.octets()),
    refused,
  );
});

test("named bits come from the left", (t) => {
  const named = (text: string) => over(hex(text)).namedBits();
  t.is(named("03020780"), 0x8000);
  t.is(named("03020204"), 0x0400);
  t.is(named("0303070680"), 0x0680);
  t.is(named("030100"), 0);
});

const timeOf = (bytes: Uint8Array) => over(bytes).date();
const utc = (text: string) => tlv(tag.UTC_TIME, Buffer.from(text));
const general = (text: string) => tlv(tag.GENERALIZED_TIME, Buffer.from(text));

test("times are seconds since 1970, on every day of four centuries", (t) => {
  let wrong = 0;
  for (let day = 0; day < 146_097; day++) {
    const date = new Date(Date.UTC(1800, 0, 1 + day, 23, 59, 58));
    const bytes = generalizedTime(date.toISOString());
    if (over(bytes).generalizedTime() !== date.getTime() / 1000) wrong++;
  }
  t.is(wrong, 0);
  t.is(timeOf(utcTime("2049-12-31T23:59:59Z")), Date.UTC(2049, 11, 31, 23, 59, 59) / 1000);
  t.is(timeOf(utc("500101000000Z")), Date.UTC(1950, 0, 1) / 1000);
  t.is(timeOf(utc("491231235959Z")), Date.UTC(2049, 11, 31, 23, 59, 59) / 1000);
  t.is(timeOf(general("19691231235959Z")), -1);
  t.is(timeOf(general("00010101000000Z")), Date.parse("0001-01-01T00:00:00Z") / 1000);
  t.is(timeOf(general("99991231235959Z")), Date.UTC(9999, 11, 31, 23, 59, 59) / 1000);
  t.is(timeOf(general("20200229120000Z")), Date.UTC(2020, 1, 29, 12) / 1000);
});

test("times of another form, or of no day or hour there is, are refused", (t) => {
  const bad = [
    "260701120000",
    "2607011200Z",
    "260701120000+0000",
    "260701120000z",
    "26070112000 Z",
    "2607011200-1Z",
    "260701120000.0Z",
    "260001120000Z",
    "261301120000Z",
    "260700120000Z",
    "260732120000Z",
    "260431120000Z",
    "260229120000Z",
    "240230120000Z",
    "260701240000Z",
    "260701126000Z",
    "260701120060Z",
    "260701120000Z0",
    "",
  ];
  for (const text of bad) {
    t.is(
      reading(utc(text), (der) => der.date()),
      refused,
      text,
    );
    if (text)
      t.is(
        reading(general(`20${text}`), (der) => der.date()),
        refused,
        `20${text}`,
      );
  }
  t.is(
    reading(general("21000229120000Z"), (der) => der.date()),
    refused,
    "2100 is no leap year",
  );
  t.is(
    reading(general("20000229120000Z"), (der) => der.date()),
    "good",
    "2000 is one",
  );
  t.is(
    reading(general("19691231235959Z"), (der) => der.date()),
    "good",
    "there were days before 1970",
  );
  t.is(
    reading(tlv(0x16, Buffer.from("260701120000Z")), (der) => der.date()),
    refused,
  );
});

const known = "1.2.3.4";
const rows: ExtensionRow<{ value: number }>[] = [
  {
    oid: "\x2a\x03\x04",
    read: (der, to) => {
      to.value = der.small();
    },
  },
];

function readingExtensions(...list: Uint8Array[]) {
  const to = { value: -1 };
  const der = over(sequence(...list));
  const unknownCritical = readExtensions(der, rows, to);
  der.finish();
  return { ...to, unknownCritical };
}

test("extensions are handed to their rows", (t) => {
  t.deepEqual(readingExtensions(), { value: -1, unknownCritical: false }, "if there are any");
  const row = extension(known, true, integer(7));
  const other = (critical: boolean) => extension("1.2.3.5", critical, Buffer.from("anything"));
  t.deepEqual(readingExtensions(row), { value: 7, unknownCritical: false });
  t.deepEqual(readingExtensions(other(false), row), { value: 7, unknownCritical: false });
  t.deepEqual(readingExtensions(other(true), row), { value: 7, unknownCritical: true });
  t.deepEqual(readingExtensions(row, other(true)), { value: 7, unknownCritical: true });
});

test("malformed extensions are refused", (t) => {
  const other = extension("1.2.3.5", false, Buffer.of());
  const between = extension("1.2.3.6", false, Buffer.of());
  const bad: Record<string, Uint8Array[]> = {
    "known one twice": [extension(known, false, integer(1)), extension(known, false, integer(1))],
    "unknown one twice": [other, other],
    "twice, not in a row": [other, between, other],
    "trailing value": [extension(known, false, Buffer.concat([integer(1), integer(2)]))],
    "trailing field": [sequence(oid(known), octets(integer(1)), integer(1))],
    "critical FALSE": [sequence(oid(known), boolean(false), octets(integer(1)))],
    "no value": [sequence(oid(known))],
    "not an OCTET STRING": [sequence(oid(known), integer(1))],
    "too many": Array.from({ length: 65 }, (_, i) => extension(`1.2.4.${i}`, false, Buffer.of())),
  };
  for (const [name, list] of Object.entries(bad)) {
    t.is(
      verdict(() => readingExtensions(...list)),
      refused,
      name,
    );
  }
  t.is(
    verdict(() => readingExtensions(...bad["too many"].slice(1))),
    "good",
  );
});
