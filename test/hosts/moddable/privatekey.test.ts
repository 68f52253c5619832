/** Private keys as openssl writes them, in every form, through PEM and DER, with each provider. */

import { createPublicKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { integer, octets, oid, sequence } from "../../../certs/der.js";
import { readPem } from "../../../hosts/moddable/pem.js";
import { readPrivateKey } from "../../../hosts/moddable/privatekey.js";
import { signer as nodeSigner, provider } from "../../../hosts/node/provider.js";
import { signerOf } from "../../../hosts/portable/signer.js";
import type { PrivateKeySpan, Signer } from "../../../src/crypto/provider.js";
import { findScheme } from "../../../src/crypto/schemes.js";
import { openssl } from "../../certs/openssl.js";
import { mutate } from "../../fuzz/mutate.js";
import { Random, times } from "../../fuzz/random.js";
import { startPsa } from "../psa/remote.js";

const psa = await startPsa();
const folder = mkdtempSync(join(tmpdir(), "tlstaple-keys-"));
process.once("exit", () => rmSync(folder, { recursive: true }));

const algorithms: Readonly<Record<string, readonly string[]>> = {
  p256: ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
  p384: ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
  p521: ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
  rsa: ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
  rsa1024: ["RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
  ed25519: ["ED25519"],
  x25519: ["X25519"],
};

/** What openssl makes of its arguments. */
function made(...args: string[]): Buffer {
  const file = join(folder, "made");
  const { ok, output } = openssl(...args, "-out", file);
  if (!ok) throw new Error(output);
  return readFileSync(file);
}

const fileOf = (kind: string) => join(folder, `${kind}.pem`);
for (const [kind, how] of Object.entries(algorithms))
  made("genpkey", "-algorithm", ...how, "-outform", "PEM", "-quiet") && save(kind);

function save(kind: string): void {
  openssl("pkey", "-in", join(folder, "made"), "-out", fileOf(kind));
}

/** The commands that write a key of this kind in its forms. */
function forms(kind: string): Readonly<Record<string, Buffer>> {
  const input = ["-in", fileOf(kind)];
  const found: Record<string, Buffer> = {};
  for (const format of ["PEM", "DER"]) {
    const out = [...input, "-outform", format];
    found[`PKCS #8 ${format}`] = made("pkcs8", "-topk8", "-nocrypt", ...out);
    if (/^rsa/.test(kind)) found[`PKCS #1 ${format}`] = made("rsa", "-traditional", ...out);
    if (!/^p\d/.test(kind)) continue;
    found[`SEC 1 ${format}`] = made("ec", ...out);
    found[`SEC 1 without its public key ${format}`] = made("ec", "-no_public", ...out);
  }
  return found;
}

/** As an application hands it over. */
function read(file: Buffer): PrivateKeySpan {
  const found: Uint8Array[] = [];
  if (file[0] === 0x30) found.push(file);
  else readPem(file, "PRIVATE KEY", found);
  return readPrivateKey(found[0]);
}

const message = new TextEncoder().encode("what is signed");

/** Whether all that a signer signs is verified by what the key's public half is. */
function signs(by: Signer, kind: string): boolean {
  const spki = createPublicKey(readFileSync(fileOf(kind))).export({ format: "der", type: "spki" });
  const size = { p256: 65, p384: 97, ed25519: 32, rsa: 270 }[kind]!;
  const key = { kind: kind as "rsa", bytes: spki, start: spki.length - size, end: spki.length };
  return (
    by.schemes.length > 0 &&
    by.schemes.every((scheme) => {
      const out = new Uint8Array(520);
      const signature = by.begin(scheme);
      signature.update(message, 0, message.length);
      const length = signature.sign(out, 0);
      const verification = provider.verification(scheme);
      verification.update(message, 0, message.length);
      verification.end();
      return findScheme(scheme) !== undefined && verification.settle(key, out, 0, length);
    })
  );
}

for (const kind of ["p256", "p384", "ed25519", "rsa"])
  for (const [form, file] of Object.entries(forms(kind)))
    test(`a ${kind} key in ${form}`, (t) => {
      const key = read(file);
      t.is(key.kind, kind as "rsa");
      if (kind !== "rsa") t.true(signs(signerOf(key), kind), "portable");
      else t.throws(() => signerOf(key), { instanceOf: TypeError, message: /without PSA Crypto/ });
      if (psa && kind !== "ed25519") t.true(signs(psa.signer(key.bytes), kind), "psa");
      t.true(signs(nodeSigner(file), kind), "node");
    });

test("openssl's EC parameters before a key are passed over", (t) => {
  const file = made("ecparam", "-name", "prime256v1", "-genkey");
  t.true(file.includes("EC PARAMETERS"));
  t.is(read(file).kind, "p256");
});

const encrypted: Readonly<Record<string, () => Buffer>> = {
  "PKCS #8 PEM": () => made("pkcs8", "-topk8", "-passout", "pass:secret", "-in", fileOf("p256")),
  "PKCS #8 DER": () =>
    made("pkcs8", "-topk8", "-passout", "pass:secret", "-in", fileOf("p256"), "-outform", "DER"),
  "PKCS #1 PEM": () =>
    made("rsa", "-traditional", "-aes256", "-passout", "pass:secret", "-in", fileOf("rsa")),
  "SEC 1 PEM": () => made("ec", "-aes256", "-passout", "pass:secret", "-in", fileOf("p256")),
};

for (const [form, make] of Object.entries(encrypted))
  test(`an encrypted key in ${form} is refused as such`, (t) => {
    t.throws(() => read(make()), { instanceOf: TypeError, message: /encrypted: decrypt it first$/ });
  });

for (const [kind, error] of [
  ["p521", /must be for P-256, P-384, Ed25519 or RSA$/],
  ["x25519", /must be for P-256, P-384, Ed25519 or RSA$/],
  ["rsa1024", /2048 to 4096 bits, not 1024$/],
] as const)
  for (const [form, file] of Object.entries(forms(kind)))
    test(`a ${kind} key in ${form} is refused`, (t) => {
      t.throws(() => read(file), { instanceOf: TypeError, message: error });
    });

const der = (kind: string) =>
  Object.entries(forms(kind))
    .filter(([form]) => form.endsWith("DER"))
    .map(([, file]) => file);
const samples = ["p256", "p384", "ed25519", "rsa"].flatMap(der);

/** What it is taken for, or undefined when it is refused, as all that is wrong must be. */
function kindOf(bytes: Uint8Array): string | undefined {
  try {
    const { kind, start, end } = readPrivateKey(bytes);
    if (start >= 0 && start <= end && end <= bytes.length) return kind;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
  throw new Error("a span that is not in the bytes");
}

test("a key that is cut short, or goes on, is refused", (t) => {
  for (const bytes of samples) {
    t.not(kindOf(bytes), undefined);
    for (let n = 0; n < bytes.length; n++) t.is(kindOf(bytes.subarray(0, n)), undefined, `${n}`);
    t.is(kindOf(Buffer.concat([bytes, Buffer.of(0)])), undefined);
  }
});

test("curves that contradict each other, other versions, and what is no key at all are refused", (t) => {
  const [, sec1] = der("p256");
  const pkcs8 = (curve: string) =>
    sequence(integer(0), sequence(oid("1.2.840.10045.2.1"), oid(curve)), octets(sec1));
  t.is(kindOf(pkcs8("1.2.840.10045.3.1.7")), "p256");
  t.is(kindOf(pkcs8("1.3.132.0.34")), undefined);
  const other = (bytes: Buffer, from: string, to: string) => {
    const text = bytes.toString("hex");
    t.true(text.includes(from));
    return Buffer.from(text.replace(from, to), "hex");
  };
  t.is(kindOf(other(sec1, "020101", "020102")), undefined);
  t.is(kindOf(other(der("rsa")[1], "020100", "020101")), undefined);
  t.is(kindOf(other(sec1, "06082a8648ce3d030107", "06082a8648ce3d030106")), undefined);
  t.is(kindOf(readFileSync(fileOf("p256"))), undefined);
  for (const text of ["", "30", "3000", "300302", "3003020100", "30060201000201"])
    t.is(kindOf(Buffer.from(text, "hex")), undefined, text);
});

test("whatever is done to a key, it is read within its bytes or refused with a TypeError", (t) => {
  const random = new Random(t);
  for (let i = 0; i < times(5000); i++) kindOf(mutate(random.pick(samples), random));
  t.pass();
});

test("whatever is done to PEM, it is read or refused with a TypeError", (t) => {
  const random = new Random(t);
  const files = ["p256", "rsa"].flatMap((kind) => Object.values(forms(kind))).filter(([c]) => c !== 0x30);
  for (let i = 0; i < times(1000); i++)
    try {
      read(mutate(random.pick(files), random));
    } catch (error) {
      t.true(error instanceof TypeError, `${error}`);
    }
  t.pass();
});
