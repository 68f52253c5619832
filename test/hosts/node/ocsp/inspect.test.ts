import { execFileSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { issue, nameOf, pem } from "../../../../certs/certificate.js";
import { generalizedTime, integer } from "../../../../certs/der.js";
import { keyUsage } from "../../../../certs/extensions.js";
import { credential, fixtureFile, NOW, ocspCases } from "../../../../certs/fixtures.js";
import { newKey } from "../../../../certs/keys.js";
import { certId, certStatus, ocspResponse, singleResponse } from "../../../../certs/response.js";
import { type Inspection, type InspectOptions, inspect } from "../../../../hosts/node/ocsp/inspect.js";
import { withPeer } from "../../../peers/with-peer.js";

const directory = mkdtempSync(join(tmpdir(), "inspect-"));
test.after.always(() => rmSync(directory, { recursive: true }));
let files = 0;

function file(contents: string | Uint8Array): string {
  const path = join(directory, `file${files++}`);
  writeFileSync(path, contents);
  return path;
}

interface Result {
  status: number;
  text: string;
  errors: string;
}

function run(paths: string[], options: InspectOptions = {}): Result {
  let text = "";
  let errors = "";
  const out = { write: (part: string) => (text += part) };
  const status = inspect(paths, options, out, { write: (part: string) => (errors += part) });
  return { status, text, errors };
}

function json(paths: string[], options: InspectOptions = {}): Inspection & { exit: number } {
  const { status, text } = run(paths, { ...options, json: true });
  return { ...JSON.parse(text), exit: status };
}

const at = new Date(NOW * 1000).toISOString();
const server1 = credential("p256", "server1").certificateFile;
const intermediate1 = credential("p256", "intermediate1").certificateFile;
const pair = { cert: server1, issuer: intermediate1, at };
const caseFile = (id: string) => fixtureFile(`ocsp/${id}.der`);

// Showing

test("all certificates of a PEM file, readably", (t) => {
  const { status, text } = run([server1]);
  t.is(status, 0);
  t.is(text.match(/^Certificate in /gm)?.length, 3);
  for (const line of [
    /^ {2}subject: .*CN=server1\.tlstaple\.test$/m,
    /^ {2}issuer: .*CN=intermediate1$/m,
    /^ {2}serialNumber: 05$/m,
    /^ {2}notBefore: 2025-01-01T00:00:00Z$/m,
    /^ {2}notAfter: 2049-12-31T23:59:59Z$/m,
    /^ {2}publicKey: ec prime256v1$/m,
    /^ {2}signatureAlgorithm: ecdsa-with-SHA256$/m,
    /^ {2}subjectAltName: DNS:server1\.tlstaple\.test, DNS:localhost, IP:127\.0\.0\.1, IP:::1$/m,
    /^ {2}keyUsage: digitalSignature$/m,
    /^ {2}extendedKeyUsage: serverAuth$/m,
    /^ {2}ocspResponders: http:\/\/127\.0\.0\.1:22221$/m,
    /^ {2}mustStaple: false$/m,
    /^ {4}pathLength: 0$/m,
  ]) {
    t.regex(text, line);
  }
});

test("a certificate as JSON", (t) => {
  const mustStaple = credential("p256", "must-staple").certificateFile;
  const { certificates, responses, exit } = json([mustStaple]);
  t.is(exit, 0);
  t.deepEqual(responses, []);
  t.is(certificates.length, 3);
  t.like(certificates[0], { mustStaple: true, basicConstraints: { ca: false, pathLength: null } });
  t.like(certificates[1], { mustStaple: false, basicConstraints: { ca: true, pathLength: 0 } });
  const openssl = execFileSync("openssl", ["x509", "-in", mustStaple, "-noout", "-fingerprint", "-sha256"]);
  const fingerprint = openssl.toString().split("=")[1].trim().replaceAll(":", "").toLowerCase();
  t.is(certificates[0].fingerprints.sha256, fingerprint);
});

test("DER and PEM, certificates and responses, in any number and mixture", (t) => {
  const response = readFileSync(caseFile("by-issuer"));
  const block = `-----BEGIN OCSP RESPONSE-----\n${response.toString("base64")}\n-----END OCSP RESPONSE-----\n`;
  const key = readFileSync(credential("p256", "server1").keyFile, "utf8");
  const mixed = file(`words\n${block}${key}${readFileSync(intermediate1, "utf8")}${block}`);
  const der = file(credential("p256", "root").chain[0]);
  const { certificates, responses } = json([mixed, caseFile("by-delegate"), der]);
  t.is(certificates.length, 2);
  t.is(responses.length, 3);
  t.deepEqual(responses[0], responses[1]);
});

test("a response, readably", (t) => {
  const { status, text } = run([caseFile("revoked-1")]);
  t.is(status, 0, "nothing was to be verified");
  for (const line of [
    /^OCSP response in /,
    /^ {2}responseStatus: successful$/m,
    /^ {2}responderID: byName .*CN=/m,
    /^ {2}producedAt: 2025-01-01T00:00:00Z$/m,
    /^ {4}certStatus: revoked$/m,
    /^ {4}revocationReason: keyCompromise$/m,
    /^ {6}hashAlgorithm: SHA-1$/m,
    /^ {6}serialNumber: 05$/m,
    /^ {2}signatureAlgorithm: ecdsa-with-SHA256$/m,
    /^ {4}extendedKeyUsage: OCSPSigning$/m,
  ]) {
    t.regex(text, line);
  }
  t.notRegex(text, /^Verification/m);
});

test("a response as JSON", (t) => {
  const found = json([caseFile("nonce")]).responses[0];
  const nonce = ocspCases().find(({ id }) => id === "nonce")!.nonce!;
  t.like(found, { responseStatus: "successful", nonce: nonce.toString("hex"), extensions: ["nonce"] });
  t.like(found.responses![0], { certStatus: "good", revocationTime: null, revocationReason: null });
  t.is(json([caseFile("unknown")]).responses[0].responses![0].certStatus, "unknown");
  t.is(json([caseFile("no-next-update")]).responses[0].responses![0].nextUpdate, null);
  t.regex(json([caseFile("by-delegate-key")]).responses[0].responderID!, /^byKey [0-9a-f]{40}$/);
});

test("a response that is an error, and one that is malformed", (t) => {
  t.deepEqual(json([caseFile("status-tryLater")]).responses, [{ responseStatus: "tryLater" }]);
  t.deepEqual(json([caseFile("halved")]).responses, [{ responseStatus: "malformed" }]);
});

test("control characters reach no terminal", (t) => {
  const key = newKey("p256");
  const hostile = "\u001b[2Jevil\u202e\n\u009b2J\u200f\u2067\u061c\u2028\u{e0041}";
  const subject = nameOf(["2.5.4.3", hostile]);
  const { der } = issue(undefined, { subject, key, extensions: { keyUsage: keyUsage("digitalSignature") } });
  const { text } = run([file(der)]);
  t.regex(
    text,
    /subject: CN=\\u001b\[2Jevil\\u202e\\u000a\\u009b2J\\u200f\\u2067\\u061c\\u2028\\udb40\\udc41$/m,
  );
  const object = run([file(der)], { json: true }).text;
  t.is(JSON.parse(object).certificates[0].subject, `CN=${hostile}`);
  for (const printed of [text, object]) t.notRegex(printed, /[^\P{Cc}\n]|\p{Cf}|\p{Zl}|\p{Zp}|\p{Cs}/u);
});

// Naming

/** What `openssl` makes with these arguments, in which %s stands for a folder, and the file that it wrote. */
function made(args: string): string {
  const folder = mkdtempSync(join(directory, "made-"));
  const { certificateFile, keyFile } = credential("p256", "server1");
  const words = args.replaceAll("%s", folder).replaceAll("CERT", certificateFile).replaceAll("KEY", keyFile);
  for (const line of words.split("; "))
    execFileSync("openssl", line.split(" "), { cwd: folder, stdio: "pipe" });
  return join(folder, "out");
}

const kinds: readonly (readonly [args: string, kind: string, found: object, line?: RegExp])[] = [
  ["pkey -in KEY -out %s/out", "private key", { publicKey: "ec prime256v1" }],
  ["ec -in KEY -out %s/out", "private key", { publicKey: "ec prime256v1" }],
  ["genrsa -traditional -out %s/out 2048", "private key", { publicKey: "rsa 2048 bits" }],
  ["genpkey -algorithm ed25519 -out %s/out", "private key", { publicKey: "ed25519" }],
  ["pkey -in KEY -aes128 -passout pass:x -out %s/out", "encrypted private key", {}],
  ["ec -in KEY -aes128 -passout pass:x -out %s/out", "encrypted private key", {}],
  ["pkey -in KEY -pubout -out %s/out", "public key", { publicKey: "ec prime256v1" }],
  [
    "req -new -key KEY -subj /CN=wanted -addext subjectAltName=DNS:a.example -addext tlsfeature=status_request -out %s/out",
    "CSR",
    { subject: "CN=wanted", publicKey: "ec prime256v1", subjectAltName: ["DNS:a.example"], mustStaple: true },
  ],
  ["req -new -key KEY -subj /CN=bare -out %s/out", "CSR", { subject: "CN=bare", subjectAltName: [] }],
  ["crl2pkcs7 -nocrl -certfile CERT -out %s/out", "PKCS #7", {}, /^ {4}subject: .*CN=server1/m],
  ["ocsp -issuer CERT -serial 0x77 -reqout %s/der -no_nonce", "OCSP request", { nonce: null, signed: false }],
  [
    "ocsp -issuer CERT -serial 0x77 -reqout %s/der -signer CERT -signkey KEY",
    "OCSP request",
    { extensions: ["nonce"], signed: true },
    /^ {4}serialNumber: 77$/m,
  ],
];

/** The same in PEM, in DER and in base64. */
function forms(pem: string): string[] {
  const base64 = /-----BEGIN [^-]+-----([^-]*)-----END/.exec(pem)?.[1];
  if (base64 === undefined || base64.includes(":")) return [file(pem)];
  const der = Buffer.from(base64, "base64");
  const path = `/${encodeURIComponent(der.toString("base64"))}`.slice(1);
  return [pem, der, base64, der.toString("base64url"), path].map(file);
}

for (const [args, kind, found, line = /^/] of kinds)
  withPeer("openssl")(`${kind}: openssl ${args}`, async (t) => {
    const path = made(args);
    const paths = existsSync(path) ? forms(readFileSync(path, "utf8")) : [join(path, "../der")];
    for (const each of paths) {
      const { certificates, responses, others, exit } = json([each]);
      t.is(exit, 0);
      t.deepEqual([certificates, responses], [[], []]);
      t.is(others.length, 1);
      t.like(others[0], { kind, ...found });
      const { text } = run([each]);
      t.true(text.startsWith(`${kind[0].toUpperCase()}${kind.slice(1)} in ${each}\n`));
      t.regex(text, line);
    }
  });

withPeer("openssl")("a CRL and PKCS #12", async (t) => {
  const index = file("R\t491231235959Z\t260101000000Z\t05\tunknown\t/CN=x\n");
  const configuration = file(
    `[ca]\ndefault_ca = d\n[d]\ndatabase = ${index}\ndefault_md = sha256\ndefault_crl_days = 7\n`,
  );
  const { certificateFile, keyFile } = credential("p256", "intermediate1");
  const crl = file("");
  const ca = [
    "ca",
    "-gencrl",
    "-config",
    configuration,
    "-cert",
    certificateFile,
    "-keyfile",
    keyFile,
    "-out",
    crl,
  ];
  execFileSync("openssl", ca, { stdio: "pipe" });
  for (const each of forms(readFileSync(crl, "utf8"))) {
    const [info] = json([each]).others;
    t.like(info, { kind: "CRL", revokedCertificates: 1, signatureAlgorithm: "ecdsa-with-SHA256" });
    t.regex(String(info.issuer), /CN=intermediate1$/);
    t.regex(String(info.nextUpdate), /^\d{4}-\d\d-\d\dT/);
  }
  const bag = made("pkcs12 -export -in CERT -inkey KEY -passout pass:x -out %s/out");
  t.deepEqual(json([bag]).others, [{ kind: "PKCS #12" }]);
  t.regex(run([bag]).text, /^PKCS #12 in /);
});

test("of a private key nothing is shown but its kind", (t) => {
  const { keyFile } = credential("p256", "server1");
  const { d } = createPrivateKey(readFileSync(keyFile)).export({ format: "jwk" });
  const secret = Buffer.from(d!, "base64url").toString("hex");
  for (const text of [run([keyFile]).text, run([keyFile], { json: true }).text])
    t.false(text.includes(secret));
});

test("a certificate and its key in one file", (t) => {
  const { certificateFile, keyFile } = credential("p256", "server1");
  const both = file(`${readFileSync(certificateFile)}${readFileSync(keyFile)}`);
  const { certificates, others } = json([both]);
  t.is(certificates.length, 3);
  t.deepEqual(others, [{ kind: "private key", publicKey: "ec prime256v1" }]);
});

test("a certificate and a response in base64; the response is verified", (t) => {
  const response = file(readFileSync(caseFile("by-issuer")).toString("base64"));
  t.is(json([response], pair).fault, null);
  const certificate = file(
    credential("p256", "root").chain[0].toString("base64").replace(/.{64}/g, "$&\r\n"),
  );
  t.is(json([certificate]).certificates.length, 1);
});

test("words around PEM do not matter, not even those that begin as DER does", (t) => {
  const text = `0 s:CN = x\n${readFileSync(intermediate1, "utf8")}`;
  t.is(json([file(text)]).certificates.length, 1);
});

test("no bytes are too strange", (t) => {
  const whole = readFileSync(caseFile("by-delegate"));
  for (let i = 0; i < 400; i++) {
    const bytes = Buffer.from(whole.subarray(0, (i * 7) % whole.length));
    if (bytes.length > 0) bytes[(i * 13) % bytes.length] ^= 1 << (i % 8);
    t.notThrows(() => run([file(bytes)]));
  }
});

test("a file that is cut off is named; what can't be read is malformed", (t) => {
  const key = createPrivateKey(readFileSync(credential("p256", "server1").keyFile));
  const der = key.export({ type: "pkcs8", format: "der" });
  t.deepEqual(json([file(der.subarray(0, 60))]).others, [{ kind: "private key", malformed: true }]);
});

test("- is the standard input", (t) => {
  const cli = fileURLToPath(new URL("../../../../hosts/node/cli.js", import.meta.url));
  const input = readFileSync(caseFile("by-issuer"));
  const shown = execFileSync(process.execPath, [cli, "inspect", "-"], { input, encoding: "utf8" });
  t.regex(shown, /^OCSP response in standard input\n/);
  const args = ["inspect", "-", "--issuer", intermediate1, "--cert", server1, "--at", at, "--json"];
  t.true(JSON.parse(execFileSync(process.execPath, [cli, ...args], { input, encoding: "utf8" })).verified);
});

// Verifying

for (const row of ocspCases()) {
  // A nonce cannot be asked for afterwards, and what is no SEQUENCE is no response
  if (row.nonce || row.skew !== undefined || row.response[0] !== 0x30) continue;
  test(`the verdict of the verifier: ${row.id}`, (t) => {
    const found = json([row.responseFile], {
      cert: row.subjectFile,
      issuer: row.issuerFile,
      at: new Date(row.at * 1000).toISOString(),
      maxAge: row.maxAge,
      allowMissingNextUpdate: row.allowMissingNextUpdate,
      responder: row.responders.length > 0 ? file(pem(...row.responders)) : undefined,
    });
    t.is(found.fault ?? "good", row.expected);
    t.is(found.exit, row.expected === "good" ? 0 : 1);
    t.is(found.alert?.number, row.alert);
    const answered = ["good", "OCSP_CERT_REVOKED", "OCSP_CERT_UNKNOWN"].includes(row.expected);
    t.is(found.verified, answered);
    t.is(found.status !== null, answered);
  });
}

test("a good response as JSON, key by key", (t) => {
  const { certificates, responses, others, ...verification } = json([caseFile("by-delegate")], pair);
  t.deepEqual(others, []);
  t.is(certificates.length, 0);
  t.is(responses.length, 1);
  t.deepEqual(verification, {
    exit: 0,
    verified: true,
    fault: null,
    status: "good",
    thisUpdate: "2025-01-01T00:00:00Z",
    nextUpdate: "2049-12-31T23:59:59Z",
    producedAt: "2025-01-01T00:00:00Z",
    revokedAt: null,
    reason: null,
    responder: "byName",
    delegated: true,
    alert: null,
    wolfssl: null,
  });
});

test("a revoked certificate as JSON, key by key", (t) => {
  const { certificates, responses, others, ...verification } = json([caseFile("revoked-1")], pair);
  t.deepEqual(others, []);
  t.is(certificates.length + responses.length, 1);
  t.like(verification, {
    exit: 1,
    verified: true,
    fault: "OCSP_CERT_REVOKED",
    status: "revoked",
    nextUpdate: "2049-12-31T23:59:59Z",
    reason: "keyCompromise",
    alert: { number: 44, name: "certificate_revoked" },
    wolfssl: { number: -360, name: "OCSP_CERT_REVOKED" },
  });
  t.regex(verification.revokedAt!, /^2025-.*Z$/);
});

test("the keys are the same whatever is found", (t) => {
  const keys = (found: object) => Object.keys(found).sort();
  const good = keys(json([caseFile("by-issuer")], pair));
  t.deepEqual(keys(json([caseFile("by-issuer")])), good);
  t.deepEqual(keys(json([caseFile("revoked")], pair)), good);
  t.deepEqual(keys(json([caseFile("halved")], pair)), good);
});

test("the verdict, readably", (t) => {
  const good = run([caseFile("by-issuer")], pair);
  t.is(good.status, 0);
  t.regex(good.text, /^Verification\n {2}result: good$/m);
  const revoked = run([caseFile("revoked-1")], pair);
  t.is(revoked.status, 1);
  t.regex(revoked.text, /^ {2}result: refused: OCSP_CERT_REVOKED$/m);
  t.regex(revoked.text, /^ {2}alert: certificate_revoked \(44\)$/m);
  t.regex(revoked.text, /^ {2}wolfSSL: OCSP_CERT_REVOKED \(-360\)$/m);
  t.regex(revoked.text, /^ {2}advice: /m);
});

test("the time is now when none is given", (t) => {
  const now = Date.now();
  const key = newKey("p256");
  const issuer = issue(undefined, { subject: "now", key, extensions: { usage: keyUsage("keyCertSign") } });
  const leaf = issue(issuer, {
    serial: 7,
    subject: "leaf",
    key,
    extensions: { usage: keyUsage("digitalSignature") },
  });
  const respond = (offset: number) => {
    const iso = (ms: number) => new Date(now + offset + ms).toISOString();
    const status = certStatus.good;
    const times = { thisUpdate: generalizedTime(iso(0)), nextUpdate: generalizedTime(iso(3600_000)) };
    const responses = [singleResponse({ certId: certId(issuer, integer(7)), status, ...times })];
    return file(ocspResponse({ signer: issuer, responses, producedAt: generalizedTime(iso(0)) }));
  };
  const options = { cert: file(pem(leaf.der)), issuer: file(pem(issuer.der)) };
  t.is(json([respond(-60_000)], options).fault, null);
  t.is(json([respond(-9_000_000)], options).fault, "OCSP_EXPIRED");
  t.is(json([respond(9_000_000)], options).fault, "OCSP_NOT_YET_VALID");
});

test("a time with another zone, and a date alone", (t) => {
  const week = (time: string) => json([caseFile("week")], { ...pair, at: time }).fault;
  t.is(week("2026-01-08T01:15:00+01:00"), null);
  t.is(week("2026-01-08T00:15:01Z"), "OCSP_EXPIRED");
  t.is(week("2026-01-03"), null);
});

// Bad use

const response = caseFile("by-issuer");
const nothing = /: no certificate, OCSP response or request, key, CSR, CRL, PKCS #7 or PKCS #12 is in it/;
const misuses: Readonly<Record<string, [string[], InspectOptions, RegExp]>> = {
  "a file that is not there": [["/nonexistent"], {}, /nonexistent: ENOENT/],
  "a directory": [[directory], {}, /EISDIR/],
  "an empty file": [[file("")], {}, nothing],
  "a file of something else": [[file("hello")], {}, nothing],
  "base64 of something else": [[file(Buffer.from("hello").toString("base64"))], {}, nothing],
  "DER of something else": [[file(Buffer.from("30023000", "hex"))], {}, nothing],
  "a byte of DER": [[file(Buffer.of(0x30))], {}, nothing],
  "a length that is none": [[file(Buffer.from("30ff0000", "hex"))], {}, nothing],
  "PEM of something else": [
    [file("-----BEGIN DH PARAMETERS-----\nMAA=\n-----END DH PARAMETERS-----\n")],
    {},
    nothing,
  ],
  "a malformed certificate": [
    [file(credential("p256", "root").chain[0].subarray(0, 300))],
    {},
    /malformed certificate/,
  ],
  "an issuer without a certificate": [
    [response],
    { issuer: intermediate1 },
    /--issuer and --cert go together/,
  ],
  "a certificate without an issuer": [[response], { cert: server1 }, /--issuer and --cert go together/],
  "an issuer that is not there": [[response], { ...pair, issuer: "/nonexistent" }, /ENOENT/],
  "an issuer that is no certificate": [[response], { ...pair, issuer: file("x") }, /no certificate found/],
  "another issuer": [
    [response],
    { ...pair, issuer: credential("p256", "intermediate2").certificateFile },
    /not issued by the first certificate in/,
  ],
  "a responder that is no certificate": [
    [response],
    { ...pair, responder: file("x") },
    /no certificate found/,
  ],
  "no response to verify": [[server1], pair, /the files hold 0/],
  "two responses to verify": [[response, response], pair, /the files hold 2/],
  "a time that is none": [[response], { ...pair, at: "yesterday" }, /--at: yesterday is no time/],
  "a time without a zone": [[response], { ...pair, at: "2026-07-01T12:00:00" }, /--at/],
  "a month that is none": [[response], { ...pair, at: "2026-13-01" }, /--at/],
  "an age that is none": [[response], { ...pair, maxAge: "1h" }, /--max-age: 1h is no number/],
  "a negative age": [[response], { ...pair, maxAge: -1 }, /--max-age/],
};
for (const [title, [paths, options, message]] of Object.entries(misuses)) {
  test(`bad use: ${title}`, (t) => {
    const { status, text, errors } = run(paths, options);
    t.is(status, 2);
    t.is(text, "");
    t.regex(errors, message);
    t.regex(errors, /^tlstaple inspect: .*\n$/);
  });
}
