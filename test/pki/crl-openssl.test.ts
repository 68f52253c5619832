/** CRLs that OpenSSL makes before our verifier, and both, with node:tls, before the same lists. */
import { execFileSync, spawnSync } from "node:child_process";
import test from "ava";
import { type Issued, issue, pem } from "../../certs/certificate.js";
import {
  type CrlTemplate,
  certificateIssuer,
  crl,
  crlNumber,
  crlPem,
  deltaCrlIndicator,
  distributionPoints,
  fullName,
  issuingDistributionPoint,
  point,
  uri,
} from "../../certs/crl.js";
import { flipLastBit, integer, utcTime } from "../../certs/der.js";
import { basicConstraints, keyUsage, subjectAltName, unknownExtension } from "../../certs/extensions.js";
import { algorithms, newKey } from "../../certs/keys.js";
import { Scratch } from "../peers/scratch.js";
import { CrlJudge } from "./crl-judge.js";
import { host } from "./kit.js";

/** OpenSSL compares with the real time, so everything here happens now. */
const now = Math.floor(Date.now() / 1000);
const scratch = new Scratch();
test.after.always(scratch.remove);
const file = (contents: string | Buffer) => scratch.add(contents);

const signing = keyUsage("keyCertSign", "cRLSign");
const ca = (subject: string, issuer: Issued | undefined, usage = signing) =>
  issue(issuer, { subject, key: newKey("p256"), extensions: { ca: basicConstraints(true), usage } });
const root = ca("root", undefined);
const intermediate = ca("intermediate", root);
const here = uri("http://ca.example/1.crl");
const leaf = issue(intermediate, {
  subject: "server",
  key: newKey("p256"),
  extensions: {
    usage: keyUsage("digitalSignature"),
    names: subjectAltName(host),
    points: distributionPoints([point(here)]),
  },
});
const other = ca("other", undefined);

// OpenSSL makes them

const config = (extensions: boolean) => `
[ca]
default_ca = own
[own]
database = ${file("")}
default_md = sha256
crlnumber = ${file("01\n")}
${extensions ? "crl_extensions = crl" : ""}
[crl]
authorityKeyIdentifier = keyid, issuer:always
`;

/** A list that `openssl ca` signs, after it has revoked this certificate, if any. */
function made(
  signer: Issued,
  revoked?: Issued,
  { extensions = true, reason = "keyCompromise" } = {},
): Buffer {
  const configFile = file(config(extensions));
  const key = ["-cert", file(pem(signer.der)), "-keyfile", file(signer.key.pem)];
  const ca = (...more: string[]) =>
    execFileSync("openssl", ["ca", "-config", configFile, ...key, ...more], { stdio: "pipe" });
  if (revoked) ca("-revoke", file(pem(revoked.der)), "-crl_reason", reason);
  const der = ca("-gencrl", "-crldays", "7");
  return Buffer.from(/CRL-----([^-]+)-----END/.exec(der.toString())![1], "base64");
}

const ours = (...lists: Buffer[]) =>
  new CrlJudge([leaf, intermediate], lists, { root: root.der, now }).verdict;

test("what `openssl ca` says of nobody", (t) => {
  t.is(ours(made(root), made(intermediate)), "good");
});

test("what it says of version 1", (t) => {
  const extensions = false;
  t.is(ours(made(root, undefined, { extensions }), made(intermediate, undefined, { extensions })), "good");
});

for (const [reason, expected] of [
  ["keyCompromise", "CRL_CERT_REVOKED"],
  ["certificateHold", "CRL_CERT_REVOKED"],
  ["unspecified", "CRL_CERT_REVOKED"],
  ["removeFromCRL", "good"],
] as const)
  test(`what it says of the server's: ${reason}`, (t) => {
    t.is(ours(made(root), made(intermediate, leaf, { reason })), expected);
  });

test("what it says of the CA's", (t) => {
  t.is(ours(made(root, intermediate, { reason: "CACompromise" }), made(intermediate)), "CRL_CERT_REVOKED");
});

// Both before the same lists

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const at = (days: number) => utcTime(iso(now + days * 86400));
const list = (signer: Issued, parts: Partial<CrlTemplate> = {}) =>
  crl({ signer, thisUpdate: at(-1), nextUpdate: at(1), ...parts });
const issuing = (parts: Parameters<typeof issuingDistributionPoint>[0]) => ({
  extensions: [crlNumber(1), issuingDistributionPoint(parts)],
});
const revoked = (reason?: number) => ({ revoked: [{ serial: leaf.serial, reason, date: at(-1) }] });
const ofRoot = list(root);

/** What `openssl verify -crl_check_all` says: "good", or the number of its error. */
function theirs(lists: readonly Buffer[], chain = [intermediate], trusted = root): string {
  const flags = ["-crl_check_all", "-CAfile", file(pem(trusted.der)), "-CRLfile", file(crlPem(...lists))];
  const args = [
    "verify",
    ...flags,
    "-untrusted",
    file(pem(...chain.map(({ der }) => der))),
    file(pem(leaf.der)),
  ];
  const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  return status === 0 ? "good" : (/^error (\d+) at/m.exec(stderr)?.[1] ?? stderr);
}

/** Title, the lists, our verdict, and OpenSSL's: the numbers of X509_V_ERR_…, or why it differs. */
const cases: [string, Buffer[], string, string][] = [
  ["good", [ofRoot, list(intermediate)], "good", "good"],
  ["none", [ofRoot], "CRL_MISSING", "3"],
  ["none of the root", [list(intermediate)], "CRL_MISSING", "3"],
  ["another CA's", [ofRoot, list(other)], "CRL_MISSING", "3"],
  ["revoked", [ofRoot, list(intermediate, revoked(1))], "CRL_CERT_REVOKED", "23"],
  ["on hold", [ofRoot, list(intermediate, revoked(6))], "CRL_CERT_REVOKED", "23"],
  ["removed", [ofRoot, list(intermediate, revoked(8))], "good", "good"],
  ["stale", [ofRoot, list(intermediate, { thisUpdate: at(-3), nextUpdate: at(-1) })], "CRL_EXPIRED", "12"],
  [
    "early",
    [ofRoot, list(intermediate, { thisUpdate: at(1), nextUpdate: at(2) })],
    "CRL_NOT_YET_VALID",
    "11",
  ],
  ["bent", [ofRoot, list(intermediate, { bendSignature: flipLastBit })], "CRL_SIGNATURE", "8"],
  [
    "unknown critical extension",
    [ofRoot, list(intermediate, { extensions: [crlNumber(1), unknownExtension(true)] })],
    "CRL_CRITICAL_EXTENSION",
    "36",
  ],
  [
    "unknown extension",
    [ofRoot, list(intermediate, { extensions: [crlNumber(1), unknownExtension(false)] })],
    "good",
    "good",
  ],
  [
    "an entry's unknown critical extension",
    [
      ofRoot,
      list(intermediate, {
        revoked: [{ serial: integer(1), date: at(-1), extensions: [unknownExtension(true)] }],
      }),
    ],
    "CRL_CRITICAL_EXTENSION",
    "36",
  ],
  ["for users", [ofRoot, list(intermediate, issuing({ onlyUsers: true }))], "good", "good"],
  ["for CAs", [ofRoot, list(intermediate, issuing({ onlyAuthorities: true }))], "CRL_SCOPE", "44"],
  [
    "for attribute certificates",
    [ofRoot, list(intermediate, issuing({ onlyAttributes: true }))],
    "CRL_SCOPE",
    "44",
  ],
  [
    "for the certificate's point",
    [ofRoot, list(intermediate, issuing({ point: fullName(here) }))],
    "good",
    "good",
  ],
  [
    "for another point",
    [ofRoot, list(intermediate, issuing({ point: fullName(uri("http://ca.example/2.crl")) }))],
    "CRL_SCOPE",
    "44",
  ],
  [
    "some reasons",
    [ofRoot, list(intermediate, issuing({ reasons: Buffer.of(1, 0x40) }))],
    "CRL_SOME_REASONS",
    "3",
  ],
  ["indirect", [ofRoot, list(intermediate, issuing({ indirect: true }))], "CRL_INDIRECT", "3"],
  [
    "stale and current",
    [
      ofRoot,
      list(intermediate, { ...revoked(1), thisUpdate: at(-3), nextUpdate: at(-1) }),
      list(intermediate),
    ],
    "good",
    "good",
  ],
  [
    "the newer revokes",
    [ofRoot, list(intermediate, { thisUpdate: at(-2) }), list(intermediate, revoked(1))],
    "CRL_CERT_REVOKED",
    "23",
  ],
  [
    "the newer revokes no more",
    [ofRoot, list(intermediate, { ...revoked(6), thisUpdate: at(-2) }), list(intermediate)],
    "good",
    "good",
  ],
  [
    "for users and for CAs beside each other",
    [
      ofRoot,
      list(intermediate, issuing({ onlyAuthorities: true })),
      list(intermediate, { ...issuing({ onlyUsers: true }), ...revoked(1) }),
    ],
    "CRL_CERT_REVOKED",
    "23",
  ],
  // Of these we are the stricter
  [
    "an entry of another CA's",
    [
      ofRoot,
      list(intermediate, {
        revoked: [{ serial: integer(1), date: at(-1), extensions: [certificateIssuer(other.name)] }],
      }),
    ],
    "CRL_INDIRECT",
    "good",
  ],
  [
    "delta",
    [ofRoot, list(intermediate, { extensions: [crlNumber(2), deltaCrlIndicator(1)] })],
    "CRL_DELTA",
    "good",
  ],
  ["never ends", [ofRoot, list(intermediate, { nextUpdate: null })], "CRL_NO_NEXT_UPDATE", "good"],
  [
    "another algorithm outside",
    [ofRoot, list(intermediate, { outerAlgorithm: algorithms["ecdsa-sha384"].identifier })],
    "CRL_ALGORITHM_MISMATCH",
    "8",
  ],
  ["version 1 with extensions", [ofRoot, list(intermediate, { version: null })], "CRL_MALFORMED", "good"],
  [
    "some reasons as DER does not write them",
    [ofRoot, list(intermediate, issuing({ reasons: Buffer.of(0, 0x40) }))],
    "CRL_SOME_REASONS",
    "3",
  ],
];

for (const [title, lists, expected, number] of cases)
  test(`we and OpenSSL: ${title}`, (t) => {
    t.is(ours(...lists), expected);
    t.is(theirs(lists), number);
  });

test("we and OpenSSL: a CA without cRLSign", (t) => {
  const plain = {
    ...intermediate,
    ...issue(root, {
      subject: "intermediate",
      key: intermediate.key,
      extensions: { ca: basicConstraints(true), usage: keyUsage("keyCertSign") },
    }),
  };
  const lists = [ofRoot, list(intermediate)];
  t.is(new CrlJudge([leaf, plain], lists, { root: root.der, now }).verdict, "CRL_KEY_USAGE");
  t.is(theirs(lists, [plain]), "35");
});

test("DER that OpenSSL does not read either", (t) => {
  const der = list(intermediate);
  for (const bad of [der.subarray(0, -1), Buffer.alloc(0), Buffer.from("junk")]) {
    t.is(ours(ofRoot, bad), "CRL_MALFORMED");
    t.not(spawnSync("openssl", ["crl", "-inform", "DER", "-noout", "-in", file(bad)]).status, 0);
  }
});
