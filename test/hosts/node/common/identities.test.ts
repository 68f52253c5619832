/** Keys and their chains, in every form that node:tls takes them. */

import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { type Credential, credential } from "../../../../certs/fixtures.js";
import { type KeyOptions, readIdentities } from "../../../../hosts/node/common/identities.js";
import { connect } from "../../../../hosts/node/index.js";
import { openssl } from "../../../peers/openssl.js";
import { withPeer } from "../../../peers/with-peer.js";

const server = credential("p256", "server1");
const rsa = credential("rsa", "server1");
const pem = ({ certificateFile, keyFile }: Credential) => ({
  cert: readFileSync(certificateFile),
  key: readFileSync(keyFile),
});

/** `openssl pkcs12 -export` of a chain and its key. */
async function pkcs12({ certificateFile, keyFile }: Credential, ...flags: string[]): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), "tlstaple-"));
  const out = join(directory, "out.p12");
  try {
    const files = ["-in", certificateFile, "-inkey", keyFile, "-out", out];
    await openssl("pkcs12", "-export", ...files, ...flags);
    return await readFile(out);
  } finally {
    await rm(directory, { recursive: true });
  }
}

const chainsOf = (options: KeyOptions) =>
  readIdentities(options).map(({ certificates }) => certificates.map((each) => Buffer.from(each)));

const des = "PBE-SHA1-3DES";
const forms: Readonly<Record<string, readonly string[]>> = {
  "as OpenSSL 3 writes it": [],
  "AES-128, other digests": ["-keypbe", "AES-128-CBC", "-certpbe", "AES-128-CBC", "-macalg", "sha512"],
  "3DES, as older systems write it": ["-keypbe", des, "-certpbe", des, "-macalg", "sha1", "-iter", "1000"],
  "certificates in the clear": ["-certpbe", "NONE"],
  "nothing encrypted": ["-certpbe", "NONE", "-keypbe", "NONE"],
};

for (const [form, flags] of Object.entries(forms))
  for (const passphrase of ["", "secret", "p\u00e4ssw\u00f6rd, and longer than one block of SHA-1 has bytes"])
    withPeer("openssl")(`pfx, ${form}, passphrase "${passphrase}"`, async (t) => {
      const buf = await pkcs12(server, ...flags, "-passout", `pass:${passphrase}`);
      const expected = chainsOf(pem(server));
      t.deepEqual(chainsOf({ pfx: buf, passphrase }), expected);
      t.deepEqual(chainsOf({ pfx: [{ buf, passphrase }], passphrase: "another" }), expected);
      t.throws(() => readIdentities({ pfx: buf, passphrase: "wrong" }), {
        code: "ERR_TLSTAPLE_OPTION_VALUE",
        message: /mac verify failure/,
      });
    });

withPeer("openssl")("pfx: the chain comes in its order, whatever the file's", async (t) => {
  const [leaf, ...issuers] = chainsOf(pem(server))[0];
  const toPem = (der: Buffer) =>
    `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
  const directory = await mkdtemp(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rm(directory, { recursive: true }));
  const certificateFile = join(directory, "shuffled.pem");
  const stranger = credential("rsa", "server1").chain[0];
  await writeFile(certificateFile, [...issuers.reverse(), stranger, leaf].map(toPem).join(""));
  const pfx = await pkcs12({ ...server, certificateFile }, "-passout", "pass:");
  t.deepEqual(chainsOf({ pfx }), chainsOf(pem(server)));
});

withPeer("openssl")("pfx: several, and beside cert and key", async (t) => {
  const [one, two] = await Promise.all([server, rsa].map((each) => pkcs12(each, "-passout", "pass:x")));
  const both = [...chainsOf(pem(server)), ...chainsOf(pem(rsa))];
  t.deepEqual(chainsOf({ pfx: [one, two], passphrase: "x" }), both);
  t.deepEqual(chainsOf({ ...pem(server), pfx: { buf: two, passphrase: "x" } }), both);
});

withPeer("openssl")("pfx: what has no certificate with its key, and what is none", async (t) => {
  const code = "ERR_TLSTAPLE_OPTION_VALUE";
  const good = await pkcs12(server, "-passout", "pass:");
  const without = await pkcs12(server, "-passout", "pass:", "-nokeys");
  for (const pfx of [without, Buffer.alloc(0), Buffer.alloc(100), good.subarray(0, -1), "no PKCS #12"])
    t.throws(() => readIdentities({ pfx }), { code });
  for (let at = 0; at < good.length; at += 7) {
    const broken = Buffer.from(good);
    broken[at] ^= 0x21;
    try {
      t.deepEqual(chainsOf({ pfx: broken }), chainsOf(pem(server)), `${at}`);
    } catch (error) {
      t.is((error as { code?: string }).code, code, `${at}: ${error}`);
    }
  }
});

test("key: an array, each with a passphrase of its own", (t) => {
  const encrypted = (file: string, passphrase: string) =>
    createPrivateKey(readFileSync(file)).export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase,
    }) as string;
  const [a, b] = [encrypted(server.keyFile, "a"), encrypted(rsa.keyFile, "b")];
  const cert = [pem(server).cert, pem(rsa).cert];
  const both = [...chainsOf(pem(server)), ...chainsOf(pem(rsa))];
  t.deepEqual(
    chainsOf({
      cert,
      key: [
        { pem: b, passphrase: "b" },
        { pem: a, passphrase: "a" },
      ],
    }),
    both,
  );
  t.deepEqual(chainsOf({ cert, key: [{ pem: a }, { pem: b, passphrase: "b" }], passphrase: "a" }), both);
  t.deepEqual(chainsOf({ cert: cert[0], key: { pem: a, passphrase: "a" } }), both.slice(0, 1));
  // With one key an array of certificates is its chain
  const [leaf, ...issuers] = server.chain;
  t.deepEqual(chainsOf({ cert: [leaf, Buffer.concat(issuers)], key: [pem(server).key] }), both.slice(0, 1));
  const code = "ERR_TLSTAPLE_OPTION_VALUE";
  t.throws(() => readIdentities({ cert, key: [a, b], passphrase: "a" }), { code });
  t.throws(() => readIdentities({ cert: cert[0], key: [pem(server).key, pem(rsa).key] }), { code });
  t.throws(() => readIdentities({ cert: cert[1], key: [pem(server).key] }), { code });
  t.throws(() => readIdentities({ cert, key: [pem(server).key, pem(server).key] }), { code });
  t.throws(() => readIdentities({ cert, key: [7 as never, 8 as never] }), {
    code: "ERR_TLSTAPLE_OPTION_TYPE",
  });
});

test("a client shows one certificate", (t) => {
  const [one, two] = [pem(server), pem(rsa)];
  const options = { cert: [one.cert, two.cert], key: [one.key, two.key] };
  const refused = { code: "ERR_TLSTAPLE_OPTION_VALUE", message: /shows one certificate/ };
  t.throws(() => connect({ port: 1, ...options }).destroy(), refused);
});
