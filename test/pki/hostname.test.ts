import { isIP } from "node:net";
import test from "ava";
import fc from "fast-check";
import { implicit } from "../../certs/der.js";
import { address, generalName } from "../../certs/extensions.js";
import { Der } from "../../src/pki/der.js";
import { matchesReference, parseIp, parseReference } from "../../src/pki/hostname.js";

/** Whether a certificate with these names is for the one wanted. */
function matches(wanted: string, ...names: (string | Buffer)[]): boolean {
  const encoded = names.map((name) => (typeof name === "string" ? generalName(name) : name));
  return matchesReference(new Der(undefined, Buffer.concat(encoded)), parseReference(wanted));
}

const dns = (name: string) => implicit(2, Buffer.from(name, "latin1"));

test("DNS names match whole and in any case", (t) => {
  t.true(matches("leaf.test", "leaf.test"));
  t.true(matches("LEAF.test", "leaf.TEST"));
  t.true(matches("leaf.test.", "leaf.test"));
  t.true(matches("leaf.test", "other.test", "127.0.0.1", "leaf.test"));
  t.true(matches("leaf.test", "leaf.test", "other.test"));
  t.true(matches("azAZ09.test", "azaz09.TEST"));
  t.true(matches("localhost", "localhost"));
  t.true(matches("_srv.leaf.test", "_srv.leaf.test"));
  t.true(matches("xn--bcher-kva.test", "XN--BCHER-KVA.test"));
  for (const name of [
    "leaf.tes",
    "eaf.test",
    "leaf.testx",
    "xleaf.test",
    ".leaf.test",
    "leaf.test.",
    "leaf-test",
    "",
  ]) {
    t.false(matches("leaf.test", dns(name)), name);
  }
  t.false(matches("leaf.test"));
});

test("a NUL in a name hides nothing", (t) => {
  t.false(matches("leaf.test", dns("leaf.test\0")));
  t.false(matches("leaf.test", dns("leaf.test\0.evil.test")));
  t.false(matches("leaf.test", dns("\0leaf.test")));
});

test("only letters are folded", (t) => {
  // One bit apart, as letters of either case are
  t.false(matches("a-b.test", dns("a\rb.test")));
  t.false(matches("a_b.test", dns("a\x7fb.test")));
  t.false(matches("a0.test", dns("a\x10.test")));
});

test("a wildcard is the whole left-most label, for one label", (t) => {
  t.true(matches("leaf.tlstaple.test", "*.tlstaple.test"));
  t.true(matches("LEAF.tlstaple.test", "*.TLSTAPLE.test"));
  const bad = [
    "*",
    "*.",
    "*.test",
    "*tlstaple.test",
    "l*.tlstaple.test",
    "*f.tlstaple.test",
    "leaf.*.test",
    "*.*.test",
    "**.tlstaple.test",
    "*.tlstaple.tes",
    "*.tlstaple.test.",
    "*..tlstaple.test",
    "*.leaf.tlstaple.test",
  ];
  for (const name of bad) t.false(matches("leaf.tlstaple.test", dns(name)), name);
  t.false(matches("a.leaf.tlstaple.test", "*.tlstaple.test"));
  t.false(matches("tlstaple.test", "*.tlstaple.test"));
  t.false(matches("tlstaple.test", "*.test"), "two labels must follow the wildcard");
  t.false(matches("localhost", "*"));
});

test("addresses match iPAddress, octet for octet, and nothing else", (t) => {
  t.true(matches("127.0.0.1", "127.0.0.1"));
  t.true(matches("::1", "10.0.0.1", "::1"));
  t.true(matches("127.0.0.1", "127.0.0.1", "::1"));
  t.true(matches("2001:DB8::0:1", "2001:db8::1"));
  t.false(matches("127.0.0.1", "127.0.0.2"));
  t.false(matches("127.0.0.1", dns("127.0.0.1")));
  t.false(matches("127.0.0.1", dns("*.0.0.1")));
  t.false(matches("127.0.0.1", "::ffff:7f00:1"));
  t.false(matches("127.0.0.1", implicit(7, Buffer.from([127, 0, 0, 1, 0]))));
  t.false(matches("127.0.0.1", implicit(7, Buffer.from([127, 0, 0]))));
  t.false(matches("abcd", implicit(7, Buffer.from("abcd"))));
});

test("names of other forms match nothing", (t) => {
  for (const n of [0, 1, 6, 8]) t.false(matches("leaf.test", implicit(n, Buffer.from("leaf.test"))), `${n}`);
});

test("what is no name and no address is refused as a reference", (t) => {
  const label = "a".repeat(63);
  const longest = `${label}.${label}.${label}.${"a".repeat(61)}`;
  t.is(parseReference(longest).bytes.length, 253);
  t.notThrows(() => parseReference(`${longest}.`));
  const bad = [
    "",
    ".",
    "a..b",
    ".a",
    "a..",
    "*.leaf.test",
    "leaf.test:443",
    "leaf test",
    "leaf.test\0",
    "b\u00fccher.test",
    "\u212aelvin.test",
    "-a.test",
    "a-.test",
    `${label}a.test`,
    `${longest}a`,
    "1.2.3",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3.4.5",
    "0x7f.1",
    "leaf.1",
    "[::1]",
    "fe80::1%eth0",
    ":",
  ];
  for (const name of bad)
    t.throws(() => parseReference(name), { instanceOf: TypeError }, JSON.stringify(name));
});

test("IP texts that are malformed give undefined", (t) => {
  const bad = [
    "",
    "1",
    "1.2.3",
    "1.2.3.4.",
    ".1.2.3.4",
    "1..2.3",
    "1.2.3.256",
    "1.2.3.04",
    "1.2.3.-4",
    "1.2.3.4 ",
    "1.2.3.0x4",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "1:2:3:4::5:6:7:8",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "12345::",
    "g::",
    "1.2.3.4::",
    "::1.2.3",
    "::1.2.3.4:5",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::1%1",
  ];
  for (const text of bad) t.is(parseIp(text), undefined, text);
});

test("IP texts are read as Node and the URL parser read them", (t) => {
  for (const text of [
    "::",
    "::1",
    "1::",
    "1:2:3:4:5:6:7:8",
    "2001:DB8::ff00:42:8329",
    "a:b::c",
    "1:2:3:4:5:6::",
  ]) {
    t.deepEqual(Buffer.from(parseIp(text)!), address(text), text);
  }
  t.deepEqual(Buffer.from(parseIp("::ffff:192.0.2.1")!), address("::ffff:c000:201"));
  t.deepEqual(Buffer.from(parseIp("1:2:3:4:5:6:192.0.2.1")!), address("1:2:3:4:5:6:c000:201"));
  t.deepEqual(Buffer.from(parseIp("255.0.10.199")!), address("255.0.10.199"));
});

test("Node agrees on what is an address", (t) => {
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc
      .array(fc.constantFrom("::", ":", ".", "0", "1", "ff", "255", "256", "1234"), { maxLength: 12 })
      .map((p) => p.join("")),
  );
  fc.assert(
    fc.property(text, (candidate) => {
      const size = parseIp(candidate)?.length;
      return size === { 0: undefined, 4: 4, 6: 16 }[isIP(candidate)];
    }),
    { numRuns: 5000 },
  );
  t.pass();
});
