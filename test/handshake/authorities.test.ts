import { createHash, X509Certificate } from "node:crypto";
import test from "ava";
import { credential } from "../../certs/fixtures.js";
import { provider } from "../../hosts/node/provider.js";
import { trustAnchor } from "../../src/client/index.js";
import {
  identify,
  isSameAuthority,
  readCertificateAuthorities,
  readTrustedCaKeys,
  writeCertificateAuthorities,
  writeTrustedCaKeys,
} from "../../src/handshake/authorities.js";
import { isFault } from "../../src/wire/fault.js";
import { Reader } from "../../src/wire/reader.js";
import { identifierType as type } from "../../src/wire/registry.js";
import { Writer } from "../../src/wire/writer.js";
import { Random, times } from "../fuzz/random.js";
import { concat, u8, vec16 } from "../peers/bytes.js";

const roots = (["p256", "rsa"] as const).map((edition) => credential(edition, "root").chain[0]);
const [p256, rsa] = roots.map((der) => trustAnchor(der));
const sha1 = (bytes: Uint8Array) => createHash("sha1").update(bytes).digest();

test("a CA is named by its name, its certificate's hash, its key's hash", (t) => {
  const identifier = (anchor: typeof p256, by: number) =>
    Buffer.from(identify(provider, anchor, by).identifier);
  for (const [i, anchor] of [p256, rsa].entries()) {
    t.deepEqual(identifier(anchor, type.cert_sha1_hash), sha1(roots[i]));
    t.deepEqual(
      identifier(anchor, type.x509_name),
      Buffer.from(roots[i].subarray(anchor.nameStart, anchor.nameEnd)),
    );
    t.is(identifier(anchor, type.pre_agreed).length, 0);
  }
  // RFC 6066 section 6: of ECDSA keys the subjectPublicKey, of RSA's the modulus without leading zeros
  const { key } = p256;
  t.deepEqual(identifier(p256, type.key_sha1_hash), sha1(key.bytes.subarray(key.start, key.end)));
  const { n } = new X509Certificate(roots[1]).publicKey.export({ format: "jwk" });
  t.deepEqual(identifier(rsa, type.key_sha1_hash), sha1(Buffer.from(n!, "base64url")));
});

test("both are the same only by the same type and the same bytes, and by something", (t) => {
  const types = [type.pre_agreed, type.key_sha1_hash, type.cert_sha1_hash];
  const all = [p256, rsa].flatMap((anchor) => types.map((by) => identify(provider, anchor, by)));
  for (const [i, one] of all.entries())
    for (const [j, other] of all.entries())
      t.is(isSameAuthority(one, other), i === j && one.type !== type.pre_agreed, `${i} ${j}`);
});

const written = (write: (w: Writer) => void) => {
  const w = new Writer(new Uint8Array(4096));
  write(w);
  return w.bytes.subarray(0, w.at);
};

test("both roots have the same name", (t) => {
  const [one, other] = [p256, rsa].map((anchor) => identify(provider, anchor, type.x509_name));
  t.true(isSameAuthority(one, other));
});

test("what is written is read again", (t) => {
  const named = Object.values(type).map((by) => identify(provider, p256, by));
  const keys = written((w) => writeTrustedCaKeys(w, named));
  t.deepEqual(
    readTrustedCaKeys(new Reader(keys)).map((each) => ({ ...each })),
    named.map((each) => ({ ...each })),
  );
  const names = [p256, rsa].map((anchor) => identify(provider, anchor, type.x509_name));
  const list = written((w) => writeCertificateAuthorities(w, names));
  t.deepEqual(
    readCertificateAuthorities(new Reader(list)).map((each) => ({ ...each })),
    names.map((each) => ({ ...each })),
  );
});

test("no more than 64 are kept of a list, which must be whole all the same", (t) => {
  const names = (n: number) => Array.from({ length: n }, (_, i) => vec16(u8(i)));
  t.is(readCertificateAuthorities(new Reader(vec16(...names(200)))).length, 64);
  t.is(readTrustedCaKeys(new Reader(vec16(...names(200).map((name) => concat(u8(2), name))))).length, 64);
  t.throws(() => readCertificateAuthorities(new Reader(vec16(...names(200), u8(0)))), { any: true });
  t.is(readTrustedCaKeys(new Reader(vec16())).length, 0, "RFC 6066: there may be none");
});

test("whatever comes is read or a fault", (t) => {
  const random = new Random(t);
  const good = written((w) =>
    writeTrustedCaKeys(
      w,
      Object.values(type).map((by) => identify(provider, p256, by)),
    ),
  );
  for (let i = 0; i < times(2000); i++) {
    const bytes = Uint8Array.from(
      good.subarray(0, random.below(2) ? good.length : random.below(good.length)),
    );
    for (let n = random.below(4); n > 0 && bytes.length > 0; n--)
      bytes[random.below(bytes.length)] = random.below(256);
    for (const read of [readTrustedCaKeys, readCertificateAuthorities]) {
      try {
        const r = new Reader(bytes);
        read(r);
        t.true(r.at <= bytes.length);
      } catch (thrown) {
        t.true(isFault(thrown), String(thrown));
      }
    }
  }
});
