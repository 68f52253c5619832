import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { BasicOCSPResponse, OCSPResponse } from "@peculiar/asn1-ocsp";
import { AsnConvert } from "@peculiar/asn1-schema";
import test from "ava";
import {
  credential,
  type Edition,
  fixtureFile,
  NOW,
  type OcspCase,
  ocspCases,
  stapleFile,
} from "../../certs/fixtures.js";
import { openssl } from "./openssl.js";

/** Whether `openssl ocsp` verifies the response, as of the real clock, and finds the certificate good. */
function isGoodForOpenssl({ responseFile, subjectFile, issuerFile }: OcspCase): boolean {
  const edition = issuerFile.includes("/rsa/") ? "rsa" : "p256";
  const root = credential(edition, "root").certificateFile;
  const about = ["-no_nonce", "-issuer", issuerFile, "-cert", subjectFile];
  const { ok, output } = openssl(
    "ocsp",
    "-respin",
    responseFile,
    ...about,
    "-CAfile",
    root,
    "-verify_other",
    issuerFile,
  );
  return (
    ok &&
    output.includes("Response verify OK") &&
    /: good$/m.test(output) &&
    !output.includes("WARNING: Status times")
  );
}

/** What OpenSSL cannot be told: a time, an age, a nonce, responders. */
function isPlain({ at, maxAge, nonce, responders, allowMissingNextUpdate }: OcspCase): boolean {
  return at === NOW && maxAge === undefined && !nonce && responders.length === 0 && !allowMissingNextUpdate;
}

/** Good, but not for the `openssl ocsp` of 3.0. */
const opensslRefuses = [
  "cert-id-sha256", // the command compares with a CertID of its own making
  "delegate-renewed", // it takes the first certificate with the signer's name
];

/** Bad, but not for OpenSSL, which is lenient in encodings and leaves algorithms to the security level. */
const opensslAccepts = [
  "rsa-sha1",
  "rsa-md5",
  "sha1",
  "delegate-sha1",
  "delegate-is-authority",
  "delegate-no-signature-usage",
  "delegate-explicit-policy",
  "good-then-revoked", // it takes the first answer that matches
  "good-then-revoked-sha256",
  "version-2",
  "critical-extension",
  "critical-single-extension",
  "produced-later",
  "produced-malformed",
  "no-next-update",
  "time-no-seconds",
  "trailing",
  "trailing-basic",
  "length-padded",
  "length-indefinite",
];

test("openssl ocsp agrees on the responses", (t) => {
  for (const row of ocspCases().filter(isPlain)) {
    const good = row.expected === "good";
    const disagrees = (good ? opensslRefuses : opensslAccepts).includes(row.id);
    t.is(isGoodForOpenssl(row), good !== disagrees, row.id);
  }
});

test("@peculiar/asn1-ocsp reads every good response", (t) => {
  for (const { id, response, expected } of ocspCases()) {
    if (expected !== "good") continue;
    const { responseBytes } = AsnConvert.parse(response, OCSPResponse);
    const { tbsResponseData } = AsnConvert.parse(responseBytes!.response, BasicOCSPResponse);
    t.true(tbsResponseData.responses.length > 0, id);
  }
});

const issuers: Readonly<Record<string, string>> = Object.freeze({
  server1: "intermediate1",
  server2: "intermediate1",
  server3: "intermediate2",
  server4: "intermediate2",
  server5: "intermediate3",
  "must-staple": "intermediate1",
  intermediate1: "root",
  intermediate2: "root",
  intermediate3: "root",
  root: "root",
});

/** The walkthrough: 2 and 4 are revoked, and intermediate 3. */
function expectedStatus(name: string): string {
  return ["server2", "server4", "intermediate3"].includes(name) ? "revoked" : "good";
}

function about(edition: Edition, name: string): string[] {
  const file = (holder: string) => credential(edition, holder).certificateFile;
  return ["-issuer", file(issuers[name]), "-cert", file(name)];
}

function opensslStatus(edition: Edition, name: string, response: string): string {
  const root = credential(edition, "root").certificateFile;
  const issuer = credential(edition, issuers[name]).certificateFile;
  const { output } = openssl(
    "ocsp",
    "-respin",
    response,
    ...about(edition, name),
    "-CAfile",
    root,
    "-verify_other",
    issuer,
  );
  const [, status] = /: (good|revoked|unknown)$/m.exec(output) ?? [];
  return output.includes("Response verify OK") ? status : output;
}

for (const edition of ["p256", "rsa"] as const) {
  test(`openssl ocsp answers from the index files of good/${edition}`, (t) => {
    const directory = mkdtempSync(`${tmpdir()}/tlstaple-`);
    t.teardown(() => rmSync(directory, { recursive: true }));
    for (const name of Object.keys(issuers)) {
      const request = `${directory}/${name}-request.der`;
      const response = `${directory}/${name}-response.der`;
      t.true(openssl("ocsp", ...about(edition, name), "-no_nonce", "-reqout", request).ok);
      const { ok, output } = openssl(
        "ocsp",
        ...responderArguments(edition, issuers[name]),
        "-reqin",
        request,
        "-respout",
        response,
      );
      t.true(ok, output);
      t.is(opensslStatus(edition, name, response), expectedStatus(name), name);
    }
  });

  test(`openssl ocsp agrees on the ready-made responses of good/${edition}`, (t) => {
    for (const name of Object.keys(issuers)) {
      t.is(opensslStatus(edition, name, stapleFile(edition, name)), expectedStatus(name), name);
    }
  });
}

/** As the walkthrough starts a responder. */
function responderArguments(edition: Edition, authority: string): string[] {
  const signer = credential(edition, `ocsp-${authority}`);
  const index = fixtureFile(`good/${edition}/index-${authority}.txt`);
  const ca = credential(edition, authority).certificateFile;
  return [
    "-index",
    index,
    "-rsigner",
    signer.certificateFile,
    "-rkey",
    signer.keyFile,
    "-CA",
    ca,
    "-nmin",
    "5",
  ];
}
