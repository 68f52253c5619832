/** Project Wycheproof's vectors through every provider: those of test/vectors/wycheproof, see wycheproof.ts there. */

import { readFileSync } from "node:fs";
import test, { type ExecutionContext } from "ava";
import type { AeadAlgorithm, HashAlgorithm, KeyKind } from "../../src/crypto/provider.js";
import { namedGroup, signatureScheme } from "../../src/wire/registry.js";
import { agree, hex, mac, open, type Subject, seal, subjects, toHex, verifies } from "./providers.js";

const directory = new URL("../../../test/vectors/wycheproof/", import.meta.url);

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

/** How many of a file's vectors are run; `acceptable` says what we make of those that one may take or refuse. */
function wycheproof(
  file: string,
  expected: number,
  run: Run,
  acceptable: (vector: Vector) => boolean = () => false,
) {
  const { testGroups }: { testGroups: Group[] } = JSON.parse(
    readFileSync(new URL(`${file}.json`, directory), "utf8"),
  );
  for (const subject of subjects) {
    if (!testGroups.every((group) => takes(subject, group)) || subject.lacks?.includes(groupOf(file)))
      continue;
    test(`${subject.provider.name}: Wycheproof ${file}`, (t) => {
      t.is(
        testGroups.reduce((sum, group) => sum + runGroup(t, subject, group), 0),
        expected,
      );
    });
  }

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

/** The group that a file is about, if it is one that some providers lack. */
const groupOf = (file: string) => (file === "x448" ? namedGroup.x448 : 0);

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

const pointSize = { p256: 65, p384: 97, p521: 133, ed25519: 32, ed448: 57 };

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

wycheproof("aes_gcm", 133, aead({ 128: "aes-128-gcm", 256: "aes-256-gcm" }));
wycheproof("chacha20_poly1305", 172, aead({ 256: "chacha20-poly1305" }));
wycheproof("hmac_sha1", 40, hmac("sha1"));
wycheproof("hmac_sha256", 174, hmac("sha256"));
wycheproof("hmac_sha384", 40, hmac("sha384"));
wycheproof("hmac_sha512", 40, hmac("sha512"));
// X25519 takes points of the twist and unreduced ones, RFC 7748 section 5, but not a zero secret, 6.1
wycheproof("x25519", 518, exchange(g.x25519, 32), ({ flags }) => !flags.includes("ZeroSharedSecret"));
wycheproof("ecdh_secp256r1_ecpoint", 355, exchange(g.secp256r1, 32));
wycheproof("ecdh_secp384r1_ecpoint", 153, exchange(g.secp384r1, 48));
wycheproof("ecdsa_secp256r1_sha256", 484, signature(s.ecdsa_secp256r1_sha256, "p256"));
wycheproof("ecdsa_secp256r1_sha512", 121, signature(s.ecdsa_secp521r1_sha512, "p256"));
wycheproof("ecdsa_secp384r1_sha256", 118, signature(s.ecdsa_secp256r1_sha256, "p384"));
wycheproof("ecdsa_secp384r1_sha384", 504, signature(s.ecdsa_secp384r1_sha384, "p384"));
wycheproof("ecdsa_secp384r1_sha512", 120, signature(s.ecdsa_secp521r1_sha512, "p384"));
wycheproof("ecdh_secp521r1_ecpoint", 167, exchange(g.secp521r1, 66));
// X448 takes points of the twist and unreduced ones, RFC 7748 section 5, but not a zero secret, 6.2
wycheproof("x448", 133, exchange(g.x448, 56), ({ flags }) => !flags.includes("ZeroSharedSecret"));
wycheproof("ecdsa_secp521r1_sha512", 210, signature(s.ecdsa_secp521r1_sha512, "p521"));
wycheproof("ed448", 87, signature(s.ed448, "ed448"));
wycheproof("ed25519", 151, signature(s.ed25519, "ed25519"));
wycheproof("rsa_signature_2048_sha256", 259, signature(s.rsa_pkcs1_sha256, "rsa"));
wycheproof("rsa_signature_2048_sha384", 71, signature(s.rsa_pkcs1_sha384, "rsa"));
wycheproof("rsa_signature_2048_sha512", 72, signature(s.rsa_pkcs1_sha512, "rsa"));
wycheproof("rsa_signature_3072_sha256", 32, signature(s.rsa_pkcs1_sha256, "rsa"));
wycheproof("rsa_signature_3072_sha384", 31, signature(s.rsa_pkcs1_sha384, "rsa"));
wycheproof("rsa_signature_3072_sha512", 32, signature(s.rsa_pkcs1_sha512, "rsa"));
wycheproof("rsa_signature_4096_sha256", 31, signature(s.rsa_pkcs1_sha256, "rsa"));
wycheproof("rsa_signature_4096_sha384", 31, signature(s.rsa_pkcs1_sha384, "rsa"));
wycheproof("rsa_signature_4096_sha512", 31, signature(s.rsa_pkcs1_sha512, "rsa"));
wycheproof("rsa_signature_8192_sha256", 12, signature(s.rsa_pkcs1_sha256, "rsa"));
wycheproof("rsa_pss_2048_sha256_mgf1_32", 108, signature(s.rsa_pss_rsae_sha256, "rsa"));
wycheproof("rsa_pss_3072_sha256_mgf1_32", 30, signature(s.rsa_pss_rsae_sha256, "rsa"));
wycheproof("rsa_pss_2048_sha384_mgf1_48", 31, signature(s.rsa_pss_rsae_sha384, "rsa"));
wycheproof("rsa_pss_4096_sha512_mgf1_64", 13, signature(s.rsa_pss_rsae_sha512, "rsa"));
