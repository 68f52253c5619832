import test from "ava";
import { nameOf } from "../../certs/certificate.js";
import { implicit, oid, printable, sequence, set, tlv, utf8 } from "../../certs/der.js";
import {
  address,
  directoryName,
  generalName,
  nameConstraints,
  subjectAltName,
  subnet,
} from "../../certs/extensions.js";
import { authority, host, judge, keys, root, server, verdict, Walk } from "./kit.js";

const email = (name: string) => implicit(1, Buffer.from(name));
const uri = (name: string) => implicit(6, Buffer.from(name));
const dns = (name: string) => implicit(2, Buffer.from(name, "latin1"));

interface Case {
  permitted?: Buffer[];
  excluded?: Buffer[];
  names?: (string | Buffer)[];
  subject?: Buffer;
}

/** Whether a leaf with these names may stand below a CA with these constraints. */
function allows({ permitted = [], excluded = [], names = [host], subject }: Case): boolean {
  const extensions = { limits: nameConstraints(permitted, excluded) };
  const ca = authority("constrained", root, { extensions });
  const leaf = server(ca, {
    ...(subject ? { subject } : {}),
    extensions: { names: names.length ? subjectAltName(...names) : undefined },
  });
  const verdict = judge([leaf, ca], { name: undefined });
  if (verdict !== "good" && verdict !== "CERT_NAME_CONSTRAINTS") throw new Error(verdict);
  return verdict === "good";
}

const permits = (base: Buffer, ...names: (string | Buffer)[]) => allows({ permitted: [base], names });
const excludes = (base: Buffer, ...names: (string | Buffer)[]) => !allows({ excluded: [base], names });

test("a dNSName is in the domain that it ends with", (t) => {
  const inside: [string, string][] = [
    ["tlstaple.test", "tlstaple.test"],
    ["tlstaple.test", "leaf.tlstaple.test"],
    ["tlstaple.test", "a.b.tlstaple.test"],
    ["tlstaple.test", "*.tlstaple.test"],
    ["TLStaple.test", "leaf.tlsTAPLE.test"],
    [".tlstaple.test", "leaf.tlstaple.test"],
    ["", "leaf.tlstaple.test"],
  ];
  const outside: [string, string][] = [
    ["tlstaple.test", "tlstaple.tes"],
    ["tlstaple.test", "xtlstaple.test"],
    ["tlstaple.test", "test"],
    ["tlstaple.test", "tlstaple.test.evil"],
    [".tlstaple.test", "tlstaple.test"],
    [".tlstaple.test", "xtlstaple.test"],
    ["leaf.tlstaple.test", "tlstaple.test"],
  ];
  for (const [base, name] of inside) {
    t.true(permits(dns(base), name), `${name} in ${base}`);
    t.true(excludes(dns(base), name), `${name} in ${base}`);
  }
  for (const [base, name] of outside) {
    t.false(permits(dns(base), name), `${name} outside ${base}`);
    t.false(excludes(dns(base), name), `${name} outside ${base}`);
  }
});

test("a wildcard does not reach into what is excluded", (t) => {
  t.true(excludes(dns("leaf.tlstaple.test"), "*.tlstaple.test"));
  t.true(excludes(dns("LEAF.tlstaple.test"), "*.TLSTAPLE.test"));
  t.false(excludes(dns("a.leaf.tlstaple.test"), "*.tlstaple.test"));
  t.false(excludes(dns("leaf.other.test"), "*.tlstaple.test"));
  t.false(excludes(dns("leaf.tlstaple.test"), "x.tlstaple.test"));
  t.false(excludes(dns("test"), "*.tlstaple.tes"));
  t.false(permits(dns("leaf.tlstaple.test"), "*.tlstaple.test"));
});

test("an iPAddress is in the network of address and mask", (t) => {
  const v4 = subnet("10.1.0.0", "255.255.0.0");
  const v6 = subnet("2001:db8::", "ffff:ffff::");
  for (const [base, inside, outside] of [
    [v4, "10.1.255.255", "10.2.0.0"],
    [v6, "2001:db8::1", "2001:db9::1"],
    [subnet("10.1.2.3", "255.255.255.255"), "10.1.2.3", "10.1.2.2"],
  ] as const) {
    t.true(permits(base, inside));
    t.true(excludes(base, inside));
    t.false(permits(base, outside));
    t.false(excludes(base, outside));
  }
  t.true(permits(subnet("10.1.7.7", "255.255.0.0"), "10.1.0.1"), "bits that the mask hides do not count");
  const excluded = [v4, dns("x.test")];
  t.false(allows({ excluded, names: ["10.1.0.1", host] }), "what stands behind base and name does not count");
  t.false(permits(v4, "2001:db8::1"), "the other family");
  t.false(permits(v6, "10.1.0.1"), "the other family");
  t.false(excludes(v4, "2001:db8::1"));
});

test("a constraint that cannot be evaluated permits nothing and excludes all", (t) => {
  const short = implicit(7, address("10.1.0.0"));
  t.false(permits(short, "10.1.0.0"));
  t.true(excludes(short, "192.168.0.1"));
  t.false(permits(email("leaf.test"), email("a@leaf.test")));
  t.true(excludes(email("other.test"), email("a@leaf.test")));
  t.false(permits(uri("leaf.test"), uri("https://leaf.test/")));
  t.true(excludes(uri("other.test"), uri("https://leaf.test/")));
});

test("constraints concern names of their own form only", (t) => {
  t.true(permits(dns("tlstaple.test"), "127.0.0.1", host));
  t.true(permits(subnet("10.0.0.0", "255.0.0.0"), host));
  t.true(permits(email("other.test"), host));
  t.true(permits(uri("other.test"), host));
  t.false(excludes(email("other.test"), host));
});

test("every name counts", (t) => {
  t.false(permits(dns("tlstaple.test"), host, "other.test"));
  t.false(permits(dns("tlstaple.test"), "other.test", host));
  t.true(excludes(dns("other.test"), host, "other.test"));
});

test("every subtree counts", (t) => {
  const permitted = [dns("a.test"), dns("tlstaple.test"), dns("b.test"), subnet("10.0.0.0", "255.0.0.0")];
  t.true(allows({ permitted, names: [host, "a.test", "10.0.0.1"] }));
  t.false(allows({ permitted, names: [host, "c.test"] }));
  t.false(allows({ permitted, names: [host, "11.0.0.1"] }));
  t.false(
    allows({ permitted, excluded: [dns("x.test"), dns(host)] }),
    "what is excluded in what is permitted",
  );
  t.true(allows({ permitted, excluded: [dns(`x.${host}`)] }));
});

const base = nameOf(["2.5.4.10", "Example"], ["2.5.4.11", "Unit"]);
const below = nameOf(["2.5.4.10", "Example"], ["2.5.4.11", "Unit"], ["2.5.4.3", "x"]);
const beside = nameOf(["2.5.4.10", "Example"], ["2.5.4.11", "Units"], ["2.5.4.3", "x"]);
const above = nameOf(["2.5.4.10", "Example"]);

test("a directoryName is in the tree whose relative names it begins with", (t) => {
  const permitsSubject = (subject: Buffer) => allows({ permitted: [directoryName(base)], subject });
  const excludesSubject = (subject: Buffer) => !allows({ excluded: [directoryName(base)], subject });
  for (const name of [below, base]) {
    t.true(permitsSubject(name));
    t.true(excludesSubject(name));
  }
  for (const name of [beside, above, nameOf(["2.5.4.10", "Example"], ["2.5.4.3", "Unit"])]) {
    t.false(permitsSubject(name));
    t.false(excludesSubject(name));
  }
  t.true(permitsSubject(sequence()), "an empty subject is no name");
  t.false(excludesSubject(sequence()), "an empty subject is no name");
});

test("a directoryName among the alternative names counts as well", (t) => {
  const permitted = [directoryName(base)];
  t.true(allows({ permitted, subject: below, names: [host, directoryName(below)] }));
  t.false(allows({ permitted, subject: below, names: [host, directoryName(beside)] }));
  t.false(allows({ excluded: permitted, subject: beside, names: [host, directoryName(below)] }));
});

const organization = (...values: Buffer[]) =>
  sequence(set(...values.map((value) => sequence(oid("2.5.4.10"), value))));

test("case and the usual string types make no difference", (t) => {
  const constraint = directoryName(organization(printable("Example")));
  for (const value of [utf8("Example"), utf8("eXAMPLE"), printable("EXAMPLE")]) {
    t.true(allows({ permitted: [constraint], subject: organization(value) }));
    t.false(allows({ excluded: [constraint], subject: organization(value) }));
  }
  const wide = tlv(0x1e, Buffer.from("\0E\0x\0a\0m\0p\0l\0e", "latin1"));
  t.false(allows({ permitted: [constraint], subject: organization(wide) }), "not known to be the same");
  t.false(allows({ excluded: [constraint], subject: organization(wide) }), "not known to be another");
  t.true(allows({ permitted: [directoryName(organization(wide))], subject: organization(wide) }));
});

test("relative names of several attributes are compared whole", (t) => {
  const constraint = directoryName(organization(utf8("A"), utf8("B")));
  t.true(allows({ permitted: [constraint], subject: organization(utf8("A"), utf8("B")) }));
  t.false(allows({ permitted: [constraint], subject: organization(utf8("A")) }));
  t.false(allows({ permitted: [constraint], subject: organization(utf8("A"), utf8("B"), utf8("C")) }));
  t.false(allows({ permitted: [constraint], subject: organization(utf8("A"), utf8("C")) }));
});

test("an emailAddress in the subject is an rfc822Name", (t) => {
  const subject = nameOf(["2.5.4.10", "Example"], ["1.2.840.113549.1.9.1", "a@leaf.test"]);
  t.false(allows({ permitted: [email("leaf.test")], subject }));
  t.false(allows({ excluded: [email("other.test")], subject }));
  t.true(allows({ permitted: [dns("tlstaple.test")], subject }));
});

test("the constraints of every CA apply to everything below it", (t) => {
  const limit = (name: string) => ({ limits: nameConstraints([dns(name)], []) });
  const top = authority("top", root, { extensions: limit("tlstaple.test") });
  const middle = authority("middle", top, { key: keys.other });
  const good = server(middle);
  const bad = server(middle, { extensions: { names: subjectAltName(host, "other.test") } });
  t.is(judge([good, middle, top]), "good");
  t.is(judge([bad, middle, top]), "CERT_NAME_CONSTRAINTS", "of the issuer's issuer");
  const wider = authority("wider", top, { key: keys.other, extensions: limit("other.test") });
  t.is(judge([server(wider), wider, top]), "CERT_NAME_CONSTRAINTS", "permitted by one, not by the other");
  const named = { names: subjectAltName("other.test") };
  const misnamed = authority("misnamed", top, { key: keys.other, extensions: named });
  t.is(judge([server(misnamed), misnamed, top]), "CERT_NAME_CONSTRAINTS", "a CA's own name");
  t.is(
    judge([server(top), top], {
      anchors: [authority("root", undefined, { extensions: limit("x.test") }).der],
    }),
    "CERT_NAME_CONSTRAINTS",
    "of the anchor",
  );
});

test("a CA's own constraints do not concern its own name", (t) => {
  const extensions = {
    limits: nameConstraints([dns("tlstaple.test")], []),
    names: subjectAltName("ca.test"),
  };
  const ca = authority("ca", root, { extensions });
  t.is(judge([server(ca), ca]), "good");
});

test("self-issued certificates are exempt, the leaf is not", (t) => {
  const extensions = { limits: nameConstraints([dns("tlstaple.test")], []) };
  const old = authority("same", root, { extensions });
  const rolled = authority("same", old, {
    key: keys.other,
    extensions: { names: subjectAltName("other.test") },
  });
  t.true(rolled.name.equals(old.name));
  t.is(judge([server(rolled), rolled, old]), "good");
  const bad = { subject: old.name, extensions: { names: subjectAltName(host, "other.test") } };
  t.is(judge([server(old, bad), old]), "CERT_NAME_CONSTRAINTS");
});

test("constraints whose names were lost for want of room fail closed", (t) => {
  const ca = authority("constrained", root, {
    extensions: { limits: nameConstraints([dns("tlstaple.test")], []) },
  });
  const names = {
    names: subjectAltName(host, ...Array.from({ length: 50 }, (_, i) => `n${i}.tlstaple.test`)),
  };
  const many = server(ca, { extensions: names });
  t.is(judge([many, ca]), "good");
  t.is(judge([many, ca], { storeSize: 1000 }), "STORE_TOO_SMALL");
  const free = authority("free", root);
  t.is(
    judge([server(free, { extensions: names }), free], { storeSize: 1000 }),
    "good",
    "nobody asks for them",
  );
});

test("comparisons are bounded", (t) => {
  const list = (n: number, suffix: string) =>
    Array.from({ length: n }, (_, i) => generalName(`${i}.${suffix}`));
  const ca = authority("many", root, { extensions: { limits: nameConstraints([], list(1000, "a.test")) } });
  const leaf = (n: number) =>
    server(ca, { extensions: { names: subjectAltName(host, ...list(n, "b.test")) } });
  t.is(judge([leaf(90), ca]), "good");
  t.is(judge([leaf(120), ca]), "CERT_CHAIN_TOO_LONG");
  const walk = new Walk();
  const run = () => verdict(() => walk.run([leaf(90).der, ca.der]));
  t.deepEqual([run(), run()], ["good", "good"], "the bound is each server's own");
});
