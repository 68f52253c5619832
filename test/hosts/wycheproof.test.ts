/**
 * Project Wycheproof's vectors (C2SP/wycheproof) through every provider. They are too large to keep here:
 * the environment variable WYCHEPROOF names a checkout of the project; without it nothing runs.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import type { AeadAlgorithm, HashAlgorithm, KeyKind } from "../../src/crypto/provider.js";
import { namedGroup, signatureScheme } from "../../src/wire/registry.js";
import { agree, hex, mac, open, type Subject, seal, subjects, toHex, verifies } from "./providers.js";

const directory = process.env.WYCHEPROOF;

interface Vector {
  tcId: number;
  comment: string;
  flags: string[];
  result: "valid" | "invalid" | "acceptable";
  [field: string]: unknown;
}

interface Group {
  tests: Vector[];
  [field: string]: unknown;
}

/** Whether the subject takes the vector; undefined when it is not about what TLS uses. */
type Run = (subject: Subject, group: Group, vector: Vector) => boolean | undefined;

/** `acceptable` says what we make of vectors that an implementation may take or refuse. */
function wycheproof(
  file: string,
  least: number,
  run: Run,
  acceptable: (vector: Vector) => boolean = () => false,
) {
  const declare = directory ? test : test.skip;
  const reason = directory ? "" : ": the environment variable WYCHEPROOF names no checkout";
  declare(`Wycheproof ${file}${reason}`, (t) => {
    const path = join(directory!, "testvectors_v1", `${file}_test.json`);
    const { testGroups } = JSON.parse(readFileSync(path, "utf8"));
    for (const subject of subjects) {
      if (!(testGroups as Group[]).every((group) => takes(subject, group))) continue;
      const count = (testGroups as Group[]).reduce((sum, group) => sum + runGroup(t, subject, group), 0);
      t.true(count >= least, `${count} vectors`);
    }
  });

  function runGroup(t: ExecutionContext, subject: Subject, group: Group): number {
    let count = 0;
    for (const vector of group.tests) {
      const taken = run(subject, group, vector);
      if (taken === undefined) continue;
      const expected = vector.result === "acceptable" ? acceptable(vector) : vector.result === "valid";
      t.is(taken, expected, `${subject.provider.name} ${vector.tcId} ${vector.comment} ${vector.flags}`);
      count++;
    }
    return count;
  }
}

/** PSA has no RSA keys of 8192 bits. */
const takes = ({ takesRsa }: Subject, { publicKeyAsn, keySize }: Group) =>
  publicKeyAsn === undefined || takesRsa === undefined || takesRsa(keySize as number);

const field = (of: Vector | Group, name: string) => hex(of[name] as string);

function aead(algorithms: Record<number, AeadAlgorithm>): Run {
  return ({ provider }, group, vector) => {
    const algorithm = algorithms[group.keySize as number];
    if (!algorithm || group.ivSize !== 96 || group.tagSize !== 128) return undefined;
    const box = {
      algorithm,
      key: field(vector, "key"),
      nonce: field(vector, "iv"),
      aad: field(vector, "aad"),
    };
    const sealed = Buffer.concat([field(vector, "ct"), field(vector, "tag")]);
    const opened = open(provider, box, sealed);
    if (!opened.ok) return opened.bytes.some((byte) => byte !== 0);
    const message = field(vector, "msg");
    const same = toHex(opened.bytes.subarray(0, message.length)) === vector.msg;
    return same && seal(provider, box, message) === toHex(sealed);
  };
}

function hmac(algorithm: HashAlgorithm): Run {
  return ({ provider }, _, vector) => {
    const tag = vector.tag as string;
    return mac(provider, algorithm, field(vector, "key"), field(vector, "msg")).slice(0, tag.length) === tag;
  };
}

/** The private keys are numbers: any length, maybe with a sign octet. */
function privateKey(vector: Vector, size: number): Uint8Array {
  return hex((vector.private as string).padStart(2 * size, "0").slice(-2 * size));
}

function exchange(group: number, size: number): Run {
  return (subject, _, vector) => {
    const shared = agree(subject.exchangeOf(group, privateKey(vector, size)), field(vector, "public"));
    return shared !== "" && shared === vector.shared;
  };
}

const pointSize = { p256: 65, p384: 97, ed25519: 32 };

function ecKey(kind: keyof typeof pointSize, group: Group): Uint8Array {
  return field(group, "publicKeyDer").subarray(-pointSize[kind]);
}

function signature(scheme: number, kind: KeyKind): Run {
  return ({ provider }, group, vector) => {
    const key = kind === "rsa" ? field(group, "publicKeyAsn") : ecKey(kind, group);
    return verifies(provider, {
      scheme,
      kind,
      key,
      message: field(vector, "msg"),
      signature: field(vector, "sig"),
    });
  };
}

const s = signatureScheme;
const g = namedGroup;

wycheproof("aes_gcm", 130, aead({ 128: "aes-128-gcm", 256: "aes-256-gcm" }));
wycheproof("chacha20_poly1305", 300, aead({ 256: "chacha20-poly1305" }));
wycheproof("hmac_sha1", 170, hmac("sha1"));
wycheproof("hmac_sha256", 170, hmac("sha256"));
wycheproof("hmac_sha384", 170, hmac("sha384"));
wycheproof("hmac_sha512", 170, hmac("sha512"));
// X25519 takes points of the twist and unreduced ones, RFC 7748 section 5, but not a zero secret, 6.1
wycheproof("x25519", 518, exchange(g.x25519, 32), ({ flags }) => !flags.includes("ZeroSharedSecret"));
wycheproof("ecdh_secp256r1_ecpoint", 355, exchange(g.secp256r1, 32));
wycheproof("ecdh_secp384r1_ecpoint", 790, exchange(g.secp384r1, 48));
wycheproof("ecdsa_secp256r1_sha256", 480, signature(s.ecdsa_secp256r1_sha256, "p256"));
wycheproof("ecdsa_secp384r1_sha256", 470, signature(s.ecdsa_secp256r1_sha256, "p384"));
wycheproof("ecdsa_secp384r1_sha384", 480, signature(s.ecdsa_secp384r1_sha384, "p384"));
wycheproof("ed25519", 150, signature(s.ed25519, "ed25519"));
for (const bits of [2048, 3072, 4096]) {
  wycheproof(`rsa_signature_${bits}_sha256`, 230, signature(s.rsa_pkcs1_sha256, "rsa"));
  wycheproof(`rsa_signature_${bits}_sha384`, 230, signature(s.rsa_pkcs1_sha384, "rsa"));
  wycheproof(`rsa_signature_${bits}_sha512`, 230, signature(s.rsa_pkcs1_sha512, "rsa"));
}
wycheproof("rsa_signature_8192_sha256", 200, signature(s.rsa_pkcs1_sha256, "rsa"));
wycheproof("rsa_pss_2048_sha256_mgf1_32", 100, signature(s.rsa_pss_rsae_sha256, "rsa"));
wycheproof("rsa_pss_3072_sha256_mgf1_32", 100, signature(s.rsa_pss_rsae_sha256, "rsa"));
wycheproof("rsa_pss_2048_sha384_mgf1_48", 100, signature(s.rsa_pss_rsae_sha384, "rsa"));
wycheproof("rsa_pss_4096_sha512_mgf1_64", 100, signature(s.rsa_pss_rsae_sha512, "rsa"));
