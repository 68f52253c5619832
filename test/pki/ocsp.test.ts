import test, { type ExecutionContext } from "ava";
import { type Authority, issue, type Template } from "../../certs/certificate.js";
import {
  contents,
  explicit,
  generalizedTime,
  implicit,
  integer,
  nil,
  octets,
  sequence,
  tag,
  tlv,
} from "../../certs/der.js";
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
import { NOW as now, ocspCases } from "../../certs/fixtures.js";
import { algorithms, newKey } from "../../certs/keys.js";
import {
  byKey,
  byName,
  certId,
  certStatus,
  errorResponse,
  ocspResponse,
  type ResponseTemplate,
  type Single,
  singleResponse,
} from "../../certs/response.js";
import { provider } from "../../hosts/node/provider.js";
import { Certificate } from "../../src/pki/certificate.js";
import { everything } from "../../src/pki/everything.js";
import { responder, Staple } from "../../src/pki/ocsp.js";
import { Store } from "../../src/pki/store.js";
import { alertOf, type Fault, faults, isFault } from "../../src/wire/fault.js";
import { stapleVerifier } from "./kit.js";
import { caught, Judge, type Measure, policy } from "./ocsp-judge.js";

const responderOf = (der: Uint8Array) => responder(der, everything);

// The fixtures, which most of the list of checks is in

for (const row of ocspCases()) {
  const { id, description, response, subject, issuer, at, expected } = row;
  test(`${id}: ${description}`, (t) => {
    const { skew, maxAge, allowMissingNextUpdate, nonce } = row;
    const responders = row.responders.map(responderOf);
    const judge = new Judge(subject, issuer, 65536);
    const verdict = judge.verdict(response, { skew, maxAge, allowMissingNextUpdate, responders, nonce }, at);
    t.is(verdict, expected);
    if (expected !== "good") t.is(alertOf(faults[expected]) as number | undefined, row.alert);
    if (expected === "OCSP_CERT_REVOKED") t.is(judge.staple.revocationReason, row.reason ?? -1);
  });
}

// What is made here

const day = 86400;
const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const time = (seconds: number) => generalizedTime(iso(seconds));
const usage = { keyUsage: keyUsage("digitalSignature") };
const ca = issue(undefined, {
  subject: "CA",
  key: newKey("p256"),
  extensions: { basicConstraints: basicConstraints(true) },
});
const serial = integer(0x112233445566);
const leaf = issue(ca, {
  serial: 0x112233445566,
  subject: "leaf",
  key: newKey("p256"),
  extensions: usage,
}).der;
const judge = new Judge(leaf, ca.der, 65536);

const delegateKey = newKey("p256");
const stranger = issue(undefined, { subject: "stranger", key: newKey("p256"), extensions: usage });
const impostor: Authority = { name: ca.name, key: stranger.key };
const ocspSigning = extendedKeyUsage(purpose.ocspSigning);
const delegate = (parts: Partial<Template> = {}, issuer: Authority = ca) =>
  issue(issuer, {
    subject: "responder",
    key: delegateKey,
    extensions: { ocspSigning, nocheck: ocspNoCheck() },
    ...parts,
  });

const single = (parts: Partial<Single> = {}) => singleResponse({ certId: certId(ca, serial), ...parts });
const other = (parts: Partial<Single> = {}) => single({ certId: certId(ca, integer(1)), ...parts });
const byIssuer = (parts: Partial<ResponseTemplate> = {}) =>
  ocspResponse({ signer: ca, responses: [single()], ...parts });
const says = (...responses: Buffer[]) => byIssuer({ responses });
const byDelegate = (signer = delegate(), parts: Partial<ResponseTemplate> = {}) =>
  byIssuer({ signer, certificates: [signer.der], ...parts });

/** One line per case: what it shows, the response, the verdict, and the policy where it matters. */
function verdict(title: string, make: () => Buffer, expected: string, options: Measure = {}): void {
  test(title, (t) => t.is(judge.verdict(make(), options), expected));
}

// Who signed, RFC 6960 4.2.2.2
verdict("byKey is SHA-1", () => byIssuer({ responderId: byKey256(ca) }), "OCSP_RESPONDER");
verdict(
  "a responderID of no known kind",
  () => byIssuer({ responderId: explicit(3, ca.name) }),
  "OCSP_MALFORMED",
);
verdict(
  "a delegate of another CA with this key",
  () => byDelegate(delegate({}, renamed(ca))),
  "OCSP_RESPONDER",
);
verdict("a delegate in its last second", () => byDelegate(delegate({ notAfter: iso(now) })), "good");
verdict(
  "a delegate one second later",
  () => byDelegate(delegate({ notAfter: iso(now - 1) })),
  "OCSP_RESPONDER",
);
verdict("a delegate in its first second", () => byDelegate(delegate({ notBefore: iso(now) })), "good");
verdict(
  "a delegate one second before",
  () => byDelegate(delegate({ notBefore: iso(now + 1) })),
  "OCSP_RESPONDER",
);
const noCheck = (value: Buffer) => extension("1.3.6.1.5.5.7.48.1.5", true, value);
verdict(
  "a delegate whose nocheck is critical",
  () => byDelegate(delegate({ extensions: { ocspSigning, noCheck: noCheck(tlv(0x05)) } })),
  "good",
);
verdict(
  "a delegate whose nocheck is no NULL",
  () => byDelegate(delegate({ extensions: { ocspSigning, noCheck: noCheck(octets(Buffer.alloc(1))) } })),
  "OCSP_RESPONDER",
);
verdict(
  "a CA with OCSPSigning makes no delegate",
  () => byDelegate(delegate({ extensions: { ocspSigning, basicConstraints: basicConstraints(true) } })),
  "OCSP_RESPONDER",
);
verdict(
  "delegates of one name: each is tried",
  () => byDelegate(delegate(), { certificates: namesakes().map(({ der }) => der) }),
  "good",
);
verdict(
  "a signer behind more certificates than are looked at",
  () => byDelegate(delegate(), { certificates: [leaf, leaf, leaf, leaf, delegate().der] }),
  "OCSP_RESPONDER",
);
verdict(
  "a malformed certificate beside the delegate's is no candidate",
  () => byDelegate(delegate(), { certificates: [sequence(nil), delegate().der] }),
  "good",
);
verdict(
  "what is no certificate at all is refused",
  () => byDelegate(delegate(), { certificates: [nil, delegate().der] }),
  "OCSP_MALFORMED",
);

function byKey256({ key }: Authority): Buffer {
  return explicit(2, octets(keyHash(key.spki, "sha256")));
}

function renamed({ key }: Authority): Authority {
  return { name: stranger.name, key };
}

/** Delegates that share a name: one with another key, one that the CA did not sign, and the right one. */
function namesakes(): { der: Buffer }[] {
  return [delegate({ key: stranger.key }), delegate({}, impostor), delegate()];
}

// A configured responder, RFC 6960 4.2.2.2 (1)
const configured = { responders: [responderOf(stranger.der)] };
const byStranger = (responderId: Buffer) => byIssuer({ signer: stranger, responderId });
verdict("a configured responder, by key", () => byStranger(byKey(stranger)), "good", configured);
verdict("a configured responder, by name", () => byStranger(byName(stranger)), "good", configured);
verdict(
  "a configured responder in the CA's name",
  () => byStranger(byName(ca)),
  "OCSP_SIGNATURE",
  configured,
);
verdict("a responder that is not configured", () => byStranger(byName(stranger)), "OCSP_RESPONDER");
verdict("with a responder configured, the issuer still counts", () => byIssuer(), "good", configured);
verdict("with a responder configured, a delegate still counts", () => byDelegate(), "good", configured);

test("a malformed configured responder is refused at once", (t) => {
  t.is(
    thrown(t, () => responderOf(Buffer.from("junk"))),
    faults.CERT_MALFORMED,
  );
});

function thrown(t: ExecutionContext, act: () => unknown): Fault {
  try {
    act();
  } catch (fault) {
    t.true(isFault(fault));
    return fault as Fault;
  }
  throw new Error("nothing was thrown");
}

// Signature and CertID
verdict(
  "another hash than the one signed with",
  () =>
    byIssuer({
      algorithm: { ...algorithms["ecdsa-sha256"], identifier: algorithms["ecdsa-sha384"].identifier },
    }),
  "OCSP_SIGNATURE",
);
verdict(
  "odd parameters of a CertID's hash",
  () => says(single({ certId: withParameters(certId(ca, serial), integer(0)) })),
  "OCSP_MALFORMED",
);

/** SHA-1's AlgorithmIdentifier begins the CertID; its NULL gives way to other parameters. */
function withParameters(id: Buffer, parameters: Buffer): Buffer {
  const algorithm = id.subarray(2, 2 + 11);
  return sequence(sequence(algorithm.subarray(2, 9), parameters), id.subarray(2 + 11));
}

// What it says, RFC 6960 2.2
const gone = certStatus.revoked(iso(now - day), 1);
const { unknown } = certStatus;
const stale = { thisUpdate: time(now - day), nextUpdate: time(now - day / 2) };
verdict("unknown after good", () => says(single(), single({ status: unknown })), "OCSP_CERT_UNKNOWN");
verdict("unknown before good", () => says(single({ status: unknown }), single()), "OCSP_CERT_UNKNOWN");
verdict(
  "unknown between good and revoked",
  () => says(single(), single({ status: unknown }), single({ status: gone })),
  "OCSP_CERT_REVOKED",
);
verdict(
  "revoked before unknown",
  () => says(single({ status: gone }), single({ status: unknown })),
  "OCSP_CERT_REVOKED",
);
verdict(
  "a stale revocation beside a fresh good",
  () => byIssuer({ producedAt: time(now - day), responses: [single(), single({ status: gone, ...stale })] }),
  "OCSP_EXPIRED",
);
verdict("a stale answer about another certificate", () => says(single(), other(stale)), "good");
verdict(
  "a malformed answer about another",
  () => says(single(), other({ status: implicit(3) })),
  "OCSP_MALFORMED",
);
verdict(
  "a malformed time of another",
  () => says(single(), other({ thisUpdate: badTime("2026") })),
  "OCSP_TIME",
);
verdict("unknown with contents", () => says(single({ status: implicit(2, Buffer.of(0)) })), "OCSP_MALFORMED");
verdict("as many answers as are read", () => says(...Array(511).fill(other()), single()), "good");
verdict("more answers than are read", () => says(...Array(512).fill(other()), single()), "OCSP_MALFORMED");

function badTime(text: string): Buffer {
  return tlv(tag.generalizedTime, Buffer.from(text));
}

verdict(
  "nextUpdate of another's answer is not taken for ours",
  () => says(other(), other(), single({ nextUpdate: null })),
  "OCSP_NO_NEXT_UPDATE",
);

test("what is said of a revocation can be read", (t) => {
  t.is(judge.verdict(says(single({ status: certStatus.revoked(iso(now - day), 4) }))), "OCSP_CERT_REVOKED");
  t.like(judge.staple, { status: "revoked", revokedAt: now - day, revocationReason: 4, delegated: false });
  t.is(judge.verdict(says(single({ status: certStatus.revoked(iso(now - 5)) }))), "OCSP_CERT_REVOKED");
  t.like(judge.staple, { status: "revoked", revokedAt: now - 5, revocationReason: -1 });
});

test("what is said of a good certificate can be read", (t) => {
  const times = { thisUpdate: time(now - 9), nextUpdate: time(now + 9) };
  const der = byDelegate(delegate(), {
    producedAt: time(now - 7),
    responderId: byKey(delegate()),
    responses: [single(times)],
  });
  t.is(judge.verdict(der), "good");
  t.like(judge.staple, { status: "good", delegated: true, responder: "byKey" });
  t.like(judge.staple, { thisUpdate: now - 9, nextUpdate: now + 9, producedAt: now - 7 });
  t.like(judge.staple, { revokedAt: Number.NaN, revocationReason: -1 });
  t.is(judge.verdict(byIssuer()), "good");
  t.like(judge.staple, { delegated: false, responder: "byName" });
});

for (const [title, status] of Object.entries({ good: certStatus.good, unknown, revoked: gone })) {
  test(`nothing unsigned is believed: ${title}`, (t) => {
    t.is(judge.verdict(byIssuer({ signer: impostor, responses: [single({ status })] })), "OCSP_SIGNATURE");
    t.is(judge.staple.status, undefined);
  });
}

// When, RFC 6960 4.2.2.1
const { skew } = policy;
const since = (thisUpdate: number, nextUpdate: number | null) =>
  byIssuer({
    producedAt: time(thisUpdate),
    responses: [
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
verdict("no nextUpdate, allowed", () => since(now - 9 * day, null), "good", { allowMissingNextUpdate: true });
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
const produced = (at: number, thisUpdate: number) =>
  byIssuer({ producedAt: time(at), responses: [single({ thisUpdate: time(thisUpdate) })] });
verdict("produced at the edge of the skew", () => produced(now + skew, now), "good");
verdict("produced in the future", () => produced(now + skew + 1, now), "OCSP_NOT_YET_VALID");
verdict("produced long after thisUpdate", () => produced(now, now - 7 * day), "good");
verdict("produced a little before thisUpdate", () => produced(now - skew, now), "good");
verdict("produced before what it says was known", () => produced(now - skew - 1, now), "OCSP_TIME");

test("what is no number passes no check of a time", (t) => {
  t.not(judge.verdict(byIssuer(), {}, Number.NaN), "good");
  t.not(judge.verdict(byIssuer(), { skew: Number.NaN }), "good");
  t.not(judge.verdict(byIssuer(), { maxAge: Number.NaN }), "good");
});

for (const [title, bad] of Object.entries({
  "without Z": badTime("20260601120000"),
  "that is empty": badTime(""),
})) {
  verdict(`producedAt ${title}`, () => byIssuer({ producedAt: bad }), "OCSP_TIME");
  verdict(`thisUpdate ${title}`, () => says(single({ thisUpdate: bad })), "OCSP_TIME");
  verdict(`nextUpdate ${title}`, () => says(single({ nextUpdate: bad })), "OCSP_TIME");
  verdict(`revocationTime ${title}`, () => says(single({ status: tlv(0xa1, bad) })), "OCSP_TIME");
}

// Extensions, RFC 6960 4.4 and RFC 9654
verdict(
  "an unknown critical extension of another's answer",
  () => says(single(), other({ extensions: [unknownExtension(true)] })),
  "OCSP_CRITICAL_EXTENSION",
);
verdict("no list of extensions", () => byIssuer({ bendData: withEmptyWrapper }), "OCSP_MALFORMED");
verdict(
  "a nonce without its OCTET STRING",
  () => byIssuer({ extensions: [extension("1.3.6.1.5.5.7.48.1.2", false, Buffer.alloc(32, 0xa5))] }),
  "OCSP_MALFORMED",
  { nonce: Buffer.alloc(32, 0xa5) },
);

/** responseExtensions [1] without the Extensions that it wraps. */
function withEmptyWrapper(data: Buffer): Buffer {
  return sequence(contents(data), explicit(1));
}

test("the nonce of an earlier response does not do", (t) => {
  const nonce = Buffer.alloc(32, 0xa5);
  const earlier = byIssuer({
    responses: [...Array(9).fill(other()), single()],
    extensions: [extension("1.3.6.1.5.5.7.48.1.2", false, octets(nonce))],
  });
  t.is(judge.verdict(earlier, { nonce }), "good");
  // It still stands in the store, behind the end of the next response
  t.is(judge.verdict(byIssuer(), { nonce }), "OCSP_NONCE");
});

test("a response may lack the nonce where the policy says so, but have no other", (t) => {
  const nonce = Buffer.alloc(32, 0xa5);
  const having = (...extensions: Buffer[]) => byIssuer(extensions.length > 0 ? { extensions } : {});
  const nonceOf = (bytes: Buffer) => extension("1.3.6.1.5.5.7.48.1.2", false, octets(bytes));
  const lenient = { nonce, mayLackNonce: true };
  for (const [response, ifPresent, demanded] of [
    [having(), "good", "OCSP_NONCE"],
    [having(unknownExtension(false)), "good", "OCSP_NONCE"],
    [having(nonceOf(nonce)), "good", "good"],
    [having(nonceOf(Buffer.alloc(32, 0xa6))), "OCSP_NONCE", "OCSP_NONCE"],
    [having(nonceOf(nonce.subarray(1))), "OCSP_NONCE", "OCSP_NONCE"],
    [having(nonceOf(Buffer.alloc(33, 0xa5))), "OCSP_NONCE", "OCSP_NONCE"],
    [having(nonceOf(Buffer.alloc(0))), "OCSP_NONCE", "OCSP_NONCE"],
  ] as const) {
    t.is(judge.verdict(response, lenient), ifPresent);
    t.is(judge.verdict(response, { nonce }), demanded);
    t.is(judge.verdict(response), "good");
  }
});

// The envelope, RFC 6960 4.2.1
verdict("a responseStatus that is not used", () => errorResponse(4), "OCSP_NOT_SUCCESSFUL");
verdict("an empty responseStatus", () => sequence(tlv(tag.enumerated)), "OCSP_MALFORMED");
verdict("a certificate instead", () => leaf, "OCSP_MALFORMED");

// How the work is done
test("each step verifies one signature at most", (t) => {
  const steps = judge.steps(byDelegate(delegate(), { certificates: namesakes().map(({ der }) => der) }));
  t.is(steps[0], 0, "the first step verifies none");
  t.true(steps.every((signatures) => signatures <= 1));
  // Of three delegates the first did not sign the response, the second was not signed by the CA
  t.is(
    steps.reduce((sum, signatures) => sum + signatures),
    2 + 1 + 2,
  );
});

test("no signature is verified for what is refused anyhow", (t) => {
  t.deepEqual(judge.steps(since(now - day, now - skew - 1)), [0]);
});

test("before a staple is taken it says nothing", (t) => {
  t.like(new Staple(), {
    present: false,
    status: undefined,
    revokedAt: Number.NaN,
    producedAt: Number.NaN,
    delegated: false,
  });
});

test("of one response's fault nothing is left for the next that the verifier judges", (t) => {
  const bad = badTime("20261301000000Z");
  const first: Record<string, Buffer> = {
    good: byDelegate(),
    OCSP_SIGNATURE: byIssuer({ signer: impostor }),
    OCSP_SIGNATURE_ALGORITHM: byDelegate(delegate(), { algorithm: algorithms["ecdsa-sha1"] }),
    OCSP_TIME: byDelegate(delegate(), { producedAt: bad }),
    OCSP_RESPONDER: byDelegate(delegate({ notAfter: iso(now - 1) })),
  };
  const next: Record<string, Buffer> = {
    OCSP_MALFORMED: Buffer.from("3003020100", "hex"),
    OCSP_RESPONDER: byIssuer({ signer: stranger }),
    good: byDelegate(),
  };
  const store = new Store(new Uint8Array(65536));
  const verifier = stapleVerifier({ provider, pki: everything, ocsp: policy }, store);
  const [subject, issuer] = [leaf, ca.der].map(certificateOf);
  const run = (der: Buffer) => {
    const staple = new Staple();
    staple.take(store, der, 0, der.length);
    return caught(() => {
      while (!verifier.settle(staple, subject, issuer, now));
    });
  };
  for (const [earlier, before] of Object.entries(first))
    for (const [later, after] of Object.entries(next)) {
      t.is(run(before), earlier);
      t.is(run(after), later, `after ${earlier}`);
    }
});

function certificateOf(der: Buffer): Certificate {
  const certificate = new Certificate();
  certificate.read(everything, der, 0, der.length);
  return certificate;
}

test("nothing can be settled before a staple is taken", (t) => {
  t.is(judge.verdict(undefined), "OCSP_STAPLE_MISSING");
});

test("a response that does not fit in the store says what would", (t) => {
  const der = byDelegate();
  const small = new Judge(leaf, ca.der, der.length - 1);
  t.is(small.verdict(der), "STORE_TOO_SMALL");
  t.is(small.store.needed, der.length);
  t.false(small.staple.present);
});

test("judging takes no more room in the store than the response", (t) => {
  const der = byDelegate();
  t.is(new Judge(leaf, ca.der, der.length).verdict(der), "good");
});

test("the provider is asked only for what it has", (t) => {
  const schemes = provider.schemes.filter((id) => id !== 0x0403);
  const poor = new Judge(leaf, ca.der, 8192, { ...provider, schemes });
  t.is(poor.verdict(byIssuer()), "OCSP_SIGNATURE_ALGORITHM");
});
