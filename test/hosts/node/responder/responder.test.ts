/** The responder without a network, before our own verifier. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import test from "ava";
import { type Authority, issue, pem } from "../../../../certs/certificate.js";
import { children, contents, explicit, integer, octets, oid, sequence, tlv } from "../../../../certs/der.js";
import {
  basicConstraints,
  directoryName,
  extendedKeyUsage,
  extension,
  keyUsage,
  ocspNoCheck,
  purpose,
  unknownExtension,
} from "../../../../certs/extensions.js";
import { credential, type Edition, NOW } from "../../../../certs/fixtures.js";
import { type KeyType, newKey } from "../../../../certs/keys.js";
import { certId, rawCertId } from "../../../../certs/response.js";
import { describeResponse } from "../../../../hosts/node/common/describe.js";
import {
  type AuthorityOptions,
  type CertificateStatus,
  createResponder,
  type Responder,
  type SignerOptions,
} from "../../../../hosts/node/responder/index.js";
import type { Signer } from "../../../../hosts/node/responder/signer.js";
import { Judge } from "../../../pki/ocsp-judge.js";
import {
  authority,
  authorityOptions,
  indexLine,
  nonceExtension,
  ocspRequest,
  requestOf,
  responderOf,
  signerOptions,
  temporaryFile,
} from "./fixtures.js";

const editions = ["p256", "rsa"] as const;

/** What our verifier says of the answer about a certificate. */
function verdict(der: Buffer, edition: Edition, name: string, issuer: string, nonce?: Uint8Array): string {
  const judge = new Judge(credential(edition, name).chain[0], credential(edition, issuer).chain[0]);
  return judge.verdict(der, { nonce });
}

async function statusOf(responder: Responder, request: Uint8Array): Promise<string> {
  return describeResponse(await responder.respond(request)).responseStatus;
}

// What our verifier believes

const walkthrough: readonly (readonly [name: string, serial: number, issuer: string, expected: string])[] = [
  ["server1", 5, "intermediate1", "good"],
  ["server2", 6, "intermediate1", "OCSP_CERT_REVOKED"],
  ["server3", 7, "intermediate2", "good"],
  ["server4", 8, "intermediate2", "OCSP_CERT_REVOKED"],
  ["server5", 9, "intermediate3", "good"],
  ["intermediate1", 1, "root", "good"],
  ["intermediate3", 3, "root", "OCSP_CERT_REVOKED"],
  ["root", 0x63, "root", "good"],
];
for (const edition of editions)
  for (const hash of ["sha1", "sha256"])
    test(`the walkthrough's certificates, ${edition}, CertIDs by ${hash}, all in one responder`, async (t) => {
      const names = ["root", "intermediate1", "intermediate2", "intermediate3"];
      const authorities = names.map((name) => authorityOptions(edition, name));
      const responder = await createResponder({ authorities, validity: 60, clock: () => NOW });
      for (const [name, serial, issuer, expected] of walkthrough) {
        const certIds = [certId(authority(edition, issuer), integer(serial), hash)];
        t.is(
          verdict(await responder.respond(ocspRequest({ certIds })), edition, name, issuer),
          expected,
          name,
        );
      }
    });

test("a serial that is not in the index is unknown", async (t) => {
  const responder = await responderOf("p256", { index: temporaryFile(t, indexLine("77")) });
  t.is(
    verdict(await responder.respond(requestOf(5)), "p256", "server1", "intermediate1"),
    "OCSP_CERT_UNKNOWN",
  );
});

test("signed by the CA itself, named by key", async (t) => {
  const responder = await responderOf("p256", {
    signer: signerOptions("p256", "intermediate1", { byKey: true }),
  });
  const der = await responder.respond(requestOf(5));
  t.is(verdict(der, "p256", "server1", "intermediate1"), "good");
  t.regex(describeResponse(der).responderID!, /^byKey /);
});

// What it says

test("thisUpdate, producedAt and nextUpdate", async (t) => {
  const info = describeResponse(await (await responderOf()).respond(requestOf(6)));
  t.is(info.producedAt, "2026-07-01T12:00:00Z");
  t.like(info.responses![0], {
    certStatus: "revoked",
    revocationTime: "2025-06-01T00:00:00Z",
    revocationReason: "keyCompromise",
    thisUpdate: "2026-07-01T12:00:00Z",
    nextUpdate: "2026-07-01T13:00:00Z",
  });
});

test("without validity there is no nextUpdate, and a client refuses it unless it allows that", async (t) => {
  const responder = await responderOf("p256", {}, { validity: undefined });
  const der = await responder.respond(requestOf(5));
  const judge = new Judge(
    credential("p256", "server1").chain[0],
    credential("p256", "intermediate1").chain[0],
  );
  t.is(judge.verdict(der), "OCSP_NO_NEXT_UPDATE");
  t.is(judge.verdict(der, { allowMissingNextUpdate: true }), "good");
});

test("CertIDs come back as they were, whatever their hash and parameters", async (t) => {
  const responder = await responderOf();
  const ca = authority("p256", "intermediate1");
  const ids = ["sha1", "sha256", "sha384", "sha512"].map((hash) => certId(ca, integer(5), hash));
  ids.push(certId(ca, integer(0x80)), certId(ca, tlv(0x02, Buffer.from([0xff]))));
  const [, nameHash, keyHash] = split(ids[1]);
  ids.push(rawCertId(sequence(oid("2.16.840.1.101.3.4.2.1")), nameHash, keyHash, integer(5)));
  const reply = await responder.reply(ocspRequest({ certIds: ids }));
  for (const id of ids) t.true(reply.der.includes(id));
  t.deepEqual(
    reply.answers.map(({ serial, status }) => `${serial} ${status}`),
    ["05 good", "05 good", "05 good", "05 good", "80 unknown", "-01 unknown", "05 good"],
  );
});

/** The values of a CertID's fields. */
const split = (id: Buffer): Buffer[] => children(id).map(contents);

test("several certificates in one request", async (t) => {
  const ca = authority("rsa", "intermediate1");
  const certIds = [5, 6, 5, 0x99].map((serial) => certId(ca, integer(serial)));
  const der = await (await responderOf("rsa")).respond(ocspRequest({ certIds }));
  t.is(verdict(der, "rsa", "server1", "intermediate1"), "good");
  t.is(verdict(der, "rsa", "server2", "intermediate1"), "OCSP_CERT_REVOKED");
  t.is(describeResponse(der).responses!.length, 4);
});

test("a hold instruction and a date of invalidity", async (t) => {
  const lines = [
    indexLine("05", "250601000000Z,holdInstruction,holdInstructionReject"),
    indexLine("06", "250601000000Z,keyTime,20250101000000Z"),
  ];
  const responder = await responderOf("p256", { index: temporaryFile(t, lines.join("")) });
  const hold = await responder.respond(requestOf(5));
  t.is(verdict(hold, "p256", "server1", "intermediate1"), "OCSP_CERT_REVOKED");
  t.true(hold.includes(extension("2.5.29.23", false, oid("1.2.840.10040.2.3"))));
  t.is(describeResponse(hold).responses![0].revocationReason, "certificateHold");
  const compromise = await responder.respond(requestOf(6));
  t.true(compromise.includes(extension("2.5.29.24", false, tlv(0x18, Buffer.from("20250101000000Z")))));
});

test("more certificates are sent along", async (t) => {
  const others = [credential("p256", "root").chain[0]];
  const responder = await responderOf("p256", {
    signer: signerOptions("p256", "ocsp-intermediate1", { others }),
  });
  const der = await responder.respond(requestOf(5));
  t.deepEqual(
    describeResponse(der).certificates!.map(({ subject }) => subject.replace(/.*CN=/, "")),
    ["ocsp-intermediate1", "root"],
  );
  t.is(verdict(der, "p256", "server1", "intermediate1"), "good");
});

test("a function in place of an index", async (t) => {
  const asked: string[] = [];
  const index = async (serial: string): Promise<CertificateStatus> => {
    asked.push(serial);
    return { status: serial === "05" ? "good" : "unknown" };
  };
  const responder = await responderOf("p256", { index });
  t.is(verdict(await responder.respond(requestOf(5)), "p256", "server1", "intermediate1"), "good");
  t.is(
    verdict(await responder.respond(requestOf(6)), "p256", "server2", "intermediate1"),
    "OCSP_CERT_UNKNOWN",
  );
  t.deepEqual(asked, ["05", "06"]);
});

test("an index that changes: the very next answer says so", async (t) => {
  const path = temporaryFile(t, indexLine("05"));
  const responder = await responderOf("p256", { index: path });
  t.is(verdict(await responder.respond(requestOf(5)), "p256", "server1", "intermediate1"), "good");
  writeFileSync(path, indexLine("05", "250601000000Z"));
  const der = await responder.respond(requestOf(5));
  t.is(verdict(der, "p256", "server1", "intermediate1"), "OCSP_CERT_REVOKED");
});

// Issuers

const foreign = () => certId(authority("p256", "intermediate2"), integer(7));

test("unauthorized, when no issuer is ours", async (t) => {
  const responder = await responderOf();
  t.is(await statusOf(responder, ocspRequest({ certIds: [foreign()] })), "unauthorized");
  const [hash, name, key] = [
    sequence(oid("1.3.14.3.2.26")),
    octets(Buffer.alloc(20)),
    octets(Buffer.alloc(20)),
  ];
  t.is(
    await statusOf(responder, ocspRequest({ certIds: [rawCertId(hash, name, key, integer(5))] })),
    "unauthorized",
  );
  t.is(responder.counters.signatures, 0);
});

test("name and key of the issuer both count, and the hash by which they were made", async (t) => {
  const responder = await responderOf();
  const ours = authority("p256", "intermediate1");
  const other = authority("p256", "intermediate2");
  for (const [name, key] of [
    [ours.name, other.key],
    [other.name, ours.key],
  ] as const)
    t.is(
      await statusOf(responder, ocspRequest({ certIds: [certId({ name, key }, integer(5))] })),
      "unauthorized",
    );
  const [, nameHash, keyHash] = split(certId(ours, integer(5)));
  const disguised = rawCertId(sequence(oid("2.16.840.1.101.3.4.2.1")), nameHash, keyHash, integer(5));
  t.is(await statusOf(responder, ocspRequest({ certIds: [disguised] })), "unauthorized");
});

/** The CertID of an authority's certificate. */
const idOf = (name: string, serial: number) => certId(authority("p256", name), integer(serial));

async function responderOfTwo(signer?: SignerOptions): Promise<Responder> {
  const more = signer ? { signer } : {};
  const authorities = ["intermediate1", "intermediate2"].map((name) => authorityOptions("p256", name, more));
  return createResponder({ authorities, validity: 60, clock: () => NOW });
}

const told = async (responder: Responder, certIds: readonly Buffer[]) =>
  (await responder.reply(ocspRequest({ certIds }))).answers.map(
    ({ serial, status }) => `${serial} ${status}`,
  );

test("a response says nothing of those whose authority another signs for", async (t) => {
  const responder = await responderOfTwo();
  const [ours, theirs] = [idOf("intermediate1", 5), idOf("intermediate2", 8)];
  for (const [certIds, expected, name, issuer] of [
    [[ours, theirs], "05 good", "server1", "intermediate1"],
    [[theirs, ours], "08 revoked", "server4", "intermediate2"],
  ] as const) {
    const { der, answers } = await responder.reply(ocspRequest({ certIds }));
    t.deepEqual(
      answers.map(({ serial, status }) => `${serial} ${status}`),
      [expected],
    );
    t.is(describeResponse(der).responses!.length, 1);
    t.is(verdict(der, "p256", name, issuer), name === "server1" ? "good" : "OCSP_CERT_REVOKED");
  }
  const same = [idOf("intermediate1", 5), idOf("intermediate2", 5)];
  t.deepEqual(await told(responder, same), ["05 good"], "nor is its serial number looked up among ours");
});

test("what nobody here issued is unknown beside what is ours", async (t) => {
  const responder = await responderOf();
  t.deepEqual(await told(responder, [idOf("intermediate1", 5), idOf("intermediate2", 8)]), [
    "05 good",
    "08 unknown",
  ]);
});

test("two CAs with one signer: each certificate is looked up where it belongs", async (t) => {
  const responder = await responderOfTwo(signerOptions("p256", "ocsp-intermediate1", { configured: true }));
  const [one, two] = ["intermediate1", "intermediate2"].map((name) => (serial: number) => idOf(name, serial));
  t.deepEqual(await told(responder, [one(5), two(8)]), ["05 good", "08 revoked"]);
  t.deepEqual(await told(responder, [two(8), one(5)]), ["08 revoked", "05 good"]);
  t.deepEqual(await told(responder, [one(8), two(5)]), ["08 unknown", "05 unknown"]);
});

// Nonces, RFC 9654

for (const length of [1, 16, 32, 128])
  test(`a nonce of ${length} octets comes back`, async (t) => {
    const nonce = Buffer.alloc(length, 7);
    const der = await (await responderOf()).respond(requestOf(5, "p256", { nonce }));
    t.is(verdict(der, "p256", "server1", "intermediate1", nonce), "good");
    t.is(describeResponse(der).nonce, nonce.toString("hex"));
  });

test("without a nonce in the request there is none in the response", async (t) => {
  t.is(describeResponse(await (await responderOf()).respond(requestOf(5))).nonce, null);
});

const badNonces: Readonly<Record<string, Buffer>> = {
  empty: nonceExtension(octets()),
  "of 129 octets": nonceExtension(octets(Buffer.alloc(129))),
  "without OCTET STRING": nonceExtension(Buffer.alloc(16, 1)),
  "with something behind it": nonceExtension(Buffer.concat([octets(Buffer.alloc(8)), Buffer.of(0)])),
  "of nothing": nonceExtension(Buffer.alloc(0)),
};
for (const [title, value] of Object.entries(badNonces))
  test(`malformedRequest: a nonce ${title}`, async (t) => {
    t.is(
      await statusOf(await responderOf(), requestOf(5, "p256", { extensions: [value] })),
      "malformedRequest",
    );
  });

// What else a request may have

const requestor = explicit(1, directoryName(sequence()));
const signature = sequence(
  sequence(oid("1.2.840.10045.4.3.2")),
  tlv(0x03, Buffer.alloc(70)),
  explicit(0, sequence(...["server1", "intermediate1"].map((name) => credential("p256", name).chain[0]))),
);
const tolerated: Readonly<Record<string, Parameters<typeof requestOf>[2]>> = {
  requestorName: { before: [requestor] },
  "optionalSignature with certificates": { before: [requestor], signature },
  "version 1, written out": { before: [explicit(0, integer(0))] },
  "an unknown extension": {
    extensions: [unknownExtension(false)],
    singleExtensions: [unknownExtension(false)],
  },
  "acceptable responses": {
    extensions: [extension("1.3.6.1.5.5.7.48.1.4", false, sequence(oid("1.3.6.1.5.5.7.48.1.1")))],
  },
  "a critical nonce": { extensions: [nonceExtension(octets(Buffer.alloc(8)), true)] },
  serviceLocator: { singleExtensions: [extension("1.3.6.1.5.5.7.48.1.7", true, sequence(sequence()))] },
};
for (const [title, more] of Object.entries(tolerated))
  test(`tolerated: ${title}`, async (t) => {
    const der = await (await responderOf()).respond(requestOf(5, "p256", more));
    t.is(verdict(der, "p256", "server1", "intermediate1"), "good");
  });

const valid = requestOf(5);
const refusals: Readonly<Record<string, [request: Buffer, status: string]>> = {
  nothing: [Buffer.alloc(0), "malformedRequest"],
  garbage: [Buffer.alloc(100, 0xff), "malformedRequest"],
  "a cut request": [valid.subarray(0, -1), "malformedRequest"],
  "trailing octets": [Buffer.concat([valid, Buffer.of(0)]), "malformedRequest"],
  "a response": [sequence(tlv(0x0a, Buffer.of(1))), "malformedRequest"],
  "no certificate": [ocspRequest({ certIds: [] }), "malformedRequest"],
  "version 2": [requestOf(5, "p256", { before: [explicit(0, integer(1))] }), "malformedRequest"],
  "a padded serial": [
    ocspRequest({ certIds: [certId(authority("p256", "intermediate1"), tlv(2, Buffer.of(0, 5)))] }),
    "malformedRequest",
  ],
  "a serial of no octets": [
    ocspRequest({ certIds: [certId(authority("p256", "intermediate1"), tlv(2))] }),
    "malformedRequest",
  ],
  "parameters of a hash": [
    ocspRequest({
      certIds: [rawCertId(sequence(oid("1.3.14.3.2.26"), octets()), octets(), octets(), integer(5))],
    }),
    "malformedRequest",
  ],
  "a length in too many octets": [
    Buffer.concat([Buffer.of(0x30, 0x82, 0, valid.length - 2), valid.subarray(2)]),
    "malformedRequest",
  ],
  "an indefinite length": [
    Buffer.concat([Buffer.of(0x30, 0x80), valid.subarray(2), Buffer.of(0, 0)]),
    "malformedRequest",
  ],
  "an extension twice": [
    requestOf(5, "p256", { extensions: [unknownExtension(false), unknownExtension(false)] }),
    "malformedRequest",
  ],
  "two nonces": [
    requestOf(5, "p256", { extensions: [1, 2].map((octet) => nonceExtension(octets(Buffer.of(octet)))) }),
    "malformedRequest",
  ],
  "a critical extension": [requestOf(5, "p256", { extensions: [unknownExtension(true)] }), "unauthorized"],
  "a critical extension of a single request": [
    requestOf(5, "p256", { singleExtensions: [unknownExtension(true)] }),
    "unauthorized",
  ],
  "65 certificates": [
    ocspRequest({ certIds: Array(65).fill(certId(authority("p256", "intermediate1"), integer(5))) }),
    "unauthorized",
  ],
};
for (const [title, [request, status]] of Object.entries(refusals))
  test(`${status}: ${title}`, async (t) => {
    const responder = await responderOf();
    t.is(await statusOf(responder, request), status);
    t.is(responder.counters.statuses[status as "unauthorized"], 1);
    t.is(responder.counters.signatures, 0);
  });

test("64 certificates are answered, with a signed request's certificates too", async (t) => {
  const certIds = Array<Buffer>(64).fill(certId(authority("p256", "intermediate1"), integer(5), "sha512"));
  t.is(await statusOf(await responderOf(), ocspRequest({ certIds, signature })), "successful");
});

test("internalError when the lookup fails, and it is told", async (t) => {
  const errors: string[] = [];
  const index = () => Promise.reject(new Error("database away"));
  const responder = await responderOf("p256", { index }, { onError: ({ message }) => errors.push(message) });
  t.is(await statusOf(responder, requestOf(5)), "internalError");
  t.deepEqual(errors, ["database away"]);
});

test("internalError outside of the validity of the signer's certificate, RFC 5280 4.1.2.5", async (t) => {
  let now = NOW;
  const responder = await responderOf("p256", {}, { clock: () => now });
  const { validFrom, validTo } = new X509Certificate(
    signerOptions("p256", "ocsp-intermediate1").cert as Buffer,
  );
  const [first, last] = [validFrom, validTo].map((date) => Date.parse(date) / 1000);
  for (const [at, expected] of [
    [first - 1, "internalError"],
    [first, "successful"],
    [last + 1, "internalError"],
    [last, "successful"],
  ] as const) {
    now = at;
    t.is(await statusOf(responder, requestOf(5)), expected, `${at}`);
  }
});

test("tryLater when too many signatures are under way; who waits for one of them is served", async (t) => {
  const responder = await responderOf("rsa", {}, { maxSignatures: 4 });
  const request = (i: number) => requestOf(i < 50 ? 5 : i, "rsa");
  const statuses = await Promise.all(Array.from({ length: 100 }, (_, i) => statusOf(responder, request(i))));
  t.is(statuses.slice(0, 50).filter((status) => status === "successful").length, 50);
  t.true(statuses.slice(50).filter((status) => status === "tryLater").length >= 46);
  t.is(await statusOf(responder, request(99)), "successful");
});

// One signature for many

test("many ask, one signature: until half of its validity", async (t) => {
  let now = NOW;
  const responder = await responderOf("p256", {}, { clock: () => now });
  const ask = async () =>
    (await Promise.all(Array.from({ length: 50 }, () => responder.respond(requestOf(5)))))[49];
  const first = await ask();
  t.is(responder.counters.signatures, 1);
  now += 1799;
  t.deepEqual(await ask(), first);
  t.is(responder.counters.signatures, 1);
  now += 1;
  t.notDeepEqual(await ask(), first);
  t.is(responder.counters.signatures, 2);
  now -= 3600;
  await ask();
  t.is(responder.counters.signatures, 3, "a clock that was set back");
});

test("a signature that fails is not kept", async (t) => {
  const responder = await responderOf();
  const { authorities } = responder as unknown as { authorities: Map<string, { signer: Signer }> };
  const [{ signer }] = authorities.values();
  const sign = signer.sign.bind(signer);
  signer.sign = () => Promise.reject(new Error("the key is away"));
  t.is(await statusOf(responder, requestOf(5)), "internalError");
  signer.sign = sign;
  t.is(await statusOf(responder, requestOf(5)), "successful");
});

test("other serials, other hashes, nonces and several certificates are signed by themselves", async (t) => {
  const responder = await responderOf();
  const ca = authority("p256", "intermediate1");
  const requests = [
    requestOf(5),
    requestOf(6),
    ocspRequest({ certIds: [certId(ca, integer(5), "sha256")] }),
    requestOf(5, "p256", { nonce: Buffer.of(1) }),
    requestOf(5, "p256", { nonce: Buffer.of(1) }),
    ocspRequest({ certIds: [certId(ca, integer(5)), certId(ca, integer(6))] }),
  ];
  for (const request of requests) await responder.respond(request);
  t.is(responder.counters.signatures, 6);
});

test("without nextUpdate nothing is kept for longer than its second", async (t) => {
  let now = NOW;
  const responder = await responderOf("p256", {}, { validity: undefined, clock: () => now });
  await responder.respond(requestOf(5));
  await responder.respond(requestOf(5));
  t.is(responder.counters.signatures, 1);
  now++;
  await responder.respond(requestOf(5));
  t.is(responder.counters.signatures, 2);
});

test("questions about strangers do not displace what is kept, and what is kept is bounded", async (t) => {
  const index = temporaryFile(t, [5, 6, 7].map((serial) => indexLine(`0${serial}`)).join(""));
  const responder = await responderOf("p256", { index }, { cacheSize: 2 });
  const signatures = async (...serials: number[]) => {
    const before = responder.counters.signatures;
    for (const serial of serials) await responder.respond(requestOf(serial));
    return responder.counters.signatures - before;
  };
  t.is(await signatures(5, 6), 2);
  t.is(await signatures(...Array.from({ length: 300 }, (_, i) => 1000 + i)), 300);
  t.is(await signatures(5, 6, 5), 0);
  t.is(await signatures(7), 1);
  t.is(await signatures(5, 7), 0);
  t.is(await signatures(6), 1, "the one that was not asked for the longest");
});

// Signers

const ca = issue(undefined, {
  subject: "CA",
  key: newKey("p256"),
  extensions: {
    basicConstraints: basicConstraints(true),
    keyUsage: keyUsage("keyCertSign", "digitalSignature"),
  },
});

interface Delegate {
  key?: KeyType;
  issuer?: Authority;
  extensions?: Buffer[];
  notAfter?: string;
  subject?: string;
}

function delegate(made: Delegate = {}): SignerOptions {
  const { key = "p256", issuer = ca, subject = "responder", notAfter } = made;
  const { extensions = [keyUsage("digitalSignature"), signing, ocspNoCheck()] } = made;
  const pair = newKey(key);
  const { der } = issue(issuer, {
    subject,
    key: pair,
    notAfter,
    extensions: Object.fromEntries(extensions.entries()),
  });
  return { cert: der, key: pair.pem };
}

const signing = extendedKeyUsage(purpose.ocspSigning);
const good = (): CertificateStatus => ({ status: "good" });
const under = (signer: SignerOptions, more: Partial<AuthorityOptions> = {}) =>
  createResponder({
    authorities: [{ issuer: ca.der, index: good, signer, ...more }],
    validity: 60,
    clock: () => NOW,
  });

const leaf = issue(ca, {
  serial: 0x4711,
  subject: "leaf",
  key: newKey("p256"),
  extensions: { keyUsage: keyUsage("digitalSignature") },
});
const aboutLeaf = ocspRequest({ certIds: [certId(ca, leaf.serial)] });

const algorithms: readonly (readonly [KeyType, SignerOptions["digest"], string])[] = [
  ["p256", undefined, "ecdsa-with-SHA256"],
  ["p256", "sha384", "ecdsa-with-SHA384"],
  ["p256", "sha512", "ecdsa-with-SHA512"],
  ["p384", undefined, "ecdsa-with-SHA384"],
  ["p384", "sha512", "ecdsa-with-SHA512"],
  ["rsa2048", undefined, "sha256WithRSAEncryption"],
  ["rsa3072", "sha512", "sha512WithRSAEncryption"],
  ["ed25519", undefined, "Ed25519"],
];
for (const [key, digest, name] of algorithms)
  test(`signed by a delegate with ${key} and ${digest ?? "the usual digest"}`, async (t) => {
    const responder = await under({ ...delegate({ key }), digest });
    const der = await responder.respond(aboutLeaf);
    t.is(describeResponse(der).signatureAlgorithm, name);
    t.is(new Judge(leaf.der, ca.der).verdict(der), "good");
  });

const other = issue(undefined, { subject: "CA", key: newKey("p256"), extensions: {} });
const badSigners: Readonly<Record<string, [() => SignerOptions, RegExp]>> = {
  "a key of another": [
    () => ({ ...delegate(), key: newKey("p256").pem }),
    /the key is not that of .*CN=responder/,
  ],
  "a delegate of another CA of the same name": [
    () => delegate({ issuer: other }),
    /may not sign for .*not issued/,
  ],
  "a delegate's delegate": [
    () => delegate({ issuer: { name: other.name, key: newKey("p256") }, subject: "CA" }),
    /may not sign/,
  ],
  "a delegate of the CA's key under another name": [
    () => delegate({ issuer: { name: leaf.name, key: ca.key } }),
    /not issued by it/,
  ],
  "the CA's key under another name": [
    () => ({ cert: issue(undefined, { subject: "CA 2", key: ca.key, extensions: {} }).der, key: ca.key.pem }),
    /not issued by it/,
  ],
  "a namesake of the CA": [() => delegate({ issuer: other, subject: "CA" }), /not issued by it/],
  "no OCSPSigning": [() => delegate({ extensions: [] }), /extendedKeyUsage lacks OCSPSigning/],
  "any purpose": [() => delegate({ extensions: [extendedKeyUsage(purpose.any)] }), /lacks OCSPSigning/],
  "no digitalSignature": [
    () => delegate({ extensions: [signing, keyUsage("keyAgreement")] }),
    /keyUsage lacks digitalSignature/,
  ],
  expired: [() => delegate({ notAfter: "2026-01-01T00:00:00Z" }), /is not valid now/],
  "RSA of 1024 bits": [
    () => delegate({ key: "rsa1024" }),
    /RSA of 2048 bits or more, P-256, P-384, P-521, Ed25519 or Ed448/,
  ],
  secp256k1: [() => delegate({ key: "secp256k1" }), /P-256/],
  "a digest with Ed25519": [
    () => ({ ...delegate({ key: "ed25519" }), digest: "sha256" }),
    /does not sign with sha256/,
  ],
  "no key": [() => ({ ...delegate(), key: "" }), /^signer's key: /],
  "no certificate": [() => ({ ...delegate(), cert: "" }), /^signer's certificate: /],
};
for (const [title, [make, message]] of Object.entries(badSigners))
  test(`refused in the beginning: ${title}`, async (t) => {
    await t.throwsAsync(under(make()), { name: "ResponderError", message });
  });

test("a signer that clients are configured to trust need not be a delegate", async (t) => {
  const signer = { ...delegate({ issuer: other }), configured: true };
  const der = await (await under(signer)).respond(aboutLeaf);
  t.is(new Judge(leaf.der, ca.der).verdict(der), "OCSP_RESPONDER");
});

test("keys as KeyObject, DER, and encrypted", async (t) => {
  const { cert, key } = delegate();
  const object = createPrivateKey(key as string);
  const encrypted = object.export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-128-cbc",
    passphrase: "secret",
  });
  for (const options of [
    { key: object },
    { key: object.export({ type: "pkcs8", format: "der" }) },
    { key: encrypted, passphrase: "secret" },
    { key: object, cert: pem(cert as Buffer) },
  ])
    t.is(await statusOf(await under({ cert, ...options }), aboutLeaf), "successful");
  await t.throwsAsync(under({ cert, key: encrypted }), { message: /^signer's key: / });
});

test("malformed options", async (t) => {
  await t.throwsAsync(under(delegate(), { issuer: Buffer.of(0x30, 0) }), {
    message: /^issuer's certificate: /,
  });
  for (const validity of [-1, Number.NaN, 1e12])
    await t.throwsAsync(createResponder({ authorities: [], validity }), {
      code: "ERR_TLSTAPLE_OPTION_VALUE",
    });
});

test("counters", async (t) => {
  const responder = await responderOf();
  for (const request of [requestOf(5), requestOf(5), Buffer.alloc(3), ocspRequest({ certIds: [foreign()] })])
    await responder.respond(request);
  t.deepEqual(responder.counters, {
    requests: 4,
    signatures: 1,
    statuses: {
      successful: 2,
      malformedRequest: 1,
      internalError: 0,
      tryLater: 0,
      sigRequired: 0,
      unauthorized: 1,
    },
  });
});
