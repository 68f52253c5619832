/** The published vectors of every primitive, through every provider. */

import test from "ava";
import { groups } from "../../src/crypto/groups.js";
import type { HashAlgorithm } from "../../src/crypto/provider.js";
import { schemes } from "../../src/crypto/schemes.js";
import { namedGroup, signatureScheme } from "../../src/wire/registry.js";
import * as nist from "../vectors/nist.js";
import * as rfc from "../vectors/rfc.js";
import { retry, simple } from "../vectors/rfc8448.js";
import {
  agree,
  digest,
  hex,
  mac,
  open,
  publicKey,
  rsaPublicKey,
  seal,
  subjects,
  toHex,
  verifies,
} from "./providers.js";

for (const { provider, exchangeOf } of subjects) {
  const title = (text: string) => `${provider.name}: ${text}`;

  test(title("offers every group, scheme and AEAD"), (t) => {
    t.deepEqual(provider.groups, groups);
    // PSA Crypto of Mbed TLS has no Ed448
    const lacks: number[] = provider.name === "psa" ? [signatureScheme.ed448] : [];
    t.deepEqual(
      provider.schemes,
      schemes.map(({ id }) => id).filter((id) => !lacks.includes(id)),
    );
    t.deepEqual([...provider.aeads].sort(), ["aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"]);
    t.true(Object.isFrozen(provider));
  });

  test(title("hashes, FIPS 180-4"), (t) => {
    for (const row of rfc.hash) {
      const algorithm = row.algorithm as HashAlgorithm;
      t.is(digest(provider, algorithm), row.empty);
      t.is(digest(provider, algorithm, hex("61"), hex("6263")), row.abc);
    }
  });

  test(title("a digest may be taken on the way"), (t) => {
    const hash = provider.hash("sha256");
    const out = new Uint8Array(64);
    hash.digest(out, 0);
    hash.update(hex("616263"), 0, 3);
    hash.digest(out, 0);
    hash.digest(out, 32);
    t.is(toHex(out), rfc.hash[1].abc.repeat(2));
  });

  test(title("HMAC, RFC 4231 and RFC 2202"), (t) => {
    t.is(rfc.hmac.length, 24);
    for (const row of rfc.hmac) {
      t.is(mac(provider, row.algorithm as HashAlgorithm, hex(row.key), hex(row.data)), row.mac);
    }
  });

  test(title("HKDF made of HMAC, RFC 5869"), (t) => {
    for (const row of rfc.hkdf) {
      t.is(mac(provider, "sha256", hex(row.salt), hex(row.ikm)), row.prk);
      t.is(mac(provider, "sha256", hex(row.prk), hex(`${row.info}01`)), row.okm);
    }
  });

  test(title("AES-GCM, NIST"), (t) => {
    const refused = nist.gcm.filter((row) => row.plaintext === undefined).length;
    t.deepEqual([nist.gcm.length, refused], [30, 15]);
    for (const row of nist.gcm) {
      const algorithm = row.key.length === 32 ? "aes-128-gcm" : "aes-256-gcm";
      const box = { algorithm, key: hex(row.key), nonce: hex(row.nonce), aad: hex(row.aad) } as const;
      const sealed = row.ciphertext + row.tag;
      const { ok, bytes } = open(provider, box, hex(sealed));
      t.is(ok, row.plaintext !== undefined);
      if (row.plaintext === undefined) continue;
      t.is(toHex(bytes.subarray(0, 16)), row.plaintext);
      t.is(seal(provider, box, hex(row.plaintext)), sealed);
    }
  });

  test(title("ChaCha20-Poly1305, RFC 8439"), (t) => {
    const { key, nonce, aad, plaintext, ciphertext, tag } = rfc.chacha;
    const box = { algorithm: "chacha20-poly1305", key: hex(key), nonce: hex(nonce), aad: hex(aad) } as const;
    t.is(seal(provider, box, Buffer.from(plaintext)), ciphertext + tag);
    const { ok, bytes } = open(provider, box, hex(ciphertext + tag));
    t.true(ok);
    t.is(Buffer.from(bytes.subarray(0, -16)).toString(), plaintext);
  });

  test(title("a record of RFC 8448 opens"), (t) => {
    const record = hex(retry.record);
    const box = {
      algorithm: "aes-128-gcm",
      key: hex(retry.serverHandshakeKey),
      nonce: hex(retry.serverHandshakeIv),
      aad: record.subarray(0, 5),
    } as const;
    const { ok, bytes } = open(provider, box, record.subarray(5));
    const messages = retry.encryptedExtensions + retry.certificate + retry.certificateVerify + retry.finished;
    t.true(ok);
    t.is(toHex(bytes.subarray(0, -16)), `${messages}16`);
  });

  test(title("X25519, RFC 7748 and RFC 8448"), (t) => {
    for (const { privateKey, peer, shared } of rfc.x25519) {
      t.is(agree(exchangeOf(namedGroup.x25519, hex(privateKey)), hex(peer)), shared);
    }
    const client = exchangeOf(namedGroup.x25519, hex(simple.clientPrivate));
    t.is(toHex(publicKey(client)), simple.clientPublic);
    t.is(agree(client, hex(simple.serverPublic)), simple.shared);
  });

  test(title("X25519 a thousand times, RFC 7748"), (t) => {
    let k = hex(`09${"00".repeat(31)}`);
    let u = k;
    for (let i = 0; i < 1000; i++) {
      const next = hex(agree(exchangeOf(namedGroup.x25519, k), u));
      u = k;
      k = next;
    }
    t.is(toHex(k), rfc.x25519Thousand);
  });

  test(title("ECDH, RFC 5903 and RFC 8448"), (t) => {
    for (const row of rfc.ecdh) {
      const exchange = exchangeOf(namedGroup[row.group as "secp256r1"], hex(row.privateKey));
      t.is(toHex(publicKey(exchange)), row.publicKey);
      t.is(agree(exchange, hex(row.peer)), row.shared);
    }
    const server = exchangeOf(namedGroup.secp256r1, hex(retry.serverPrivate));
    t.is(toHex(publicKey(server)), retry.serverPublic);
    t.is(agree(server, hex(retry.clientPublic)), retry.shared);
  });

  const ecdsa = [
    ["p256", signatureScheme.ecdsa_secp256r1_sha256, nist.p256sha256],
    ["p384", signatureScheme.ecdsa_secp384r1_sha384, nist.p384sha384],
    ["p384", signatureScheme.ecdsa_secp256r1_sha256, nist.p384sha256],
  ] as const;

  for (const [kind, scheme, rows] of ecdsa) {
    test(title(`ECDSA, NIST, ${kind}, scheme ${scheme.toString(16)}`), (t) => {
      t.is(rows.length, 15);
      for (const row of rows) t.is(verifies(provider, { scheme, kind, ...signed(row) }), row.valid);
    });
  }

  test(title("Ed25519, RFC 8032"), (t) => {
    for (const row of rfc.ed25519) {
      t.true(verifies(provider, { scheme: signatureScheme.ed25519, kind: "ed25519", ...signed(row) }));
    }
  });

  test(title("RSASSA-PKCS1-v1_5, NIST"), (t) => {
    t.deepEqual([nist.rsa.length, nist.rsa.filter((row) => row.valid).length], [18, 3]);
    for (const row of nist.rsa) {
      const scheme = signatureScheme[`rsa_pkcs1_${row.algorithm as "sha256"}`];
      const key = toHex(rsaPublicKey(row.modulus, row.exponent));
      t.is(verifies(provider, { scheme, kind: "rsa", ...signed({ ...row, key }) }), row.valid);
    }
  });

  test(title("RSASSA-PSS: the CertificateVerify of RFC 8448 section 5"), (t) => {
    const scheme = signatureScheme.rsa_pss_rsae_sha256;
    // RFC 8446 4.4.3; the key stands at a known place in the certificate
    const content = Buffer.from(`${" ".repeat(64)}TLS 1.3, server CertificateVerify\0`);
    const message = Buffer.concat([content, hex(transcriptHash())]);
    const at = retry.certificate.indexOf("30818902818100");
    const key = hex(retry.certificate.slice(at, at + 2 * 140));
    const signature = hex(retry.certificateVerify).subarray(8);
    t.true(verifies(provider, { scheme, kind: "rsa", key, message, signature }));
    message[0] ^= 1;
    t.false(verifies(provider, { scheme, kind: "rsa", key, message, signature }));
  });

  /** Of ClientHello1 to Certificate, RFC 8446 4.4.1. */
  function transcriptHash(): string {
    const first = `fe000020${digest(provider, "sha256", hex(retry.clientHello1))}`;
    const { helloRetryRequest, clientHello2, serverHello, encryptedExtensions, certificate } = retry;
    const messages = [first, helloRetryRequest, clientHello2, serverHello];
    return digest(provider, "sha256", ...[...messages, encryptedExtensions, certificate].map(hex));
  }
}

function signed(row: { key: string; message: string; signature: string }) {
  return { key: hex(row.key), message: hex(row.message), signature: hex(row.signature) };
}
