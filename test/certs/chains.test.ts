import { createPrivateKey, X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate } from "@peculiar/asn1-x509";
import test from "ava";
import { type ChainCase, chainCases, credential, type Edition, fixtureFile } from "../../certs/fixtures.js";
import { openssl } from "./openssl.js";

/** Good, but not for OpenSSL 3.0. */
const opensslRefuses = [
  "cross-signed", // it goes back on no choice of an issuer
  "issuer-any-purpose", // RFC 5280 section 4.2.1.12 leaves the choice
  "anchor-any-purpose",
  "anchor-expired", // it looks at the dates of an anchor
  "v2-root", // it takes version 1 only to be a CA without saying so
];

/** Bad, but not for `openssl verify`, which is lenient in encodings and leaves algorithms to the security level. */
const opensslAccepts = [
  "no-digital-signature", // it takes keyAgreement for good enough
  "explicit-policy-leaf", // it looks at policies only when told to
  "explicit-policy-issuer",
  "explicit-policy-and-mapping",
  "wildcard-partial", // RFC 9525 has abolished them
  "wildcard-suffix",
  "common-name-only", // RFC 9525 section 6.3
  "wildcard-excluded",
  "excluded-directory-type", // RFC 5280 section 7.1 compares no such strings
  "empty-names",
  "names-trailing",
  "sha1-ecdsa",
  "sha1-rsa",
  "md5-rsa",
  "ecdsa-null",
  "ecdsa-sha512-null",
  "pss-mask",
  "pss-salt",
  "pss-sha1",
  "pss-default",
  "key-rsa1024",
  "key-secp256k1",
  "key-p521-compressed",
  "key-compressed",
  "key-hybrid",
  "key-modulus-negative",
  "key-exponent-even",
  "key-exponent-1",
  "key-pss-only",
  "key-issuer-rsa1024",
  "key-issuer-secp256k1",
  "trailing-byte",
  "length-padded",
  "length-padded-tbs",
  "length-indefinite",
  "serial-long",
  "serial-longer",
  "serial-long-negative",
  "v1-extensions",
  "v2-extensions",
  "v1-explicit",
  "v4",
  "must-staple-leaf", // whether one is stapled is no matter of chains
  "must-staple-issuer",
  "must-staple-grandparent",
  "must-staple-anchor",
  "unknown-extension-twice",
  "extensions-none",
  "extensions-many",
  "extension-trailing",
  "critical-false",
  "critical-true-1",
  "ca-true-1",
  "ca-2",
  "usage-padding",
  "malformed-issuer",
];

function opensslVerify({ anchorFile, chainFile, name }: ChainCase): boolean {
  const reference = name === undefined ? [] : [isIP(name) ? "-verify_ip" : "-verify_hostname", name];
  const trust = ["-partial_chain", "-CAfile", anchorFile, "-untrusted", chainFile];
  return openssl("verify", "-purpose", "sslserver", ...trust, ...reference, chainFile).ok;
}

test("openssl verify agrees on the chains", (t) => {
  for (const row of chainCases()) {
    if (row.chain.length === 0) continue;
    const good = row.expected === "good";
    const disagrees = (good ? opensslRefuses : opensslAccepts).includes(row.id);
    t.is(opensslVerify(row), good !== disagrees, row.id);
  }
});

test("Node and @peculiar/asn1-x509 read every certificate of the good chains", (t) => {
  for (const { id, chain, expected } of chainCases()) {
    if (expected !== "good" || id === "extra-garbled") continue;
    for (const der of chain) {
      const { tbsCertificate } = AsnConvert.parse(der, Certificate);
      const { serialNumber } = new X509Certificate(der);
      const octets = Buffer.from(tbsCertificate.serialNumber);
      if (octets[0] < 0x80) t.is(BigInt(`0x${octets.toString("hex")}`), BigInt(`0x${serialNumber}`), id);
    }
  }
});

test("each key belongs to its leaf", (t) => {
  for (const { id, chain, keyFile, expected } of chainCases()) {
    if (expected !== "good") continue;
    const key = createPrivateKey(readFileSync(keyFile));
    t.true(new X509Certificate(chain[0]).checkPrivateKey(key), id);
  }
});

function namesIn(directory: string): string[] {
  const files = readdirSync(fixtureFile(`good/${directory}`)).filter((file) => file.endsWith("-key.pem"));
  return files.map((file) => file.slice(0, -"-key.pem".length));
}

for (const edition of ["p256", "rsa", "client"] as const) {
  test(`each key of good/${edition} belongs to its certificate`, (t) => {
    for (const name of namesIn(edition)) {
      const { chain, keyFile } = credential(edition, name);
      const key = createPrivateKey(readFileSync(keyFile));
      t.true(new X509Certificate(chain[0]).checkPrivateKey(key), name);
    }
  });
}

const servers = ["server1", "server2", "server3", "server4", "server5", "must-staple"];

for (const edition of ["p256", "rsa"] as const satisfies Edition[]) {
  test(`openssl verify accepts the servers of good/${edition}, strictly`, (t) => {
    const root = credential(edition, "root").certificateFile;
    for (const name of [...servers, ...(edition === "rsa" ? ["pss"] : ["p384", "ed25519"])]) {
      const { certificateFile, chain } = credential(edition, name);
      const host = ["-verify_hostname", `${name}.tlstaple.test`, "-verify_ip", "127.0.0.1"];
      const trust = ["-CAfile", root, "-untrusted", certificateFile];
      const { ok, output } = openssl(
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        ...host,
        ...trust,
        certificateFile,
      );
      t.true(ok, output);
      t.is(chain.length, 3, "leaf, intermediate, root");
    }
  });
}

test("openssl verify accepts the client certificates", (t) => {
  const ca = credential("client", "ca").certificateFile;
  for (const name of ["p256", "p384", "rsa", "ed25519"]) {
    const { certificateFile } = credential("client", name);
    const { ok, output } = openssl(
      "verify",
      "-x509_strict",
      "-purpose",
      "sslclient",
      "-CAfile",
      ca,
      certificateFile,
    );
    t.true(ok, output);
  }
});
