/**
 * Writes test/vectors/wycheproof: what Project Wycheproof (C2SP/wycheproof, Apache License 2.0) has for the
 * algorithms of TLS, without the fields that no test reads, and of each kind of vector only so many.
 *
 *   node build/test/vectors/wycheproof.js /path/to/checkout
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** How many vectors with the same result and flags are kept of each file. */
const files: Record<string, number> = {
  aes_gcm: Infinity,
  chacha20_poly1305: 40,
  hmac_sha1: 20,
  hmac_sha256: Infinity,
  hmac_sha384: 20,
  hmac_sha512: 20,
  x25519: Infinity,
  ecdh_secp256r1_ecpoint: Infinity,
  ecdh_secp384r1_ecpoint: 40,
  ecdh_secp521r1_ecpoint: 40,
  x448: 20,
  ecdsa_secp256r1_sha256: Infinity,
  ecdsa_secp256r1_sha512: 8,
  ecdsa_secp384r1_sha256: 8,
  ecdsa_secp384r1_sha384: Infinity,
  ecdsa_secp384r1_sha512: 8,
  ecdsa_secp521r1_sha512: 20,
  ed25519: Infinity,
  ed448: Infinity,
  rsa_signature_2048_sha256: Infinity,
  rsa_signature_2048_sha384: 10,
  rsa_signature_2048_sha512: 10,
  rsa_signature_3072_sha256: 3,
  rsa_signature_3072_sha384: 3,
  rsa_signature_3072_sha512: 3,
  rsa_signature_4096_sha256: 3,
  rsa_signature_4096_sha384: 3,
  rsa_signature_4096_sha512: 3,
  rsa_signature_8192_sha256: 1,
  rsa_pss_2048_sha256_mgf1_32: Infinity,
  rsa_pss_2048_sha384_mgf1_48: 10,
  rsa_pss_3072_sha256_mgf1_32: 10,
  rsa_pss_4096_sha512_mgf1_64: 3,
};

const groupFields = ["keySize", "ivSize", "tagSize", "publicKeyAsn", "publicKeyDer"];
const fields = [
  ...["tcId", "comment", "flags", "key", "iv", "aad", "msg", "ct", "tag"],
  ...["public", "private", "shared", "sig", "result"],
];

interface Vector {
  readonly result: string;
  readonly flags: readonly string[];
}

interface Group {
  readonly tests: readonly Vector[];
}

function pick(from: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}

/** The groups with the first vectors of each kind, a line for each vector. */
function subset(groups: readonly Group[], most: number): string {
  const counts = new Map<string, number>();
  const kept = ({ result, flags }: Vector) => {
    const kind = `${result} ${flags}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts.get(kind)! <= most;
  };
  const texts = groups
    .map((group) => ({ ...pick(group, groupFields), tests: group.tests.filter(kept) }))
    .filter(({ tests }) => tests.length > 0)
    .map(({ tests, ...group }) => {
      const lines = tests.map((vector) => JSON.stringify(pick(vector, fields)));
      return `${JSON.stringify({ ...group, tests: [] }).slice(0, -2)}\n${lines.join(",\n")}\n]}`;
    });
  return `[${texts.join(",\n")}]`;
}

const [checkout] = process.argv.slice(2);
const directory = fileURLToPath(new URL("../../../test/vectors/wycheproof/", import.meta.url));
mkdirSync(directory, { recursive: true });
for (const [file, most] of Object.entries(files)) {
  const source = readFileSync(join(checkout, "testvectors_v1", `${file}_test.json`), "utf8");
  const note = `A subset of Project Wycheproof's ${file}_test.json, changed by test/vectors/wycheproof.ts; Apache License 2.0, see LICENSE`;
  const groups = subset(JSON.parse(source).testGroups, most);
  writeFileSync(join(directory, `${file}.json`), `{"note":${JSON.stringify(note)},"testGroups":${groups}}\n`);
}
