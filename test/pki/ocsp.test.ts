import test from "ava";
import { type Authority, issue, nameOf, type Template } from "../../certs/certificate.js";
import { enumerated, explicit, integer, nil, octets, oid, sequence, tag, tlv } from "../../certs/der.js";
import {
  basicConstraints,
  extendedKeyUsage,
  extension,
  keyHash,
  keyUsage,
  ocspNoCheck,
  purpose,
  unknownExtension,
} from "../../certs/extensions.js";
import { NOW as now } from "../../certs/fixtures.js";
import { algorithms, digest, hashIdentifier, newKey } from "../../certs/keys.js";
import { provider } from "../../hosts/node/provider.js";
import { type OcspPolicy, responder } from "../../src/pki/ocsp.js";
import { isFault } from "../../src/wire/fault.js";
import { Judge, policy } from "./ocsp-judge.js";
import * as kit from "./ocsp-kit.js";

const { iso, time } = kit;
const day = 86400;
const name = (commonName: string) => nameOf(["2.5.4.3", commonName]);
const delegateKey = newKey("p256");
const strangerKey = newKey("p256");
const serial = "112233445566";

const ca = issue(undefined, {
  serial: 1,
  subject: name("CA"),
  key: newKey("p256"),
  extensions: { basicConstraints: basicConstraints(true) },
});
const leaf = issue(ca, {
  serial: 0x112233445566,
  subject: name("leaf"),
  key: newKey("p256"),
  extensions: { keyUsage: keyUsage("digitalSignature") },
}).der;
const stranger: Authority = { name: name("CA"), key: strangerKey };
const judge = new Judge(leaf, ca.der);

const ocspSigning = extendedKeyUsage(purpose.ocspSigning);

const id = (parts: Partial<kit.CertIdParts> = {}) =>
  kit.certId({ issuer: ca.name, key: ca.key, serial, ...parts });
const single = (parts: Partial<kit.SingleParts> = {}) => kit.single({ id: id(), ...parts });
const byIssuer = (parts: Partial<kit.ResponseParts> = {}) =>
  kit.response({ singles: [single()], key: ca.key, responderId: kit.byName(ca.name), ...parts });
interface DelegateParts extends Partial<Omit<Template, "extensions">> {
  extensions?: Buffer[];
}
function delegate(parts: DelegateParts = {}, issuer: Authority = ca): Buffer {
  const { extensions = [ocspSigning, ocspNoCheck()], ...others } = parts;
  const usual = { serial: 2, subject: name("responder"), key: delegateKey };
  return issue(issuer, { ...usual, ...others, extensions: Object.fromEntries(extensions.entries()) }).der;
}
const byDelegate = (cert: Buffer, parts: Partial<kit.ResponseParts> = {}) =>
  byIssuer({ key: delegateKey, responderId: kit.byKey(delegateKey), certs: [cert], ...parts });

/** One line per case: what it shows, the response, the verdict, and the policy and time where they matter. */
function verdict(
  title: string,
  make: () => Buffer,
  expected: string,
  options: Partial<OcspPolicy> = {},
  at = now,
): void {
  test(title, (t) => t.is(judge.verdict(make(), options, at), expected));
}

// Who signed, RFC 6960 4.2.2.2
verdict("the issuer's own signature, by name", () => byIssuer(), "good");
verdict("the issuer's own signature, by key", () => byIssuer({ responderId: kit.byKey(ca.key) }), "good");
verdict("a delegate, by key", () => byDelegate(delegate()), "good");
verdict(
  "a delegate, by name",
  () => byDelegate(delegate(), { responderId: kit.byName(name("responder")) }),
  "good",
);
verdict("another's signature in the issuer's name", () => byIssuer({ key: strangerKey }), "OCSP_SIGNATURE");
verdict(
  "a stranger in his own name",
  () => byIssuer({ key: strangerKey, responderId: kit.byKey(strangerKey) }),
  "OCSP_RESPONDER",
);
verdict(
  "the issuer's signature under another name",
  () => byIssuer({ responderId: kit.byName(name("another CA")) }),
  "OCSP_RESPONDER",
);
verdict(
  "the issuer's signature under another key's hash",
  () => byIssuer({ responderId: kit.byKey(strangerKey) }),
  "OCSP_RESPONDER",
);
verdict(
  "byKey is SHA-1 of the key, nothing longer",
  () => byIssuer({ responderId: explicit(2, octets(keyHash(ca.key.spki, "sha256"))) }),
  "OCSP_RESPONDER",
);
verdict(
  "a responderID of no known kind",
  () => byIssuer({ responderId: explicit(3, ca.name) }),
  "OCSP_MALFORMED",
);
verdict(
  "a delegate that the responderID does not name",
  () => byDelegate(delegate(), { responderId: kit.byName(name("someone")) }),
  "OCSP_RESPONDER",
);
verdict(
  "a delegate whose certificate is not there",
  () => byDelegate(delegate(), { certs: undefined }),
  "OCSP_RESPONDER",
);
verdict(
  "a delegate's certificate signed by a stranger in the CA's name",
  () => byDelegate(delegate({}, stranger)),
  "OCSP_RESPONDER",
);
verdict(
  "a delegate of another CA that has the same key",
  () => byDelegate(delegate({}, { name: name("another CA"), key: ca.key })),
  "OCSP_RESPONDER",
);
verdict(
  "wolfSSL's trap: a delegate of the root, not of the issuing CA",
  () => byDelegate(delegate({}, { name: name("root"), key: strangerKey })),
  "OCSP_RESPONDER",
);
verdict(
  "a response that the delegate did not sign",
  () => byDelegate(delegate(), { key: strangerKey }),
  "OCSP_SIGNATURE",
);
verdict(
  "a delegate without the EKU",
  () => byDelegate(delegate({ extensions: [ocspNoCheck()] })),
  "OCSP_RESPONDER",
);
verdict(
  "anyExtendedKeyUsage makes no delegate",
  () => byDelegate(delegate({ extensions: [extendedKeyUsage(purpose.any)] })),
  "OCSP_RESPONDER",
);
verdict(
  "serverAuth makes no delegate",
  () => byDelegate(delegate({ extensions: [extendedKeyUsage(purpose.serverAuth)] })),
  "OCSP_RESPONDER",
);
verdict(
  "a longer OID that begins like OCSPSigning makes no delegate",
  () => byDelegate(delegate({ extensions: [extendedKeyUsage(`${purpose.ocspSigning}.1`)] })),
  "OCSP_RESPONDER",
);
verdict(
  "an OID that ends like OCSPSigning makes no delegate",
  () => byDelegate(delegate({ extensions: [extendedKeyUsage("1.3.6.1.5.5.8.3.9")] })),
  "OCSP_RESPONDER",
);
verdict(
  "OCSPSigning among other usages",
  () => byDelegate(delegate({ extensions: [extendedKeyUsage(purpose.serverAuth, purpose.ocspSigning)] })),
  "good",
);
verdict("an expired delegate", () => byDelegate(delegate({ notAfter: iso(now - 1) })), "OCSP_RESPONDER");
verdict("a delegate in its last second", () => byDelegate(delegate({ notAfter: iso(now) })), "good");
verdict(
  "a delegate from tomorrow",
  () => byDelegate(delegate({ notBefore: iso(now + 1) })),
  "OCSP_RESPONDER",
);
verdict("a delegate in its first second", () => byDelegate(delegate({ notBefore: iso(now) })), "good");
verdict(
  "a delegate whose keyUsage lacks digitalSignature",
  () => byDelegate(delegate({ extensions: [ocspSigning, keyUsage("keyCertSign", "cRLSign")] })),
  "OCSP_RESPONDER",
);
verdict(
  "a delegate whose keyUsage has digitalSignature",
  () => byDelegate(delegate({ extensions: [ocspSigning, keyUsage("digitalSignature")] })),
  "good",
);
verdict(
  "a delegate with an unknown critical extension",
  () => byDelegate(delegate({ extensions: [ocspSigning, unknownExtension(true)] })),
  "OCSP_RESPONDER",
);
verdict(
  "a subordinate CA with OCSPSigning makes no delegate",
  () => byDelegate(delegate({ extensions: [ocspSigning, basicConstraints(true)] })),
  "OCSP_RESPONDER",
);
verdict(
  "the right delegate among several",
  () => byDelegate(delegate(), { certs: [ca.der, delegate({ key: strangerKey }), leaf, delegate()] }),
  "good",
);
verdict(
  "delegates of one name: each is tried",
  () =>
    byDelegate(delegate(), {
      responderId: kit.byName(name("responder")),
      certs: [delegate({ key: strangerKey }), delegate({}, stranger), delegate()],
    }),
  "good",
);
verdict(
  "a signer behind more certificates than are looked at",
  () => byDelegate(delegate(), { certs: [leaf, leaf, leaf, leaf, delegate()] }),
  "OCSP_RESPONDER",
);
verdict(
  "a malformed certificate beside the delegate's is no candidate",
  () => byDelegate(delegate(), { certs: [sequence(nil), delegate()] }),
  "good",
);
verdict(
  "an entry of certs that is no SEQUENCE",
  () => byDelegate(delegate(), { certs: [nil, delegate()] }),
  "OCSP_MALFORMED",
);

// A configured responder, RFC 6960 4.2.2.2 (1)
const elsewhere = () =>
  issue(undefined, {
    serial: 9,
    subject: name("local"),
    key: strangerKey,
    extensions: { keyUsage: keyUsage("digitalSignature") },
  }).der;
const configured = { responders: [responder(elsewhere())] };
const byStranger = (responderId: Buffer) => byIssuer({ key: strangerKey, responderId });
verdict("a configured responder, by key", () => byStranger(kit.byKey(strangerKey)), "good", configured);
verdict("a configured responder, by name", () => byStranger(kit.byName(name("local"))), "good", configured);
verdict("one that is not configured", () => byStranger(kit.byName(name("local"))), "OCSP_RESPONDER");
verdict(
  "a configured responder's signature under another name",
  () => byStranger(kit.byName(name("x"))),
  "OCSP_RESPONDER",
  configured,
);
verdict(
  "a configured responder's name with another key",
  () =>
    byDelegate(delegate({ subject: name("local") }), { responderId: kit.byName(name("local")), certs: [] }),
  "OCSP_SIGNATURE",
  configured,
);
verdict("with a responder configured, the issuer still counts", () => byIssuer(), "good", configured);
test("a malformed configured responder is refused at once", (t) => {
  t.is(t.throws(() => responder(Buffer.from("junk")), { any: true } as never)?.name, "CERT_MALFORMED");
});

// Signature algorithms
for (const kind of ["rsa2048", "p384", "ed25519"] as const) {
  const key = newKey(kind);
  verdict(
    `a delegate with a key of kind ${kind}`,
    () => byDelegate(delegate({ key }), { key, responderId: kit.byKey(key) }),
    "good",
  );
}
verdict(
  "SHA-1 with ECDSA",
  () => byIssuer({ algorithm: algorithms["ecdsa-sha1"] }),
  "OCSP_SIGNATURE_ALGORITHM",
);
test("SHA-1 with RSA", (t) => {
  const key = newKey("rsa2048");
  const algorithm = algorithms["rsa-sha1"];
  const der = byDelegate(delegate({ key }), { key, algorithm, responderId: kit.byKey(key) });
  t.is(judge.verdict(der), "OCSP_SIGNATURE_ALGORITHM");
});
verdict(
  "an RSA algorithm over an ECDSA key",
  () => byIssuer({ identifier: algorithms["rsa-sha256"].identifier }),
  "OCSP_SIGNATURE_ALGORITHM",
);
verdict(
  "another hash than the one signed with",
  () => byIssuer({ identifier: algorithms["ecdsa-sha384"].identifier }),
  "OCSP_SIGNATURE",
);
verdict(
  "an algorithm that nobody knows",
  () => byIssuer({ identifier: sequence(oid("1.2.3.4")) }),
  "OCSP_SIGNATURE_ALGORITHM",
);

// Which certificate, RFC 6960 4.1.1
verdict("a CertID by SHA-256", () => byIssuer({ singles: [single({ id: id({ hash: "sha256" }) })] }), "good");
verdict(
  "a CertID whose hash has no parameters",
  () => byIssuer({ singles: [single({ id: id({ hashAlgorithm: sequence(oid("1.3.14.3.2.26")) }) })] }),
  "good",
);
verdict(
  "a CertID whose hash has odd parameters",
  () =>
    byIssuer({
      singles: [single({ id: id({ hashAlgorithm: sequence(oid("1.3.14.3.2.26"), integer(0)) }) })],
    }),
  "OCSP_MALFORMED",
);
const wrongIds: Record<string, Partial<kit.CertIdParts>> = {
  "by a hash that is not spoken": { hash: "sha384" },
  "of another issuer's name": { issuer: name("another CA") },
  "of another issuer's key": { key: strangerKey },
  "of another serial": { serial: "112233445567" },
  "of a serial cut short": { serial: "1122334455" },
  "of a longer serial": { serial: "11223344556600" },
  "of the serial's end": { serial: "223344556611" },
};
for (const [title, parts] of Object.entries(wrongIds)) {
  verdict(`a CertID ${title}`, () => byIssuer({ singles: [single({ id: id(parts) })] }), "OCSP_WRONG_CERT");
}
verdict("no single response at all", () => byIssuer({ singles: [] }), "OCSP_WRONG_CERT");
verdict(
  "a hash that is too short for its algorithm",
  () => {
    const hashes = [digest("sha1", ca.name), keyHash(ca.key.spki)].map((hash) =>
      octets(hash.subarray(0, 19)),
    );
    const short = sequence(hashIdentifier("sha1"), ...hashes, integer(0x112233445566));
    return byIssuer({ singles: [single({ id: short })] });
  },
  "OCSP_WRONG_CERT",
);

// What it says, RFC 6960 2.2
const other = (parts: Partial<kit.SingleParts> = {}) => single({ id: id({ serial: "01" }), ...parts });
const gone = kit.revoked(now - day, 1);
const says = (...singles: Buffer[]) => byIssuer({ singles });
verdict("revoked", () => says(single({ status: gone })), "OCSP_CERT_REVOKED");
verdict("unknown", () => says(single({ status: kit.unknown })), "OCSP_CERT_UNKNOWN");
verdict("good behind others", () => says(other(), other({ status: gone }), single()), "good");
verdict("good before others", () => says(single(), other({ status: gone })), "good");
verdict("revoked after good", () => says(single(), single({ status: gone })), "OCSP_CERT_REVOKED");
verdict("revoked before good", () => says(single({ status: gone }), single()), "OCSP_CERT_REVOKED");
verdict("unknown after good", () => says(single(), single({ status: kit.unknown })), "OCSP_CERT_UNKNOWN");
verdict("unknown before good", () => says(single({ status: kit.unknown }), single()), "OCSP_CERT_UNKNOWN");
verdict(
  "unknown between good and revoked",
  () => says(single(), single({ status: kit.unknown }), single({ status: gone })),
  "OCSP_CERT_REVOKED",
);
verdict(
  "revoked under the other hash",
  () => says(single(), single({ id: id({ hash: "sha256" }), status: gone })),
  "OCSP_CERT_REVOKED",
);
verdict(
  "a stale revocation beside a fresh good",
  () =>
    says(single(), single({ status: gone, nextUpdate: time(now - day / 2), thisUpdate: time(now - day) })),
  "OCSP_EXPIRED",
);
verdict(
  "a stale entry about another certificate",
  () => says(single(), other({ nextUpdate: time(now - day / 2), thisUpdate: time(now - day) })),
  "good",
);
verdict(
  "a malformed entry about another",
  () => says(single(), other({ status: tlv(0x83) })),
  "OCSP_MALFORMED",
);
verdict(
  "a malformed time in an entry about another",
  () => says(single(), other({ thisUpdate: badTime("20260601120000") })),
  "OCSP_TIME",
);
verdict("good with contents", () => says(single({ status: tlv(0x80, Buffer.of(0)) })), "OCSP_MALFORMED");
verdict("unknown with contents", () => says(single({ status: tlv(0x82, Buffer.of(0)) })), "OCSP_MALFORMED");
verdict("revoked without a time", () => says(single({ status: tlv(0xa1) })), "OCSP_MALFORMED");
verdict("sixteen entries", () => says(...Array(15).fill(other()), single()), "good");
verdict(
  "more entries than are looked at",
  () => says(...Array(16).fill(other()), single()),
  "OCSP_MALFORMED",
);

test("what is said of a revocation can be read", (t) => {
  t.is(judge.verdict(says(single({ status: kit.revoked(now - day, 4) }))), "OCSP_CERT_REVOKED");
  const { staple } = judge;
  t.like(staple, { status: "revoked", revokedAt: now - day, revocationReason: 4, delegated: false });
  t.is(judge.verdict(says(single({ status: kit.revoked(now - 5) }))), "OCSP_CERT_REVOKED");
  t.like(staple, { status: "revoked", revokedAt: now - 5, revocationReason: -1 });
});

test("what is said of a good certificate can be read", (t) => {
  const der = byDelegate(delegate(), {
    producedAt: time(now - 7),
    singles: [single({ thisUpdate: time(now - 9), nextUpdate: time(now + 9) })],
  });
  t.is(judge.verdict(der), "good");
  t.like(judge.staple, {
    status: "good",
    thisUpdate: now - 9,
    nextUpdate: now + 9,
    producedAt: now - 7,
    revokedAt: -1,
    revocationReason: -1,
    delegated: true,
    responder: "byKey",
  });
  t.is(judge.verdict(byIssuer()), "good");
  t.like(judge.staple, { delegated: false, responder: "byName" });
});

for (const status of [gone, kit.unknown, kit.good]) {
  test(`nothing unsigned is believed: ${status.toString("hex")}`, (t) => {
    t.is(judge.verdict(byIssuer({ key: strangerKey, singles: [single({ status })] })), "OCSP_SIGNATURE");
    t.is(judge.staple.status, undefined);
  });
}

// When, RFC 6960 4.2.2.1
const { skew } = policy;
const since = (thisUpdate: number, nextUpdate: number | null) =>
  byIssuer({
    producedAt: time(thisUpdate),
    singles: [
      single({ thisUpdate: time(thisUpdate), nextUpdate: nextUpdate === null ? null : time(nextUpdate) }),
    ],
  });
verdict("thisUpdate at the edge of the skew", () => since(now + skew, now + day), "good");
verdict("thisUpdate in the future", () => since(now + skew + 1, now + day), "OCSP_NOT_YET_VALID");
verdict("nextUpdate at the edge of the skew", () => since(now - day, now - skew), "good");
verdict("nextUpdate in the past", () => since(now - day, now - skew - 1), "OCSP_EXPIRED");
verdict("nextUpdate with thisUpdate", () => since(now, now), "good");
verdict("nextUpdate before thisUpdate", () => since(now, now - 1), "OCSP_TIME");
verdict("no nextUpdate", () => since(now, null), "OCSP_NO_NEXT_UPDATE");
const lenient = { allowMissingNextUpdate: true };
verdict("no nextUpdate, allowed", () => since(now, null), "good", lenient);
verdict("no nextUpdate, allowed, a day old", () => since(now - day - skew, null), "good", lenient);
verdict("no nextUpdate, allowed, older", () => since(now - day - skew - 1, null), "OCSP_EXPIRED", lenient);
const week = { allowMissingNextUpdate: true, maxAge: 7 * day };
verdict("no nextUpdate, as old as maxAge", () => since(now - 7 * day - skew, null), "good", week);
verdict(
  "no nextUpdate, older than maxAge",
  () => since(now - 7 * day - skew - 1, null),
  "OCSP_EXPIRED",
  week,
);
const brief = { maxAge: 600 };
verdict("as old as maxAge", () => since(now - 600 - skew, now + day), "good", brief);
verdict("older than maxAge", () => since(now - 600 - skew - 1, now + day), "OCSP_EXPIRED", brief);
verdict("a maxAge of nothing", () => since(now - skew - 1, now + day), "OCSP_EXPIRED", { maxAge: 0 });
const produced = (at: number, thisUpdate = now - 3600) =>
  byIssuer({ producedAt: time(at), singles: [single({ thisUpdate: time(thisUpdate) })] });
verdict("produced at the edge of the skew", () => produced(now + skew), "good");
verdict("produced in the future", () => produced(now + skew + 1), "OCSP_NOT_YET_VALID");
verdict("produced long after thisUpdate", () => produced(now, now - 7 * day), "good");
verdict("produced a little before thisUpdate", () => produced(now - skew, now), "good");
verdict("produced before what it says was known", () => produced(now - skew - 1, now), "OCSP_TIME");

function badTime(text: string): Buffer {
  return tlv(0x18, Buffer.from(text));
}

const text = `${iso(now).slice(0, 19).replace(/\D/g, "")}Z`;
const badTimes: Record<string, Buffer> = {
  "without Z": badTime(text.slice(0, -1)),
  "without seconds": badTime(`${text.slice(0, 12)}Z`),
  "with a fraction": badTime(`${text.slice(0, -1)}.5Z`),
  "with an offset": badTime(`${text.slice(0, -1)}+0000`),
  "in a thirteenth month": badTime("20261301120000Z"),
  "on the 30th of February": badTime("20260230120000Z"),
  "at 24 o'clock": badTime("20260601240000Z"),
  "that is no number": badTime("2026060112000xZ"),
  "that is empty": badTime(""),
  "as UTCTime": tlv(tag.utcTime, Buffer.from(text.slice(2))),
};
for (const [title, bad] of Object.entries(badTimes)) {
  verdict(`producedAt ${title}`, () => byIssuer({ producedAt: bad }), "OCSP_TIME");
  verdict(`thisUpdate ${title}`, () => says(single({ thisUpdate: bad })), "OCSP_TIME");
  verdict(`nextUpdate ${title}`, () => says(single({ nextUpdate: bad })), "OCSP_TIME");
  verdict(`revocationTime ${title}`, () => says(single({ status: tlv(0xa1, bad) })), "OCSP_TIME");
}
// Extensions, RFC 6960 4.4 and RFC 9654
const strange = (critical: boolean) => extension("1.2.3.4", critical, nil);
verdict("an unknown response extension", () => byIssuer({ extensions: [strange(false)] }), "good");
verdict(
  "an unknown critical response extension",
  () => byIssuer({ extensions: [strange(true)] }),
  "OCSP_CRITICAL_EXTENSION",
);
verdict("an unknown single extension", () => says(single({ extensions: [strange(false)] })), "good");
verdict(
  "an unknown critical single extension",
  () => says(single({ extensions: [strange(true)] })),
  "OCSP_CRITICAL_EXTENSION",
);
verdict(
  "an extension twice",
  () => byIssuer({ extensions: [strange(false), strange(false)] }),
  "OCSP_MALFORMED",
);
verdict("no extension in the list of them", () => byIssuer({ extensions: [] }), "OCSP_MALFORMED");

const nonce = digest("sha256", Buffer.from("nonce"));
const asked = { nonce };
const nonceExtension = (value: Buffer, critical = false) =>
  extension("1.3.6.1.5.5.7.48.1.2", critical, value);
const withNonce = (value: Buffer) =>
  byIssuer({ extensions: [strange(false), nonceExtension(octets(value))] });
verdict("the nonce that was asked for", () => withNonce(nonce), "good", asked);
verdict("a nonce that nobody asked for", () => withNonce(nonce), "good");
verdict(
  "a critical nonce",
  () => byIssuer({ extensions: [nonceExtension(octets(nonce), true)] }),
  "good",
  asked,
);
verdict("no nonce", () => byIssuer(), "OCSP_NONCE", asked);
verdict("extensions, but no nonce", () => byIssuer({ extensions: [strange(false)] }), "OCSP_NONCE", asked);
verdict("another nonce", () => withNonce(digest("sha256", nonce)), "OCSP_NONCE", asked);
verdict("a nonce cut short", () => withNonce(nonce.subarray(0, 31)), "OCSP_NONCE", asked);
verdict("an empty nonce", () => withNonce(Buffer.alloc(0)), "OCSP_NONCE", asked);
verdict("a longer nonce", () => withNonce(Buffer.concat([nonce, nonce])), "OCSP_NONCE", asked);
verdict(
  "a nonce without its OCTET STRING",
  () => byIssuer({ extensions: [nonceExtension(nonce)] }),
  "OCSP_MALFORMED",
  asked,
);
verdict(
  "a nonce in a single response",
  () => says(single({ extensions: [nonceExtension(octets(nonce))] })),
  "OCSP_NONCE",
  asked,
);

// The envelope, RFC 6960 4.2.1
for (const status of [1, 2, 3, 4, 5, 6]) {
  verdict(`responseStatus ${status}`, () => kit.bare(enumerated(status)), "OCSP_NOT_SUCCESSFUL");
  verdict(`responseStatus ${status} with an answer`, () => byIssuer({ status }), "OCSP_NOT_SUCCESSFUL");
}
verdict("success with nothing in it", () => kit.bare(enumerated(0)), "OCSP_MALFORMED");
verdict(
  "a responseStatus of two octets",
  () => kit.bare(tlv(tag.enumerated, Buffer.of(0, 0))),
  "OCSP_MALFORMED",
);
verdict("an empty responseStatus", () => kit.bare(tlv(tag.enumerated)), "OCSP_MALFORMED");
verdict("another response type", () => byIssuer({ type: "1.3.6.1.5.5.7.48.1.1.1" }), "OCSP_UNKNOWN_TYPE");
verdict("version 2", () => byIssuer({ version: integer(1) }), "OCSP_UNKNOWN_TYPE");
verdict("version 1, said though it is the default", () => byIssuer({ version: integer(0) }), "good");
verdict("an empty response", () => Buffer.alloc(0), "OCSP_MALFORMED");
verdict("a trailing byte", () => Buffer.concat([byIssuer(), Buffer.of(0)]), "OCSP_MALFORMED");
verdict("a certificate instead", () => leaf, "OCSP_MALFORMED");

// How the work is done
test("each step verifies one signature at most", (t) => {
  const der = byDelegate(delegate(), {
    responderId: kit.byName(name("responder")),
    certs: [delegate({ key: strangerKey }), delegate({}, stranger), delegate()],
  });
  const steps = judge.steps(der);
  t.true(steps.every((signatures) => signatures <= 1));
  t.is(steps[0], 0, "the first step verifies none");
  t.is(
    steps.reduce((sum, n) => sum + n, 0),
    5,
  );
});

test("no signature is verified for what is refused anyhow", (t) => {
  t.deepEqual(judge.steps(since(now - day, now - skew - 1)), [0]);
});

test("a staple can be judged again, and reset", (t) => {
  t.is(judge.verdict(says(single({ status: gone }))), "OCSP_CERT_REVOKED");
  judge.staple.reset();
  t.like(judge.staple, { status: undefined, revokedAt: -1, producedAt: -1 });
  t.is(judge.verdict(byIssuer()), "good");
});

test("nothing can be settled before a staple is taken", (t) => {
  t.is(judge.verdict(undefined), "OCSP_STAPLE_MISSING");
});

test("a response that does not fit in the store says what would", (t) => {
  const der = byDelegate(delegate());
  const small = new Judge(leaf, ca.der, 500);
  t.is(small.verdict(der), "STORE_TOO_SMALL");
  t.true(small.store.needed >= der.length);
});

test("every fault is one of ours", (t) => {
  const error = t.throws(() => judge.settle(Buffer.from("junk")), { any: true } as never);
  t.true(isFault(error));
});

test("the provider is asked only for what it lists", (t) => {
  const without = { ...provider, schemes: provider.schemes.filter((id) => id !== 0x0403) };
  const poor = new Judge(leaf, ca.der, undefined, without);
  t.is(poor.verdict(byIssuer()), "OCSP_SIGNATURE_ALGORITHM");
});
