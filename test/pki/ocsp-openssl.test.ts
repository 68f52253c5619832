/** OpenSSL's responses before our verifier, ours before OpenSSL's, and @peculiar/asn1-ocsp beside both. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { BasicOCSPResponse, OCSPResponse } from "@peculiar/asn1-ocsp";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import test from "ava";
import { issue, pem } from "../../certs/certificate.js";
import { generalizedTime, integer, tag, tlv } from "../../certs/der.js";
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  ocspNoCheck,
  purpose,
  unknownExtension,
} from "../../certs/extensions.js";
import { credential, type Edition } from "../../certs/fixtures.js";
import { newKey } from "../../certs/keys.js";
import {
  byKey,
  certId,
  certStatus,
  ocspResponse,
  type ResponseTemplate,
  type Single,
  singleResponse,
} from "../../certs/response.js";
import { Scratch } from "../peers/scratch.js";
import { Judge } from "./ocsp-judge.js";

/** OpenSSL compares a response with the real time, so everything here happens now. */
const now = Math.floor(Date.now() / 1000);
const scratch = new Scratch();
test.after.always(scratch.remove);
const file = (contents: string | Buffer) => scratch.add(contents);

// OpenSSL answers

function answer(edition: Edition, name: string, n: number, ...options: string[]): Buffer {
  const issuer = credential(edition, n === 0 ? "root" : `intermediate${n}`);
  const signer = credential(edition, `ocsp-${n === 0 ? "root" : `intermediate${n}`}`);
  const index = issuer.certificateFile.replace(
    /[^/]*$/,
    `index-${n === 0 ? "root" : `intermediate${n}`}.txt`,
  );
  const out = file("");
  const response = ["-index", index, "-CA", issuer.certificateFile, "-nmin", "5", "-respout", out];
  const signing = ["-rsigner", signer.certificateFile, "-rkey", signer.keyFile];
  const request = ["-issuer", issuer.certificateFile, "-no_nonce", ...options];
  const subject = ["-cert", credential(edition, name).certificateFile];
  execFileSync("openssl", ["ocsp", ...response, ...signing, ...request, ...subject], { stdio: "ignore" });
  return readFileSync(out);
}

function judgeOf(edition: Edition, name: string, n: number): Judge {
  const issuer = credential(edition, n === 0 ? "root" : `intermediate${n}`);
  return new Judge(credential(edition, name).chain[0], issuer.chain[0]);
}

const walkthrough: readonly (readonly [string, number, string])[] = [
  ["server1", 1, "good"],
  ["server2", 1, "OCSP_CERT_REVOKED"],
  ["server3", 2, "good"],
  ["server4", 2, "OCSP_CERT_REVOKED"],
  ["server5", 3, "good"],
  ["intermediate1", 0, "good"],
  ["intermediate3", 0, "OCSP_CERT_REVOKED"],
  ["root", 0, "good"],
];
for (const edition of ["p256", "rsa"] as const) {
  for (const [name, n, expected] of walkthrough) {
    test(`OpenSSL's answer about ${edition} ${name}`, (t) => {
      const judge = judgeOf(edition, name, n);
      t.is(judge.verdict(answer(edition, name, n), {}, now), expected);
      t.true(judge.staple.delegated);
    });
  }
}

const variants: readonly (readonly [string, string[], string])[] = [
  ["byKey", ["-resp_key_id"], "good"],
  ["a CertID by SHA-256", ["-sha256"], "good"],
  ["a CertID by SHA-512", ["-sha512"], "OCSP_WRONG_CERT"],
  ["signed with SHA-384", ["-rmd", "sha384"], "good"],
  ["signed with SHA-1", ["-rmd", "sha1"], "OCSP_SIGNATURE_ALGORITHM"],
  [
    "signed with RSASSA-PSS",
    ["-rsigopt", "rsa_padding_mode:pss", "-rsigopt", "rsa_pss_saltlen:digest"],
    "good",
  ],
  ["without certificates", ["-resp_no_certs"], "OCSP_RESPONDER"],
  ["with a corrupt signature", ["-badsig"], "OCSP_SIGNATURE"],
];
for (const [title, options, expected] of variants) {
  test(`OpenSSL's answer ${title}`, (t) => {
    t.is(judgeOf("rsa", "server1", 1).verdict(answer("rsa", "server1", 1, ...options), {}, now), expected);
  });
}

test("OpenSSL's answer with the certificates of other responders", (t) => {
  const others = file(
    pem(...["ocsp-root", "ocsp-intermediate2"].map((name) => credential("rsa", name).chain[0])),
  );
  const der = answer("rsa", "server1", 1, "-rother", others);
  t.is(judgeOf("rsa", "server1", 1).verdict(der, {}, now), "good");
});

test("OpenSSL's answer about one certificate does for no other", (t) => {
  const der = answer("rsa", "server1", 1);
  t.is(judgeOf("rsa", "server2", 1).verdict(der, {}, now), "OCSP_WRONG_CERT");
  t.is(judgeOf("rsa", "server3", 2).verdict(der, {}, now), "OCSP_WRONG_CERT");
});

test("OpenSSL's answer about two certificates at once", (t) => {
  const both = ["-cert", credential("rsa", "server2").certificateFile];
  const der = answer("rsa", "server1", 1, ...both);
  t.is(judgeOf("rsa", "server1", 1).verdict(der, {}, now), "good");
  t.is(judgeOf("rsa", "server2", 1).verdict(der, {}, now), "OCSP_CERT_REVOKED");
});

// OpenSSL judges

const ca = issue(undefined, {
  serial: 1,
  subject: "CA",
  key: newKey("p256"),
  extensions: {
    basicConstraints: basicConstraints(true),
    keyUsage: keyUsage("keyCertSign", "digitalSignature"),
  },
});
const leaf = issue(ca, {
  serial: 0x7777,
  subject: "leaf",
  key: newKey("p256"),
  extensions: { keyUsage: keyUsage("digitalSignature") },
});
const delegateKey = newKey("p256");
const delegate = (...extensions: Buffer[]) =>
  issue(ca, {
    serial: 2,
    subject: "responder",
    key: delegateKey,
    extensions: Object.fromEntries([keyUsage("digitalSignature"), ...extensions].entries()),
  });
const signing = extendedKeyUsage(purpose.ocspSigning);

const caFile = file(pem(ca.der));
const leafFile = file(pem(leaf.der));

/** What `openssl ocsp` says of a response: the status it believes, or "refused". */
function openssl(der: Buffer): string {
  const input = ["ocsp", "-respin", file(der), "-no_nonce", "-validity_period", "900"];
  const who = ["-CAfile", caFile, "-issuer", caFile, "-cert", leafFile];
  const { stdout, stderr } = spawnSync("openssl", [...input, ...who], { encoding: "latin1" });
  const text = stdout + stderr;
  const valid = text.includes("Response verify OK") && !text.includes("Status times invalid");
  return (valid && /: (good|revoked|unknown)$/m.exec(text)?.[1]) || "refused";
}

function ours(der: Buffer): string {
  const verdict = new Judge(leaf.der, ca.der).verdict(der, {}, now);
  const said: Record<string, string> = {
    OCSP_CERT_REVOKED: "revoked",
    OCSP_CERT_UNKNOWN: "unknown",
    good: "good",
  };
  return said[verdict] ?? "refused";
}

const time = (seconds: number) => generalizedTime(new Date(seconds * 1000).toISOString());
const single = (parts: Partial<Single> = {}) =>
  singleResponse({
    certId: certId(ca, integer(0x7777)),
    thisUpdate: time(now - 60),
    nextUpdate: time(now + 3600),
    ...parts,
  });
const response = (parts: Partial<ResponseTemplate> = {}) =>
  ocspResponse({ signer: ca, responses: [single()], producedAt: time(now - 60), ...parts });
const byDelegate = (...extensions: Buffer[]) => {
  const signer = delegate(...extensions);
  return response({ signer, responderId: byKey(signer), certificates: [signer.der] });
};
const revoked = certStatus.revoked(new Date(now * 1000 - 99_000).toISOString(), 1);

const cases: Readonly<Record<string, [Buffer, string]>> = {
  "good of the issuer": [response(), "good"],
  "good of a delegate": [byDelegate(signing, ocspNoCheck()), "good"],
  "a delegate without the EKU": [byDelegate(), "refused"],
  "a delegate for anything": [byDelegate(extendedKeyUsage(purpose.any)), "refused"],
  "a delegate with an unknown critical extension": [byDelegate(signing, unknownExtension(true)), "refused"],
  "a key that nobody certified": [
    response({ signer: { name: delegate().name, key: delegateKey } }),
    "refused",
  ],
  "signed by another": [response({ signer: { name: ca.name, key: delegateKey } }), "refused"],
  revoked: [response({ responses: [single({ status: revoked })] }), "revoked"],
  unknown: [response({ responses: [single({ status: certStatus.unknown })] }), "unknown"],
  "another serial": [response({ responses: [single({ certId: certId(ca, integer(0x7778)) })] }), "refused"],
  expired: [
    response({ responses: [single({ nextUpdate: time(now - 2000), thisUpdate: time(now - 3000) })] }),
    "refused",
  ],
  "from the future": [response({ responses: [single({ thisUpdate: time(now + 2000) })] }), "refused"],
  "from the near future": [response({ responses: [single({ thisUpdate: time(now + 600) })] }), "good"],
  "ends before it begins": [response({ responses: [single({ nextUpdate: time(now - 61) })] }), "refused"],
  "a malformed time": [
    response({ responses: [single({ thisUpdate: tlv(tag.generalizedTime, Buffer.from("2026x")) })] }),
    "refused",
  ],
  "an error status": [response({ status: 3 }), "refused"],
  "another type": [response({ responseType: "1.3.6.1.5.5.7.48.1.5" }), "refused"],
};
for (const [title, [der, expected]] of Object.entries(cases)) {
  test(`OpenSSL and we agree: ${title}`, (t) => {
    t.is(openssl(der), expected);
    t.is(ours(der), expected);
  });
}

test("OpenSSL lets trailing bytes pass, we do not", (t) => {
  const der = Buffer.concat([response(), Buffer.of(0)]);
  t.is(openssl(der), "good");
  t.is(ours(der), "refused");
});

// @peculiar/asn1-ocsp reads what we read

for (const edition of ["p256", "rsa"] as const) {
  test(`@peculiar/asn1-ocsp reads the same in an answer of ${edition}`, (t) => {
    const judge = judgeOf(edition, "server2", 1);
    const der = answer(edition, "server2", 1);
    t.is(judge.verdict(der, {}, now), "OCSP_CERT_REVOKED");
    const { responseBytes } = AsnConvert.parse(der, OCSPResponse);
    const { tbsResponseData } = AsnConvert.parse(responseBytes!.response.buffer, BasicOCSPResponse);
    const { thisUpdate, nextUpdate, certStatus } = tbsResponseData.responses[0];
    const seconds = (date: Date | undefined) => (date ? date.getTime() / 1000 : -1);
    t.like(judge.staple, {
      producedAt: seconds(tbsResponseData.producedAt),
      thisUpdate: seconds(thisUpdate),
      nextUpdate: seconds(nextUpdate),
      revokedAt: seconds(certStatus.revoked?.revocationTime),
      revocationReason: certStatus.revoked?.revocationReason?.reason,
    });
  });
}

test("what @peculiar/asn1-ocsp writes is what we read", (t) => {
  const der = answer("p256", "server1", 1);
  const parsed = AsnConvert.parse(der, OCSPResponse);
  const basic = AsnConvert.parse(parsed.responseBytes!.response.buffer, BasicOCSPResponse);
  parsed.responseBytes!.response = new OctetString(AsnConvert.serialize(basic));
  const written = Buffer.from(AsnConvert.serialize(parsed));
  t.is(judgeOf("p256", "server1", 1).verdict(written, {}, now), "good");
});
