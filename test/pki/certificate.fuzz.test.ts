/** Whatever bytes come, only faults are thrown, soon; and what was changed never verifies. */

import test from "ava";
import fc from "fast-check";
import { sequence } from "../../certs/der.js";
import { generalName, nameConstraints, subjectAltName } from "../../certs/extensions.js";
import { readCertificates } from "../../certs/fixtures.js";
import { newKey } from "../../certs/keys.js";
import { Der, readExtensions } from "../../src/pki/der.js";
import { everything } from "../../src/pki/everything.js";
import { trustAnchor } from "../../src/pki/path.js";
import { authority, judge, root, server, verdict } from "./kit.js";

const rsa = authority("rsa", undefined, { key: newKey("rsa2048") });
const ed25519 = authority("ed25519", undefined, { key: newKey("ed25519") });
const limits = nameConstraints([generalName("tlstaple.test")], [generalName("x.test")]);
const limited = authority("limited", root, { extensions: { limits } });
const chains = [
  { chain: [server(limited).der, limited.der], anchor: root.der },
  { chain: [server(rsa).der], anchor: rsa.der },
  { chain: [server(ed25519).der], anchor: ed25519.der },
  { chain: readCertificates("good/chains/pss-sha256.pem"), anchor: readCertificates("good/rsa/root.pem")[0] },
];

/** One octet changed to any other. */
function* changed(der: Uint8Array, values: (old: number) => number[]): Generator<[number, Uint8Array]> {
  for (let at = 0; at < der.length; at++) {
    for (const value of values(der[at])) {
      const copy = Uint8Array.from(der);
      copy[at] = value;
      yield [at, copy];
    }
  }
}

const flips = (old: number) => [old ^ 1, old ^ 0x80, 0, 0xff].filter((value) => value !== old);

for (const [index, { chain, anchor }] of chains.entries()) {
  test(`chain ${index}: no octet of a certificate on the path can be changed`, (t) => {
    t.is(judge(chain, { anchors: [anchor], name: undefined }), "good");
    for (let i = 0; i < chain.length; i++) {
      let accepted = 0;
      for (const [, copy] of changed(chain[i], flips)) {
        const other = chain.map((der, k) => (k === i ? copy : der));
        if (judge(other, { anchors: [anchor], name: undefined }) === "good") accepted++;
      }
      t.is(accepted, 0, `certificate ${i}`);
    }
  });

  test(`chain ${index}: none can be cut short or go on`, (t) => {
    for (let i = 0; i < chain.length; i++) {
      const der = chain[i];
      const replaced = (bytes: Uint8Array) => chain.map((each, k) => (k === i ? bytes : each));
      const accepts = (bytes: Uint8Array) =>
        judge(replaced(bytes), { anchors: [anchor], name: undefined }) === "good";
      let accepted = 0;
      for (let n = 0; n < der.length; n++) {
        if (accepts(der.subarray(0, n))) accepted++;
        if (accepts(Buffer.concat([der.subarray(0, n), Buffer.of(0), der.subarray(n)]))) accepted++;
        if (accepts(Buffer.concat([der.subarray(0, n), der.subarray(n + 1)]))) accepted++;
      }
      if (accepts(Buffer.concat([der, Buffer.of(0)]))) accepted++;
      t.is(accepted, 0, `certificate ${i}`);
    }
  });
}

test("anything for a certificate gives a fault, and no other exception", (t) => {
  const bytes = fc.uint8Array({ maxLength: 400 });
  fc.assert(
    fc.property(
      bytes,
      (junk) => judge([junk]) !== "good" && verdict(() => trustAnchor(junk, everything)) !== "good",
    ),
    { numRuns: 3000 },
  );
  t.pass();
});

const within = (size: number) => (edit: { at: number; cut: number; put: Uint8Array }) => ({
  ...edit,
  at: edit.at % size,
});

test("so do several changes at once, signed anew or not", (t) => {
  const der = limited.der;
  const edit = fc.record({
    at: fc.nat(der.length - 1),
    cut: fc.nat(3),
    put: fc.uint8Array({ maxLength: 4 }),
  });
  const edited = (edits: { at: number; cut: number; put: Uint8Array }[], start: Uint8Array) =>
    edits.reduce<Buffer>(
      (bytes, { at, cut, put }) => Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]),
      Buffer.from(start),
    );
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const mutant = edited(edits, der);
      if (mutant.equals(der)) return true;
      return judge([server(limited).der, mutant]) !== "good";
    }),
    { numRuns: 2000 },
  );
  const names = subjectAltName("leaf.tlstaple.test", "10.0.0.1");
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), fc.boolean(), (edits, ofNames) => {
      const extensions = ofNames
        ? { names: edited(edits.map(within(names.length)), names) }
        : { limits: edited(edits.map(within(limits.length)), limits) };
      const ca = authority("edited", root, ofNames ? {} : { extensions });
      judge([server(ca, ofNames ? { extensions } : {}), ca]);
      return true;
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

test("every reader of DER comes to an end, forwards, with a fault or none", (t) => {
  const readers: ((der: Der) => unknown)[] = [
    (der) => der.skip(),
    (der) => der.integer(),
    (der) => der.small(),
    (der) => der.flag(false),
    (der) => der.oid(),
    (der) => der.octets(),
    (der) => der.namedBits(),
    (der) => der.date(),
    (der) => der.optionalNull(),
    (der) => readExtensions(der, [], undefined),
  ];
  const tagged = fc
    .tuple(fc.constantFrom(1, 2, 3, 4, 5, 6, 0x17, 0x18, 0x30, 0x1f), fc.uint8Array({ maxLength: 20 }))
    .map(([tag, rest]) => Uint8Array.from([tag, ...rest]));
  fc.assert(
    fc.property(tagged, fc.nat(readers.length - 1), (bytes, which) => {
      const der = new Der(undefined, bytes);
      if (verdict(() => readers[which](der)) !== "good") return true;
      return der.at >= 0 && der.at <= bytes.length && der.end === bytes.length;
    }),
    { numRuns: 20_000 },
  );
  t.pass();
});

test("a great number of small elements takes no great time", (t) => {
  const started = Date.now();
  const many = sequence(...Array.from({ length: 20_000 }, () => sequence()));
  t.is(
    verdict(() => readExtensions(new Der(undefined, many), [], undefined)),
    "CERT_MALFORMED",
  );
  t.true(Date.now() - started < 1000);
});
