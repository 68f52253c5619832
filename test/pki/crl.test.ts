import test from "ava";
import { type Authority, type Issued, nameOf } from "../../certs/certificate.js";
import {
  type CrlTemplate,
  certificateIssuer,
  crl,
  crlNumber,
  deltaCrlIndicator,
  distributionPoints,
  entry,
  fullName,
  issuingDistributionPoint,
  point,
  type Revoked,
  reasonCode,
  uri,
} from "../../certs/crl.js";
import {
  children,
  explicit,
  flipLastBit,
  generalizedTime,
  implicit,
  integer,
  nil,
  octets,
  oid,
  sequence,
  set,
  tag,
  tlv,
  utcTime,
  utf8,
} from "../../certs/der.js";
import { extension, generalName, keyUsage, unknownExtension } from "../../certs/extensions.js";
import { NOW } from "../../certs/fixtures.js";
import { algorithms, newKey } from "../../certs/keys.js";
import { provider } from "../../hosts/node/provider.js";
import type { Remembered } from "../../src/pki/certificate.js";
import { nameConstraints } from "../../src/pki/constraints.js";
import { CrlReader } from "../../src/pki/crl.js";
import { type CrlSource, Crls } from "../../src/pki/crls.js";
import { everything } from "../../src/pki/everything.js";
import { defaultOcsp } from "../../src/pki/policy.js";
import { rsa } from "../../src/pki/rsa.js";
import { pkiTables } from "../../src/pki/tables.js";
import { faults } from "../../src/wire/fault.js";
import { CrlJudge, interleaved, type Settings } from "./crl-judge.js";
import { authority, keys, server, verdict } from "./kit.js";

const signing = { usage: keyUsage("keyCertSign", "cRLSign") };
const root = authority("root", undefined, { extensions: signing });
const ca = authority("intermediate", root, { extensions: signing });
const leaf = server(ca);
const chain = [leaf, ca];
const other = authority("other", undefined, { key: keys.other, extensions: signing });

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const at = (seconds: number) => utcTime(iso(seconds));
const day = 86400;

const listOf = (signer: Authority, parts: Partial<CrlTemplate> = {}) => crl({ signer, ...parts });
const revoking = (...revoked: (Revoked | Buffer)[]) => ({ revoked });
const about = ({ serial }: Issued, parts: Partial<Revoked> = {}): Revoked => ({ serial, ...parts });
const ofRoot = listOf(root);
const ofCa = listOf(ca);

const judge = (lists: readonly CrlSource[], settings: Partial<Settings> = {}, sent = chain) =>
  new CrlJudge(sent, lists, { root: root.der, ...settings });

/** One line for each case: what it shows, the list of the leaf's CA, and the verdict. */
function verdictOn(title: string, make: () => Buffer, expected: string, settings: Partial<Settings> = {}) {
  test(title, (t) => t.is(judge([ofRoot, make()], settings).verdict, expected));
}

const bad = (title: string, parts: () => Partial<CrlTemplate>, expected: string) =>
  verdictOn(title, () => listOf(ca, parts()), expected);

// Which lists there are

test("a list of each CA that the certificates are not on", (t) => {
  const judged = judge([ofRoot, ofCa]);
  t.is(judged.verdict, "good");
  t.deepEqual(judged.statuses, ["good", "good"]);
  const [first] = judged.crls.verdicts;
  t.is(first.thisUpdate, Date.parse("2026-01-01T00:00:00Z") / 1000);
  t.is(first.nextUpdate, Date.parse("2049-12-31T23:59:59Z") / 1000);
  t.is(first.fault, undefined);
  t.is(first.revocationReason, -1);
});

test("in any order, and among others'", (t) => {
  t.is(judge([listOf(other), ofCa, listOf(other), ofRoot]).verdict, "good");
});

test("without a list of the CA, whoever else has one, and with none at all", (t) => {
  for (const lists of [[], [ofRoot], [listOf(other), ofRoot]]) {
    const judged = judge(lists);
    t.is(judged.verdict, "CRL_MISSING");
    t.deepEqual(judged.statuses, ["none", "unchecked"]);
  }
  const judged = judge([ofCa]);
  t.is(judged.verdict, "CRL_MISSING");
  t.deepEqual(judged.statuses, ["good", "none"]);
  t.is(judged.crls.verdicts[1].fault, faults.CRL_MISSING);
});

test("a certificate that says that there is no list for it (RFC 9608)", (t) => {
  const noRevAvail = (critical = false, value = nil) => extension("2.5.29.56", critical, value);
  const short = server(ca, { extensions: { noRevAvail: noRevAvail() } });
  const judged = (list: Buffer[], subject = short, issuer = ca, settings: Partial<Settings> = {}) =>
    judge(list, settings, [subject, issuer]).verdict;
  t.is(judged([ofRoot]), "good");
  t.is(judged([ofRoot, ofCa]), "good");
  t.is(judged([ofRoot, listOf(ca, revoking(about(short)))]), "CRL_CERT_REVOKED");
  t.is(judged([]), "CRL_MISSING");
  // A CA's own certificate can't say so, and not every table knows of it
  const extensions = { ...signing, noRevAvail: noRevAvail() };
  t.is(judged([ofCa], leaf, authority("intermediate", root, { extensions })), "CRL_MISSING");
  const pki = pkiTables(Object.freeze([nameConstraints, rsa]));
  t.is(judged([ofRoot], short, ca, { pki }), "CRL_MISSING");
  const with_ = (each: Buffer) => server(ca, { extensions: { each } });
  t.is(judged([ofRoot], with_(noRevAvail(true))), "CERT_CRITICAL_EXTENSION");
  t.is(judged([ofRoot], with_(noRevAvail(false, sequence()))), "CERT_MALFORMED");
});

test("a policy that is not known does not pass for the mildest one, nor a window for one that is large enough", (t) => {
  t.throws(() => new Crls([], "all" as never), {
    instanceOf: RangeError,
    message: /crl: the policy is one of/,
  });
  t.throws(() => new Crls([], "leaf", 1023), {
    instanceOf: RangeError,
    message: /crl: a window of at least 1024/,
  });
  t.notThrows(() => new Crls([], "leaf", 1024));
});

test("what the policy demands", (t) => {
  t.is(judge([ofCa], { policy: "leaf" }).verdict, "good");
  t.is(judge([ofRoot], { policy: "leaf" }).verdict, "CRL_MISSING");
  t.is(judge([], { policy: "if-present" }).verdict, "good");
  t.deepEqual(judge([], { policy: "if-present" }).statuses, ["none", "none"]);
});

test("whatever the policy, a list that is there is looked at", (t) => {
  const bent = listOf(ca, { bendSignature: flipLastBit });
  for (const policy of ["if-present", "leaf", "chain"] as const) {
    t.is(judge([ofRoot, listOf(ca, revoking(about(leaf)))], { policy }).verdict, "CRL_CERT_REVOKED");
    t.is(judge([listOf(root, revoking(about(ca))), ofCa], { policy }).verdict, "CRL_CERT_REVOKED");
    t.is(judge([ofRoot, bent], { policy }).verdict, "CRL_SIGNATURE");
    t.is(judge([ofRoot, Buffer.from("junk")], { policy }).verdict, "CRL_MALFORMED");
  }
});

test("a leaf whose issuer is the anchor; the anchor itself is not looked up", (t) => {
  const direct = server(root);
  t.is(judge([ofRoot], {}, [direct]).verdict, "good");
  t.is(judge([listOf(root, revoking(about(direct)))], {}, [direct]).verdict, "CRL_CERT_REVOKED");
  t.is(judge([listOf(root, revoking(about(root)))], {}, [direct]).verdict, "good");
  t.is(judge([listOf(root, revoking(about(root)))], {}, [direct, root]).verdict, "good");
});

test("without verification nothing is looked at", (t) => {
  const judged = judge([], { verify: false });
  t.is(judged.verdict, "good");
  t.deepEqual(judged.crls.verdicts, []);
});

test("steps: a piece of a list, or one signature", (t) => {
  const { steps } = judge([ofRoot, ofCa]);
  // The path's two links; no staples; the root's list is another CA's, then the CA's and its signature; the same for the CA
  t.deepEqual(steps, [1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0]);
});

test("signatures that were verified before need not be verified again, but each list is read again", (t) => {
  let settled = 0;
  const settle: Remembered["settle"] = (_provider, _scheme, verification, ...what) => {
    settled++;
    return verification.settle(...what);
  };
  t.is(judge([ofRoot, ofCa], { remembered: { settle } }).verdict, "good");
  t.is(settled, 4);
  t.is(judge([ofRoot, ofCa], { remembered: { settle: () => false } }).verdict, "CERT_SIGNATURE");
  const revoked = [ofRoot, listOf(ca, revoking(about(leaf)))];
  t.is(judge(revoked, { remembered: { settle: () => true } }).verdict, "CRL_CERT_REVOKED");
});

// Who is on it, 5.1.2.6 and 5.3

for (const reason of [undefined, 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 100])
  test(`revoked, reason ${reason}`, (t) => {
    const date = at(NOW - day);
    const judged = judge([ofRoot, listOf(ca, revoking(about(leaf, { reason, date })))]);
    t.is(judged.verdict, "CRL_CERT_REVOKED");
    t.deepEqual(judged.statuses, ["revoked", "unchecked"]);
    const [{ fault, revocationReason, revokedAt }] = judged.crls.verdicts;
    t.is(fault, faults.CRL_CERT_REVOKED);
    t.is(revocationReason, reason ?? -1);
    t.is(revokedAt, NOW - day);
  });

const strangers = [1, 2, 300, 70000].map((n) => ({ serial: integer(n) }));
bad("others are revoked", () => revoking(...strangers), "good");
bad("first of many", () => revoking(about(leaf), ...strangers), "CRL_CERT_REVOKED");
bad("last of many", () => revoking(...strangers, about(leaf)), "CRL_CERT_REVOKED");
bad("removeFromCRL, 6.3.3 (k)", () => revoking(about(leaf, { reason: 8 })), "good");
bad(
  "removeFromCRL, but revoked as well",
  () => revoking(about(leaf, { reason: 1 }), about(leaf, { reason: 8 })),
  "CRL_CERT_REVOKED",
);
bad("an empty list of entries", () => revoking(), "good");
bad(
  "another CA's certificate of this number",
  () => ({ ...revoking(about(leaf)), signer: ca, issuer: other.name }),
  "CRL_MISSING",
);
const short = Buffer.concat([Buffer.of(tag.integer, 7), leaf.serial.subarray(2, 9)]);
const longer = tlv(tag.integer, Buffer.of(1), leaf.serial.subarray(2));
bad(
  "numbers that begin or end with the leaf's",
  () => revoking({ serial: short }, { serial: longer }),
  "good",
);
const entryWith = (...extensions: Buffer[]) => revoking({ serial: integer(5), extensions });
const date = generalizedTime(iso(NOW));
bad("an invalidityDate", () => entryWith(extension("2.5.29.24", false, date)), "good");
bad("a critical reasonCode", () => entryWith(extension("2.5.29.21", true, tlv(10, Buffer.of(1)))), "good");
bad("an entry's unknown extension", () => entryWith(unknownExtension(false)), "good");
bad(
  "an entry's unknown critical extension",
  () => entryWith(unknownExtension(true)),
  "CRL_CRITICAL_EXTENSION",
);
bad("an entry's certificateIssuer", () => entryWith(certificateIssuer(other.name)), "CRL_INDIRECT");
bad("an entry's extension twice", () => entryWith(reasonCode(1), reasonCode(1)), "CRL_MALFORMED");
bad(
  "a reason that is no ENUMERATED",
  () => entryWith(extension("2.5.29.21", false, integer(1))),
  "CRL_MALFORMED",
);
bad(
  "a reason with more behind it",
  () => entryWith(extension("2.5.29.21", false, Buffer.concat([tlv(10, Buffer.of(1)), nil]))),
  "CRL_MALFORMED",
);
const inEntry = (...parts: Buffer[]) => revoking(sequence(...parts));
bad("an entry without a date", () => inEntry(integer(5)), "CRL_MALFORMED");
bad(
  "an entry with too much",
  () => inEntry(integer(5), at(NOW), sequence(reasonCode(1)), nil),
  "CRL_MALFORMED",
);
bad("an entry whose extensions are none", () => inEntry(integer(5), at(NOW), nil), "CRL_MALFORMED");
bad("an entry's date that is none", () => inEntry(integer(5), utf8("2026")), "CRL_TIME");
bad("a padded number", () => inEntry(tlv(tag.integer, Buffer.of(0, 5)), at(NOW)), "CRL_MALFORMED");
bad("an entry that is no SEQUENCE", () => revoking(set(integer(5), at(NOW))), "CRL_MALFORMED");

// Who signed it, 6.3.3 (f), (g)

bad(
  "signed by another key in the CA's name",
  () => ({ signer: { name: ca.name, key: keys.other } }),
  "CRL_SIGNATURE",
);
bad("a bent signature", () => ({ bendSignature: flipLastBit }), "CRL_SIGNATURE");
bad("an empty signature", () => ({ bendSignature: () => Buffer.alloc(0) }), "CRL_SIGNATURE");
bad("the issuer is another CA", () => ({ issuer: other.name }), "CRL_MISSING");
const ders = [leaf, { ...ca, ...authority("intermediate", root) }];
test("a CA without cRLSign", (t) => {
  t.is(judge([ofRoot, ofCa], {}, ders).verdict, "CRL_KEY_USAGE");
});
test("a CA without keyUsage", (t) => {
  const free = authority("intermediate", root, { extensions: { usage: undefined } });
  t.is(judge([ofRoot, ofCa], {}, [leaf, free]).verdict, "good");
});
test("an anchor without cRLSign", (t) => {
  const anchor = authority("root");
  t.is(judge([ofRoot, ofCa], { root: anchor.der }).verdict, "CRL_KEY_USAGE");
});
test("an anchor that was sent along, without cRLSign", (t) => {
  const anchor = authority("root");
  t.is(judge([ofRoot, ofCa], { root: anchor.der }, [leaf, ca, anchor]).verdict, "CRL_KEY_USAGE");
});
bad("signed with SHA-1", () => ({ algorithm: algorithms["ecdsa-sha1"] }), "CRL_SIGNATURE_ALGORITHM");
bad("signed with SHA-384", () => ({ algorithm: algorithms["ecdsa-sha384"] }), "good");
bad(
  "another algorithm outside",
  () => ({ outerAlgorithm: algorithms["ecdsa-sha384"].identifier }),
  "CRL_ALGORITHM_MISMATCH",
);
bad(
  "an algorithm outside with parameters",
  () => ({ outerAlgorithm: sequence(oid("1.2.840.10045.4.3.2"), nil) }),
  "CRL_ALGORITHM_MISMATCH",
);
bad(
  "an algorithm of another key",
  () => ({ algorithm: { ...algorithms.ed25519, sign: () => Buffer.alloc(64) } }),
  "CRL_SIGNATURE_ALGORITHM",
);

for (const type of ["p256", "p384", "rsa2048", "ed25519"] as const)
  test(`a CA's key: ${type}`, (t) => {
    const key = newKey(type);
    const own = authority("intermediate", root, { key, extensions: signing });
    const below = server(own);
    t.is(judge([ofRoot, listOf(own)], {}, [below, own]).verdict, "good");
    t.is(judge([ofRoot, listOf(own, revoking(about(below)))], {}, [below, own]).verdict, "CRL_CERT_REVOKED");
    t.is(
      judge([ofRoot, listOf(own, { bendSignature: flipLastBit })], {}, [below, own]).verdict,
      "CRL_SIGNATURE",
    );
  });

test("RSASSA-PSS, and RSA that is left out", (t) => {
  const own = authority("intermediate", root, { key: newKey("rsa2048"), extensions: signing });
  const algorithm = algorithms["pss-sha256"];
  t.is(judge([ofRoot, listOf(own, { algorithm })], {}, [server(own), own]).verdict, "good");
  const pki = pkiTables(Object.freeze([nameConstraints]));
  t.is(
    judge([ofRoot, listOf(ca, { algorithm: algorithms["rsa-sha256"], signer: { ...own, name: ca.name } })], {
      pki,
    }).verdict,
    "CRL_SIGNATURE_ALGORITHM",
  );
  t.is(judge([ofRoot, listOf(ca)], { pki }).verdict, "good");
});

// When, 5.1.2.4 to 5.1.2.6, 6.3.3 (a)

const { skew } = defaultOcsp;
const times = (thisUpdate: number, nextUpdate: number) => () => ({
  thisUpdate: at(thisUpdate),
  nextUpdate: at(nextUpdate),
});
bad("begins now", times(NOW, NOW + day), "good");
bad("begins within the skew", times(NOW + skew, NOW + day), "good");
bad("begins after it", times(NOW + skew + 1, NOW + day), "CRL_NOT_YET_VALID");
bad("ends within the skew", times(NOW - day, NOW - skew), "good");
bad("ended before it", times(NOW - day, NOW - skew - 1), "CRL_EXPIRED");
bad("ends before it begins", times(NOW, NOW - 1), "CRL_TIME");
bad("ends as it begins", times(NOW, NOW), "good");
bad("never ends", () => ({ nextUpdate: null }), "CRL_NO_NEXT_UPDATE");
bad(
  "times as GeneralizedTime",
  () => ({ thisUpdate: generalizedTime(iso(NOW)), nextUpdate: generalizedTime(iso(NOW + day)) }),
  "good",
);
bad("lasts beyond 2050", () => ({ nextUpdate: generalizedTime("2051-01-01T00:00:00Z") }), "good");
bad(
  "a day that no calendar has",
  () => ({ thisUpdate: tlv(tag.utcTime, Buffer.from("260230000000Z")) }),
  "CRL_TIME",
);
bad(
  "a time without seconds",
  () => ({ nextUpdate: tlv(tag.utcTime, Buffer.from("4901010000Z")) }),
  "CRL_TIME",
);
bad(
  "a time with an offset",
  () => ({ nextUpdate: tlv(tag.utcTime, Buffer.from("490101000000+0000")) }),
  "CRL_TIME",
);
bad("no time at all", () => ({ thisUpdate: nil }), "CRL_TIME");
verdictOn("another skew", () => listOf(ca, times(NOW - day, NOW - skew)()), "CRL_EXPIRED", {
  ocsp: { ...defaultOcsp, skew: 0 },
});
test("a clock that was never set", (t) => {
  t.is(judge([ofRoot, ofCa], { clockFloor: NOW + 1 }).verdict, "NO_CLOCK");
});

// Several lists of one CA

const early = { thisUpdate: at(NOW - 2 * day), nextUpdate: at(NOW + day) };
const late = { thisUpdate: at(NOW - day), nextUpdate: at(NOW + 2 * day) };
const stale = { thisUpdate: at(NOW - 3 * day), nextUpdate: at(NOW - day) };
const cases: [string, Buffer[], string][] = [
  [
    "good, then revoked",
    [listOf(ca, early), listOf(ca, { ...late, ...revoking(about(leaf)) })],
    "CRL_CERT_REVOKED",
  ],
  [
    "on hold, then not any more",
    [listOf(ca, { ...early, ...revoking(about(leaf, { reason: 6 })) }), listOf(ca, late)],
    "good",
  ],
  [
    "at one time both",
    [listOf(ca, late), listOf(ca, { ...late, ...revoking(about(leaf)) })],
    "CRL_CERT_REVOKED",
  ],
  [
    "a stale one and a current one",
    [listOf(ca, { ...stale, ...revoking(about(leaf)) }), listOf(ca, late)],
    "good",
  ],
  [
    "a stale one and a revoking one",
    [listOf(ca, stale), listOf(ca, { ...late, ...revoking(about(leaf)) })],
    "CRL_CERT_REVOKED",
  ],
  [
    "a bad one and a good one",
    [listOf(ca, { ...late, bendSignature: flipLastBit }), listOf(ca, early)],
    "good",
  ],
  [
    "two bad ones: the first reason",
    [listOf(ca, stale), listOf(ca, { bendSignature: flipLastBit })],
    "CRL_EXPIRED",
  ],
  [
    "a forged one that revokes",
    [listOf(ca, { ...late, ...revoking(about(leaf)), bendSignature: flipLastBit }), listOf(ca, early)],
    "good",
  ],
  ["junk and a good one", [Buffer.from("junk"), listOf(ca)], "good"],
];
for (const [title, lists, expected] of cases)
  test(`several lists: ${title}`, (t) => {
    t.is(judge([ofRoot, ...lists]).verdict, expected);
    t.is(judge([...lists, ofRoot]).verdict, expected);
    const turned = expected === "CRL_EXPIRED" ? "CRL_SIGNATURE" : expected;
    t.is(judge([ofRoot, ...[...lists].reverse()]).verdict, turned);
  });

test("of a list that does not count, its times are told, but no revocation", (t) => {
  const judged = judge([
    ofRoot,
    listOf(ca, { ...late, ...revoking(about(leaf)), bendSignature: flipLastBit }),
  ]);
  const [found] = judged.crls.verdicts;
  t.deepEqual(judged.statuses, ["bad", "unchecked"]);
  t.is(found.fault, faults.CRL_SIGNATURE);
  t.deepEqual([found.thisUpdate, found.nextUpdate], [NOW - day, NOW + 2 * day]);
  t.is(found.revokedAt, Number.NaN);
  t.is(found.revocationReason, -1);
});

// For whom, 5.2.5 and 6.3.3 (b)

const issuing = (parts: Parameters<typeof issuingDistributionPoint>[0]) => () => ({
  extensions: [crlNumber(1), issuingDistributionPoint(parts)],
});
bad("for all", issuing({}), "good");
bad("for users", issuing({ onlyUsers: true }), "good");
bad("for CAs", issuing({ onlyAuthorities: true }), "CRL_SCOPE");
bad(
  "for users and for CAs, which is neither",
  issuing({ onlyUsers: true, onlyAuthorities: true }),
  "CRL_MALFORMED",
);
bad("for attribute certificates", issuing({ onlyAttributes: true }), "CRL_SCOPE");
bad("indirect", issuing({ indirect: true }), "CRL_INDIRECT");
bad("for some reasons", issuing({ reasons: Buffer.of(1, 0x40) }), "CRL_SOME_REASONS");
bad("a delta CRL", () => ({ extensions: [crlNumber(2), deltaCrlIndicator(1)] }), "CRL_DELTA");
bad(
  "FALSE spelt out",
  () => ({ extensions: [extension("2.5.29.28", true, sequence(implicit(1, Buffer.of(0))))] }),
  "CRL_MALFORMED",
);
bad(
  "TRUE that is not DER's",
  () => ({ extensions: [extension("2.5.29.28", true, sequence(implicit(1, Buffer.of(1))))] }),
  "CRL_MALFORMED",
);
bad(
  "TRUE of two octets",
  () => ({ extensions: [extension("2.5.29.28", true, sequence(implicit(1, Buffer.of(0xff, 0xff))))] }),
  "CRL_MALFORMED",
);
bad(
  "a point with more in it",
  () => ({ extensions: [extension("2.5.29.28", true, sequence(implicit(6, Buffer.of(1))))] }),
  "CRL_MALFORMED",
);

test("the same for a CA's own certificate", (t) => {
  const of = (parts: Parameters<typeof issuingDistributionPoint>[0]) => [
    listOf(root, issuing(parts)()),
    ofCa,
  ];
  t.is(judge(of({ onlyUsers: true })).verdict, "CRL_SCOPE");
  t.is(judge(of({ onlyAuthorities: true })).verdict, "good");
});

test("a list for others beside the right one, or one that is wrong for another reason", (t) => {
  const authorities = listOf(ca, issuing({ onlyAuthorities: true })());
  const users = issuing({ onlyUsers: true })();
  t.is(judge([ofRoot, authorities, listOf(ca, users)]).verdict, "good");
  t.is(
    judge([ofRoot, authorities, listOf(ca, { ...users, ...revoking(about(leaf)) })]).verdict,
    "CRL_CERT_REVOKED",
  );
  t.is(judge([ofRoot, authorities, listOf(ca, { ...users, ...stale })]).verdict, "CRL_EXPIRED");
  t.is(judge([ofRoot, listOf(ca, { ...users, ...stale }), authorities]).verdict, "CRL_EXPIRED");
});

const here = uri("http://ca.example/1.crl");
const there = uri("http://ca.example/2.crl");
const relative = (text: string) => explicit(1, sequence(oid("2.5.4.3"), utf8(text)));
const pointed = (...points: Buffer[][]) =>
  server(ca, { extensions: { points: distributionPoints(...points) } });
const points: [string, Buffer[][], Buffer, string][] = [
  ["the same", [[point(here)]], fullName(here), "good"],
  ["another", [[point(there)]], fullName(here), "CRL_SCOPE"],
  ["one of several points", [[point(there)], [point(here)]], fullName(here), "good"],
  ["one of several names", [[point(there, here)]], fullName(here), "good"],
  ["one of the list's several names", [[point(there)]], fullName(here, there), "good"],
  ["another kind of name", [[point(generalName("http://ca.example/1.crl"))]], fullName(here), "CRL_SCOPE"],
  ["of an indirect CRL", [[point(here), explicit(2, explicit(4, other.name))]], fullName(here), "CRL_SCOPE"],
  ["for some reasons", [[point(here), implicit(1, Buffer.of(1, 0x40))]], fullName(here), "CRL_SCOPE"],
  ["without a name", [[implicit(1, Buffer.of(1, 0x40))]], fullName(here), "CRL_SCOPE"],
  ["relative to the CA", [[explicit(0, relative("1"))]], relative("1"), "good"],
  ["relative to the CA, another", [[explicit(0, relative("2"))]], relative("1"), "CRL_SCOPE"],
  ["relative, and a full name", [[point(here)]], relative("1"), "CRL_SCOPE"],
  ["a full name, and relative", [[explicit(0, relative("1"))]], fullName(here), "CRL_SCOPE"],
];
for (const [title, ofLeaf, ofList, expected] of points)
  test(`distribution points: ${title}`, (t) => {
    const subject = pointed(...ofLeaf);
    const list = (more: Partial<CrlTemplate> = {}) =>
      listOf(ca, { ...issuing({ point: ofList })(), ...more });
    t.is(judge([ofRoot, list()], {}, [subject, ca]).verdict, expected);
    const revoked = expected === "good" ? "CRL_CERT_REVOKED" : expected;
    t.is(judge([ofRoot, list(revoking(about(subject)))], {}, [subject, ca]).verdict, revoked);
    // A list for all needs no point
    t.is(judge([ofRoot, ofCa], {}, [subject, ca]).verdict, "good");
  });

test("a list of one point, and a certificate that names none", (t) => {
  t.is(judge([ofRoot, listOf(ca, issuing({ point: fullName(here) })())]).verdict, "CRL_SCOPE");
});

test("a list of one point, where the tables do not read certificates' points", (t) => {
  const pki = pkiTables(Object.freeze([nameConstraints, rsa]));
  const list = listOf(ca, issuing({ point: fullName(here) })());
  t.is(judge([ofRoot, list], { pki }, [pointed([point(here)]), ca]).verdict, "CRL_SCOPE");
  t.is(judge([ofRoot, ofCa], { pki }, [pointed([point(here)]), ca]).verdict, "good");
});

test("distribution points that are malformed, or critical", (t) => {
  const list = listOf(ca, issuing({ point: fullName(here) })());
  const broken = (value: Buffer, critical = false) =>
    server(ca, { extensions: { points: extension("2.5.29.31", critical, value) } });
  for (const value of [nil, sequence(nil), Buffer.from("junk"), sequence(sequence(point(here), nil), nil)])
    t.is(judge([ofRoot, list], {}, [broken(value), ca]).verdict, "CRL_SCOPE");
  t.is(
    judge([ofRoot, list], {}, [broken(sequence(sequence(point(here))), true), ca]).verdict,
    "CERT_CRITICAL_EXTENSION",
  );
});

bad("an empty distribution point", issuing({ point: explicit(0) }), "CRL_MALFORMED");
bad("a distribution point of no form", issuing({ point: explicit(2, here) }), "CRL_MALFORMED");
bad(
  "a distribution point and more",
  issuing({ point: Buffer.concat([fullName(here), nil]) }),
  "CRL_MALFORMED",
);

// Its form, 5.1

bad("version 1: none written, no extensions", () => ({ version: null, extensions: null }), "good");
bad(
  "version 1 with entries",
  () => ({ version: null, extensions: null, ...revoking(about(leaf)) }),
  "CRL_CERT_REVOKED",
);
bad("version 1 with extensions", () => ({ version: null }), "CRL_MALFORMED");
bad(
  "version 1 with an entry's",
  () => ({ version: null, extensions: null, ...revoking(about(leaf, { reason: 1 })) }),
  "CRL_MALFORMED",
);
bad("version 1 written", () => ({ version: integer(0) }), "CRL_MALFORMED");
bad("version 3", () => ({ version: integer(2) }), "CRL_MALFORMED");
bad("no extensions", () => ({ extensions: null }), "good");
bad("an unknown extension", () => ({ extensions: [unknownExtension(false)] }), "good");
bad(
  "an unknown critical extension",
  () => ({ extensions: [unknownExtension(true)] }),
  "CRL_CRITICAL_EXTENSION",
);
bad("an extension twice", () => ({ extensions: [crlNumber(1), crlNumber(1)] }), "CRL_MALFORMED");
bad(
  "an unknown extension twice",
  () => ({ extensions: [unknownExtension(false), unknownExtension(false)] }),
  "CRL_MALFORMED",
);
bad(
  "an authorityKeyIdentifier",
  () => ({ extensions: [extension("2.5.29.35", false, sequence(implicit(0, Buffer.alloc(20))))] }),
  "good",
);
bad(
  "a freshestCRL",
  () => ({ extensions: [extension("2.5.29.46", false, sequence(sequence(point(here))))] }),
  "good",
);
const bentTbs = (bend: (parts: Buffer[]) => Buffer[]) => () => ({
  bendTbs: (tbs: Buffer) => sequence(...bend(children(tbs))),
});
bad(
  "more behind the extensions",
  bentTbs((parts) => [...parts, nil]),
  "CRL_MALFORMED",
);
bad(
  "extensions twice",
  bentTbs((parts) => [...parts, parts.at(-1)!]),
  "CRL_MALFORMED",
);
bad(
  "extensions under another number",
  bentTbs((parts) => [...parts.slice(0, -1), explicit(1, sequence(crlNumber(1)))]),
  "CRL_MALFORMED",
);
bad(
  "without times",
  bentTbs((parts) => [...parts.slice(0, 3)]),
  "CRL_MALFORMED",
);
bad(
  "with three times",
  bentTbs((parts) => [...parts.slice(0, 5), at(NOW), ...parts.slice(5)]),
  "CRL_MALFORMED",
);
bad(
  "without an issuer",
  bentTbs((parts) => [...parts.slice(0, 2), ...parts.slice(3)]),
  "CRL_MALFORMED",
);
bad(
  "without an algorithm",
  bentTbs((parts) => [parts[0], ...parts.slice(2)]),
  "CRL_MALFORMED",
);
const bent = (title: string, bend: (der: Buffer) => Buffer, expected = "CRL_MALFORMED") =>
  verdictOn(title, () => bend(listOf(ca, revoking(...strangers))), expected);
bent("a byte behind it", (der) => Buffer.concat([der, Buffer.of(0)]));
bent("a list behind it", (der) => Buffer.concat([der, der]));
bent("cut by a byte", (der) => der.subarray(0, -1));
bent("empty", () => Buffer.alloc(0));
bent("a SET", (der) => set(...children(der)));
bent("a SET within", (der) => sequence(set(...children(children(der)[0])), ...children(der).slice(1)));
bent("more behind the signature", (der) => sequence(...children(der), nil));
bent("without a signature", (der) => sequence(...children(der).slice(0, -1)));
bent("a signature of bits", (der) =>
  sequence(...children(der).slice(0, -1), tlv(tag.bitString, Buffer.of(1, 0x80))),
);
bent("an indefinite length", (der) =>
  Buffer.concat([Buffer.of(0x30, 0x80), der.subarray(4), Buffer.of(0, 0)]),
);
bent("a padded length", (der) => Buffer.concat([Buffer.of(0x30, 0x83, 0), der.subarray(2)]));
bent("a length of five octets", (der) => Buffer.concat([Buffer.of(0x30, 0x85, 0, 0, 0), der.subarray(2)]));
test("lengths in as many octets as they need, of the list itself", (t) => {
  const begins = (...header: number[]) =>
    verdict(() => {
      const reader = new CrlReader({ provider, pki: everything });
      reader.begin();
      reader.update(Buffer.of(0x30, ...header), 0, header.length + 1);
    });
  for (const header of [[0x7f], [0x81, 0x80], [0x82, 1, 0], [0x83, 1, 0, 0], [0x84, 1, 0, 0, 0]])
    t.is(begins(...header), "good", `${header}`);
  for (const header of [
    [0x80],
    [0x81, 0x7f],
    [0x82, 0, 0xff],
    [0x83, 0, 0xff, 0xff],
    [0x84, 0, 0xff, 0xff, 0xff],
    [0x85],
  ])
    t.is(begins(...header), "CRL_MALFORMED", `${header}`);
});
bent("a TBSCertList longer than the list", (der) =>
  Buffer.concat([der.subarray(0, 4), Buffer.of(0x30, 0x82, 0x7f, 0xff), der.subarray(8)]),
);
verdictOn(
  "entries longer than the TBSCertList",
  () => {
    const [tbs, ...rest] = children(listOf(ca, { ...revoking(...strangers), extensions: null }));
    const parts = children(tbs);
    const last = Buffer.from(parts.at(-1)!);
    last[1] += 5;
    return sequence(tlv(0x30, ...parts.slice(0, -1), last), ...rest);
  },
  "CRL_MALFORMED",
);
test("a name that is not the CA's to the octet, and one that is none", (t) => {
  t.is(judge([ofRoot, listOf(ca, { issuer: nameOf(["2.5.4.3", "intermediate"]) })]).verdict, "CRL_MISSING");
  t.is(judge([ofRoot, listOf(ca, { issuer: sequence(nil) })]).verdict, "CRL_MALFORMED");
});

// In pieces

/** A list that comes so many bytes at a time. */
class Pieces {
  readonly asked: number[] = [];
  private readonly der: Buffer;
  private readonly size: number;

  constructor(der: Buffer, size: number) {
    this.der = der;
    this.size = size;
  }

  read(offset: number, most: number): Uint8Array {
    this.asked.push(most);
    return this.der.subarray(offset, offset + Math.min(most, this.size));
  }
}

for (const size of [1, 2, 3, 5, 64, 1000, 4096])
  test(`pieces of ${size}`, (t) => {
    const pieces = (der: Buffer) => new Pieces(der, size);
    const list = (parts: Partial<CrlTemplate> = {}) =>
      listOf(ca, { ...issuing({ onlyUsers: true })(), ...parts });
    const entries = Array.from({ length: 40 }, (_, i) => ({ serial: integer(i * 97), reason: i % 7 }));
    t.is(judge([pieces(ofRoot), pieces(list())]).verdict, "good");
    t.is(judge([pieces(ofRoot), pieces(list({ revoked: entries }))]).verdict, "good");
    t.is(
      judge([pieces(ofRoot), pieces(list({ revoked: [...entries, about(leaf)] }))]).verdict,
      "CRL_CERT_REVOKED",
    );
    t.is(judge([pieces(ofRoot), pieces(list({ bendSignature: flipLastBit }))]).verdict, "CRL_SIGNATURE");
    const cut = list({ revoked: entries });
    t.is(judge([pieces(ofRoot), pieces(cut.subarray(0, -1))]).verdict, "CRL_MALFORMED");
    t.is(judge([pieces(ofRoot), pieces(Buffer.concat([cut, nil]))]).verdict, "CRL_MALFORMED");
  });

test("what reads a list is asked for as much as the window holds, and what it throws is no fault", (t) => {
  const pieces = new Pieces(ofCa, 1000);
  judge([ofRoot, pieces], { window: 1024 });
  t.is(new Set(pieces.asked).size, 1);
  t.is(pieces.asked[0], 1024);
  const read = () => {
    throw new Error("no file");
  };
  t.throws(() => judge([ofRoot, { read }]), { message: "no file" });
});

test("an element longer than the window, wherever it is", (t) => {
  const long = extension("1.3.6.1.4.1.99999.2", false, octets(Buffer.alloc(1100)));
  const judged = (parts: Partial<CrlTemplate>, window: number) =>
    judge([ofRoot, listOf(ca, parts)], { window }).verdict;
  for (const parts of [{ extensions: [long] }, entryWith(long)]) {
    t.is(judged(parts, 1024), "CRL_MALFORMED");
    t.is(judged(parts, 2048), "good");
  }
});

test("two connections that share the lists judge by themselves", (t) => {
  const crls = new Crls([ofRoot, listOf(ca, revoking(about(leaf)))], undefined, 1024);
  const other = server(ca, { subject: "other" });
  const verdicts = interleaved(crls, root.der, [
    [leaf, ca],
    [other, ca],
  ]);
  t.deepEqual(verdicts, ["CRL_CERT_REVOKED", "good"]);
});

// Without a question: its form alone

test("a reader without a question takes lists of any CA, time and certificate, and settles none", (t) => {
  const read = (der: Buffer) =>
    verdict(() => {
      const reader = new CrlReader({ provider, pki: everything });
      reader.begin();
      reader.update(der, 0, der.length);
      reader.finish();
    });
  for (const parts of [
    {},
    stale,
    revoking(about(leaf)),
    issuing({ point: fullName(here) })(),
    issuing({ onlyAuthorities: true })(),
  ])
    t.is(read(listOf(other, parts)), "good");
  t.is(read(listOf(other, issuing({ indirect: true })())), "CRL_INDIRECT");
  t.is(read(listOf(other, { nextUpdate: null })), "CRL_NO_NEXT_UPDATE");
  t.is(read(listOf(other, { algorithm: algorithms["ecdsa-sha1"] })), "CRL_SIGNATURE_ALGORITHM");
  t.is(read(ofCa.subarray(0, -1)), "CRL_MALFORMED");
  const reader = new CrlReader({ provider, pki: everything });
  reader.begin();
  reader.update(ofCa, 0, ofCa.length);
  t.is(
    verdict(() => reader.settle()),
    "INTERNAL_ERROR",
  );
});

test("a signature can be settled once, and not before the end", (t) => {
  const reader = new CrlReader({ provider, pki: everything });
  t.is(
    verdict(() => reader.finish()),
    "CRL_MALFORMED",
  );
  reader.begin();
  reader.update(ofCa, 0, ofCa.length - 1);
  t.is(
    verdict(() => reader.settle()),
    "INTERNAL_ERROR",
  );
  t.is(
    verdict(() => reader.finish()),
    "CRL_MALFORMED",
  );
});

// A long one

test("a million entries, in memory that does not grow with them", (t) => {
  const count = 1_000_000;
  const one = entry({ serial: tlv(tag.integer, Buffer.alloc(16, 0x41)), reason: 1 });
  const entries = Buffer.alloc(count * one.length);
  for (let i = 0; i < count; i++) {
    one.copy(entries, i * one.length);
    entries.writeUInt32BE(i, i * one.length + 5);
  }
  const long = listOf(ca, { bendTbs: (tbs) => withEntries(tbs, entries) });
  let most = 0;
  const read = (offset: number, n: number) => {
    most = Math.max(most, n);
    return long.subarray(offset, offset + n);
  };
  const began = Date.now();
  t.is(judge([ofRoot, { read }]).verdict, "good");
  t.log(`${long.length} bytes in ${Date.now() - began} ms`);
  t.is(most, 2048);
  const last = entry(about(leaf, { reason: 1 }));
  const revoking = listOf(ca, { bendTbs: (tbs) => withEntries(tbs, Buffer.concat([entries, last])) });
  t.is(judge([ofRoot, revoking], { window: 65536 }).verdict, "CRL_CERT_REVOKED");
});

/** The TBSCertList with these revokedCertificates. */
function withEntries(tbs: Buffer, entries: Buffer): Buffer {
  const parts = children(tbs);
  return sequence(...parts.slice(0, 5), sequence(entries), ...parts.slice(5));
}
