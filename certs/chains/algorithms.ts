import {
  bits,
  children,
  contents,
  explicit,
  flipLastBit,
  integer,
  nil,
  octets,
  oid,
  sequence,
  tag,
  tlv,
} from "../der.js";
import { keyBits } from "../extensions.js";
import { type Algorithm, algorithms, type Key, pss, pssParameters } from "../keys.js";
import type { ChainMatrix, Differences } from "./matrix.js";

const ecdsa = algorithms["ecdsa-sha256"];
const trailer = (n: number) => explicit(3, integer(n));

/** Signs as one algorithm does, and says that it was another. */
const posing = (algorithm: Algorithm, identifier: Buffer): Algorithm => ({ ...algorithm, identifier });

/** Signature algorithms: RFC 5280 section 4.1.1.2, RFC 5758, RFC 4055, RFC 8410. */
export function algorithmCases(m: ChainMatrix): void {
  const leaf = (template: Differences) => [m.leaf(template), m.intermediate];
  const rsaLeaf = (template: Differences) => [
    m.leaf(template, m.rsa.intermediates[0]),
    m.rsa.intermediates[0],
  ];
  const refused = (id: string, description: string, algorithm: Algorithm) =>
    m.bad(id, "CERT_SIGNATURE_ALGORITHM", description, leaf({ algorithm }));
  const rsaRefused = (id: string, description: string, algorithm: Algorithm) =>
    m.bad(id, "CERT_SIGNATURE_ALGORITHM", description, rsaLeaf({ algorithm }), { anchors: [m.rsa.root] });

  m.bad(
    "algorithm-mismatch",
    "CERT_ALGORITHM_MISMATCH",
    "SHA-384 outside, SHA-256 inside",
    leaf({ outerAlgorithm: algorithms["ecdsa-sha384"].identifier }),
  );
  m.bad(
    "algorithm-mismatch-parameters",
    "CERT_ALGORITHM_MISMATCH",
    "a NULL parameter outside only",
    leaf({ outerAlgorithm: sequence(oid("1.2.840.10045.4.3.2"), nil) }),
  );
  refused("sha1-ecdsa", "ECDSA with SHA-1", algorithms["ecdsa-sha1"]);
  rsaRefused("sha1-rsa", "RSA with SHA-1", algorithms["rsa-sha1"]);
  rsaRefused("md5-rsa", "RSA with MD5", algorithms["rsa-md5"]);
  refused(
    "algorithm-unknown",
    "an algorithm that nobody knows",
    posing(ecdsa, sequence(oid("1.3.6.1.4.1.99999.2"))),
  );
  refused(
    "algorithm-of-other-key",
    "RSA is claimed, the issuer's key is ECDSA",
    posing(ecdsa, algorithms["rsa-sha256"].identifier),
  );
  refused(
    "ecdsa-null",
    "ECDSA with a NULL parameter",
    posing(ecdsa, sequence(oid("1.2.840.10045.4.3.2"), nil)),
  );
  refused(
    "ecdsa-sha512-null",
    "the same with SHA-512",
    posing(algorithms["ecdsa-sha512"], sequence(oid("1.2.840.10045.4.3.4"), nil)),
  );
  rsaRefused("pss-mask", "PSS with SHA-256 and MGF1 of SHA-1", pss("sha256", "sha1"));
  rsaRefused("pss-salt", "PSS with a salt of 20 bytes", pss("sha256", "sha256", 20));
  rsaRefused("pss-sha1", "PSS with SHA-1", pss("sha1"));
  const id = oid("1.2.840.113549.1.1.10");
  rsaRefused(
    "pss-default",
    "PSS with empty parameters: SHA-1",
    posing(pss("sha1"), sequence(id, sequence())),
  );
  m.bad(
    "pss-absent",
    "CERT_MALFORMED",
    "PSS without its parameters, which RFC 4055 section 3.1 demands",
    rsaLeaf({ algorithm: posing(pss("sha256"), sequence(id)) }),
    { anchors: [m.rsa.root] },
  );
  rsaRefused(
    "pss-trailer",
    "PSS with another trailer field",
    posing(pss("sha256"), sequence(id, sequence(...pssParameters("sha256", "sha256", 32), trailer(2)))),
  );
}

/** Signatures that do not verify or are malformed. */
export function signatureCases(m: ChainMatrix): void {
  const refused = (id: string, description: string, template: Differences) =>
    m.bad(id, "CERT_SIGNATURE", description, [m.leaf(template), m.intermediate]);
  refused("tampered-signature", "a bit of s is flipped", { bendSignature: flipLastBit });
  refused("tampered-serial", "a bit of the serial number is flipped after signing", { bend: flipSerial });
  refused("signature-zero", "r and s are zero", { bendSignature: () => sequence(integer(0), integer(0)) });
  refused("signature-empty", "the signature is empty", { bendSignature: () => Buffer.of() });
  refused("signature-trailing", "a byte after r and s", {
    bendSignature: (signature) => Buffer.concat([signature, Buffer.of(0)]),
  });
  refused("signature-of-other", "signed with another key", { algorithm: signedBy(m.otherKey) });
  const tampered = m.authority({ bend: flipSerial });
  m.bad(
    "tampered-intermediate",
    "CERT_SIGNATURE",
    "the issuer's serial number is tampered with",
    m.under(tampered),
  );
}

const signedBy = (key: Key): Algorithm => ({ ...ecdsa, sign: (_, data) => ecdsa.sign(key.secret, data) });

function flipSerial(der: Buffer): Buffer {
  const [tbs, ...signature] = children(der);
  const [version, serial, ...fields] = children(tbs);
  return sequence(sequence(version, flipLastBit(serial), ...fields), ...signature);
}

/** Public keys: RFC 5480, RFC 8017, and what this library knows. */
export function keyCases(m: ChainMatrix): void {
  const leaf = (id: string, description: string, key: Key, spki = key.spki) =>
    m.bad(id, "CERT_KEY", description, [
      m.leaf({ key, fields: { subjectPublicKeyInfo: spki } }),
      m.intermediate,
    ]);
  const { leafKey } = m;
  const ecKey = oid("1.2.840.10045.2.1");
  const p256 = sequence(ecKey, oid("1.2.840.10045.3.1.7"));
  const point = keyBits(leafKey.spki);
  const compressed = Buffer.concat([Buffer.of(2 + (point[64] & 1)), point.subarray(1, 33)]);
  const rsa = m.key("rsa2048", "rsa2048");
  const [modulus] = children(keyBits(rsa.spki));

  leaf("key-rsa1024", "an RSA key of 1024 bits", m.key("rsa1024", "rsa1024"));
  leaf("key-secp256k1", "a key on secp256k1", m.key("secp256k1", "secp256k1"));
  const p521 = m.key("p521", "p521");
  const point521 = keyBits(p521.spki);
  const on521 = (point: Buffer) => sequence(sequence(ecKey, oid("1.3.132.0.35")), bits(point));
  leaf("key-p521-short", "a point on P-521 that lacks a byte", p521, on521(point521.subarray(0, -1)));
  const odd521 = Buffer.concat([Buffer.of(2 + (point521[132] & 1)), point521.subarray(1, 67)]);
  leaf("key-p521-compressed", "a compressed point on P-521", p521, on521(odd521));
  leaf("key-p521-p384", "a point of P-384's size on P-521", p521, on521(point521.subarray(0, 97)));
  const ed448 = m.key("ed448", "ed448");
  const short448 = sequence(sequence(oid("1.3.101.113")), bits(keyBits(ed448.spki).subarray(1)));
  leaf("key-ed448-short", "an Ed448 key of 56 octets", ed448, short448);
  leaf("key-compressed", "a compressed point", leafKey, sequence(p256, bits(compressed)));
  const hybrid = Buffer.concat([Buffer.of(6 + (point[64] & 1)), point.subarray(1)]);
  leaf("key-hybrid", "a hybrid point", leafKey, sequence(p256, bits(hybrid)));
  leaf("key-point-short", "a point that lacks a byte", leafKey, sequence(p256, bits(point.subarray(0, -1))));
  leaf(
    "key-curve-explicit",
    "the curve's parameters instead of its name",
    leafKey,
    sequence(sequence(ecKey, explicitP256()), bits(point)),
  );
  m.bad("key-curve-absent", "CERT_MALFORMED", "no curve at all, which RFC 5480 section 2.1.1 demands", [
    m.leaf({ fields: { subjectPublicKeyInfo: sequence(sequence(ecKey), bits(point)) } }),
    m.intermediate,
  ]);
  const negative = tlv(tag.integer, contents(modulus).subarray(1));
  leaf("key-modulus-negative", "an RSA modulus without its sign", rsa, rsaSpki(negative, integer(65537)));
  leaf("key-exponent-even", "an RSA key with exponent 65536", rsa, rsaSpki(modulus, integer(65536)));
  leaf("key-exponent-1", "an RSA key with exponent 1", rsa, rsaSpki(modulus, integer(1)));
  leaf(
    "key-pss-only",
    "an RSA key for PSS only (rsa_pss_pss is not offered)",
    rsa,
    sequence(sequence(oid("1.2.840.113549.1.1.10")), bits(keyBits(rsa.spki))),
  );
  leaf(
    "key-unknown",
    "a key of a kind that nobody knows",
    leafKey,
    sequence(sequence(oid("1.3.6.1.4.1.99999.3")), bits(point)),
  );

  const small = m.key("rsa1024", "rsa1024");
  m.bad(
    "key-issuer-rsa1024",
    "CERT_KEY",
    "the issuer's RSA key has 1024 bits",
    m.under(m.authority({ key: small })),
  );
  m.bad(
    "key-issuer-secp256k1",
    "CERT_KEY",
    "the issuer's key is on secp256k1, and signs with SHA-512",
    m.under(m.authority({ key: m.key("secp256k1", "secp256k1") }), { algorithm: algorithms["ecdsa-sha512"] }),
  );
  const off = Buffer.from(point);
  off[64] ^= 1;
  m.bad(
    "key-issuer-off-curve",
    "CERT_SIGNATURE",
    "the issuer's point is not on the curve, so that nothing verifies with it",
    m.under(m.authority({ fields: { subjectPublicKeyInfo: sequence(p256, bits(off)) } })),
  );
}

function rsaSpki(modulus: Buffer, exponent: Buffer): Buffer {
  return sequence(sequence(oid("1.2.840.113549.1.1.1"), nil), bits(sequence(modulus, exponent)));
}

/** ECParameters of P-256 as specifiedCurve, SEC 1 appendix C.2; RFC 5480 allows the named curve only. */
function explicitP256(): Buffer {
  const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
  const field = (n: bigint) => Buffer.from(n.toString(16).padStart(64, "0"), "hex");
  const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
  const gx = 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n;
  const gy = 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n;
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  return sequence(
    integer(1),
    sequence(oid("1.2.840.10045.1.1"), integer(p)),
    sequence(octets(field(p - 3n)), octets(field(b))),
    octets(Buffer.of(4), field(gx), field(gy)),
    integer(order),
    integer(1),
  );
}

/** Algorithms and keys that are good. */
export function goodAlgorithmCases(m: ChainMatrix): void {
  const signed = (id: string, description: string, algorithm: Algorithm) =>
    m.good(id, description, [m.leaf({ algorithm }), m.intermediate]);
  const rsaIssuer = m.rsa.intermediates[0];
  const rsaSigned = (id: string, description: string, algorithm: Algorithm) =>
    m.good(id, description, [m.leaf({ algorithm }, rsaIssuer), rsaIssuer], { anchors: [m.rsa.root] });
  signed("ecdsa-p256-sha512", "a P-256 key signs with SHA-512", algorithms["ecdsa-sha512"]);
  signed("ecdsa-p256-sha384", "a P-256 key signs with SHA-384", algorithms["ecdsa-sha384"]);
  for (const name of [
    "rsa-sha256",
    "rsa-sha384",
    "rsa-sha512",
    "pss-sha256",
    "pss-sha384",
    "pss-sha512",
  ] as const) {
    rsaSigned(name, `signed with ${name}`, algorithms[name]);
  }
  const bare = sequence(oid("1.2.840.113549.1.1.11"));
  rsaSigned(
    "rsa-no-null",
    "RSA without its NULL parameter (RFC 4055 section 5)",
    posing(algorithms["rsa-sha256"], bare),
  );
  const issued = (key: Key) => m.under(m.authority({ key }));
  const p384 = m.authority({ key: m.key("p384", "p384") });
  m.good("issuer-p384", "the issuer's key is on P-384", m.under(p384));
  m.good("issuer-p384-sha256", "a P-384 key signs with SHA-256", m.under(p384, { algorithm: ecdsa }));
  const sha512 = { algorithm: algorithms["ecdsa-sha512"] };
  m.good("issuer-p384-sha512", "a P-384 key signs with SHA-512", m.under(p384, sha512));
  m.good("issuer-ed25519", "the issuer's key is Ed25519", issued(m.key("ed25519", "ed25519")));
  const p521 = m.authority({ key: m.key("p521", "p521") });
  m.good("issuer-p521", "the issuer's key is on P-521, and signs with SHA-512", m.under(p521, sha512));
  m.good("issuer-p521-sha256", "a P-521 key signs with SHA-256", m.under(p521, { algorithm: ecdsa }));
  m.good("issuer-ed448", "the issuer's key is Ed448", issued(m.key("ed448", "ed448")));
  m.good("issuer-rsa3072", "the issuer's key is RSA-3072", issued(m.key("rsa3072", "rsa3072")));
  m.good("leaf-rsa", "an RSA leaf under an ECDSA CA", [
    m.leaf({ key: m.key("rsa2048", "rsa2048") }),
    m.intermediate,
  ]);
}
