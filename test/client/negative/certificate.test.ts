import test from "ava";
import { fixture, NOW } from "../../../certs/fixtures.js";
import type { Path } from "../../../src/client/index.js";
import {
  cipherSuite as c,
  extensionType as ext,
  namedGroup as g,
  handshakeType as hs,
  signatureScheme as s,
} from "../../../src/wire/registry.js";
import { named } from "../../faults.js";
import { concat, flip, none, u8, u16, u24, vec8, vec16 } from "../../peers/bytes.js";
import { identity, servers } from "../../peers/identity.js";
import { certificateStatus, extension, message } from "../../peers/messages.js";
import { edit, steps } from "../../peers/script.js";
import { Link } from "../link.js";
import {
  add,
  after,
  alpn,
  before,
  body,
  bothVersions,
  cases,
  flipped,
  handshake,
  longer,
  plan,
  request,
  set,
  shorter,
  tls12,
  tls13,
  twice,
} from "./cases.js";

/** Certificates, staples and signatures that break a rule. What is inside certificates and staples is tested in test/pki. */

// Certificate

const [leaf, intermediate] = servers.p256.chain;

bothVersions({
  "no certificate": { script: { chain: [] }, fault: "NO_PEER_CERT" },
  "an empty certificate": { script: { chain: [none] }, fault: "DECODE_ERROR" },
  "a certificate that is none": { script: { chain: [Buffer.from("garbage")] }, fault: "CERT_MALFORMED" },
  "a certificate cut short": {
    script: { chain: [leaf.subarray(0, -1), intermediate] },
    fault: "CERT_MALFORMED",
  },
  "no Certificate message": { script: plan(edit.without("certificate")), fault: "UNEXPECTED_MESSAGE" },
  "two Certificate messages": { script: plan(edit.twice("certificate")), fault: "UNEXPECTED_MESSAGE" },
  "a Certificate message with a byte too many": { script: longer(hs.certificate), fault: "DECODE_ERROR" },
  "a Certificate message cut short": { script: shorter(hs.certificate), fault: "DECODE_ERROR" },
  "an empty Certificate message": { script: body(hs.certificate, () => none), fault: "DECODE_ERROR" },
  "a certificate list shorter than its message says": {
    script: body(hs.certificate, (bytes) =>
      flip(bytes, bytes.indexOf(intermediate) - 3 - leaf.length - 3 - 1),
    ),
    fault: "DECODE_ERROR",
  },
  "the intermediate left out": { script: { chain: [leaf] }, fault: "CERT_UNKNOWN_ISSUER" },
  "a root that nobody trusts": { options: { trust: [] }, fault: "CERT_UNKNOWN_ISSUER" },
  "another name": { options: { serverName: "example.com" }, fault: "CERT_NAME_MISMATCH" },
  "another address": { options: { serverName: "127.0.0.2" }, fault: "CERT_IP_MISMATCH" },
  "a certificate from the past": { options: { clock: () => NOW + 50 * 365 * 86_400 }, fault: "CERT_EXPIRED" },
  "a clock that was never set": { options: { clock: () => undefined }, fault: "NO_CLOCK" },
  "a clock that says 1970": { options: { clock: () => 0 }, fault: "NO_CLOCK" },
  "a clock that says nothing": { options: { clock: () => Number.NaN }, fault: "NO_CLOCK" },
});

// What is ignored of a list is bounded, as it comes from anybody

const extra = Array.from({ length: 16 }, () => Buffer.alloc(4096));

bothVersions({
  "a certificate_list above 65,536 bytes": {
    script: { chain: [...servers.p256.chain, ...extra] },
    fault: "CERT_CHAIN_TOO_LONG",
  },
  "more than 64 certificates": {
    script: { chain: [...servers.p256.chain, ...Array<Buffer>(65 - servers.p256.chain.length).fill(u8(0))] },
    fault: "CERT_CHAIN_TOO_LONG",
  },
});

cases(tls12, {
  "a certificate_list of the longest length, of which nothing has come": {
    script: before("certificate", handshake(concat(u8(hs.certificate), u24(0xffffff), u24(0xfffffc)))),
    fault: "CERT_CHAIN_TOO_LONG",
  },
});

cases(tls13, {
  "a certificate_list of the longest length, of which nothing has come": {
    script: before("certificate", handshake(concat(u8(hs.certificate), u24(0xffffff), u8(0), u24(0xfffffb)))),
    fault: "CERT_CHAIN_TOO_LONG",
  },
});

for (const only of [tls12, tls13])
  test(`TLS ${only.toString(16)}: 64 certificates, of which 8 are kept`, (t) => {
    const chain = [...servers.p256.chain, ...Array<Buffer>(64 - servers.p256.chain.length).fill(u8(0))];
    let kept = 0;
    const onPath = ({ rows }: Path) => {
      kept = rows.length;
    };
    const { client } = new Link({ ...servers.p256, version: only, chain }, { onPath }).run();
    t.true(client.established, named(client.fault));
    t.is(kept, 8);
  });

cases(tls13, {
  "a certificate_request_context in the Certificate": {
    script: body(hs.certificate, (bytes) => concat(vec8(u8(1)), bytes.subarray(1))),
    fault: "ILLEGAL_PARAMETER",
  },
  "an unknown extension of a certificate": {
    script: add("certificate", extension(0x1234)),
    fault: "UNSUPPORTED_EXTENSION",
  },
  "ALPN as extension of a certificate": {
    script: add("certificate", extension(ext.application_layer_protocol_negotiation, alpn)),
    options: { alpn: ["h2"] },
    fault: "EXTENSION_NOT_ALLOWED",
  },
  "two staples for one certificate": {
    script: { staples: [fixture("good/p256/server1-ocsp.der")], ...twice("certificate", ext.status_request) },
    fault: "DUPLICATE_EXTENSION",
  },
  "a staple unasked": {
    script: add("certificate", extension(ext.status_request, certificateStatus(u8(1)))),
    options: { ocsp: { stapling: "off" } },
    fault: "UNSUPPORTED_EXTENSION",
  },
  "CertificateStatus as a message": {
    script: after("certificate", steps.message(message(hs.certificate_status, certificateStatus(u8(1))))),
    fault: "UNEXPECTED_MESSAGE",
  },
});

// Staples. What is inside them is the business of test/pki/ocsp.test.ts.

const good = fixture("good/p256/server1-ocsp.der");
const revoked = { ...identity("p256", "server2"), staples: [fixture("good/p256/server2-ocsp.der")] };
const mustStaple = identity("p256", "must-staple");

bothVersions({
  "a revoked certificate": { script: revoked, fault: "OCSP_CERT_REVOKED" },
  "a staple for another certificate": {
    script: { staples: [fixture("good/p256/server3-ocsp.der")] },
    fault: "OCSP_WRONG_CERT",
  },
  "a staple that is none": { script: { staples: [Buffer.from("garbage")] }, fault: "OCSP_MALFORMED" },
  "a staple of no bytes": {
    script: {
      staples: [good],
      ...set("certificate", ext.status_request, certificateStatus(none)),
      mutate: (type, bytes) =>
        type === hs.certificate_status ? message(hs.certificate_status, certificateStatus(none)) : bytes,
    },
    fault: "OCSP_MALFORMED",
  },
  "a staple from years ago": {
    script: { staples: [good] },
    options: { ocsp: { maxAge: 86_400 } },
    fault: "OCSP_EXPIRED",
  },
  "a staple without our nonce": {
    script: { staples: [good] },
    options: { ocsp: { nonce: true } },
    fault: "OCSP_NONCE",
  },
  "no staple where our policy requires one": {
    options: { ocsp: { policy: "leaf" } },
    fault: "OCSP_STAPLE_MISSING",
  },
  "no staple for the intermediate where our policy requires one": {
    script: { staples: [good] },
    options: { ocsp: { policy: "chain" } },
    fault: "OCSP_STAPLE_MISSING",
  },
  "no staple where the certificate requires one": { script: mustStaple, fault: "OCSP_STAPLE_MISSING" },
});

cases(tls13, {
  "a revoked intermediate": {
    script: {
      ...identity("p256", "server5"),
      staples: [fixture("good/p256/server5-ocsp.der"), fixture("good/p256/intermediate3-ocsp.der")],
    },
    fault: "OCSP_CERT_REVOKED",
  },
  "a bad staple for the intermediate": {
    script: { staples: [good, good] },
    fault: "OCSP_WRONG_CERT",
  },
});

cases(tls12, {
  "a status of unknown type": {
    script: { staples: [good], ...body(hs.certificate_status, (bytes) => concat(u8(2), bytes.subarray(1))) },
    fault: "OCSP_MALFORMED",
  },
  "a CertificateStatus with a byte too many": {
    script: { staples: [good], ...longer(hs.certificate_status) },
    fault: "DECODE_ERROR",
  },
  "a CertificateStatus that was not announced": {
    script: after("certificate", steps.message(message(hs.certificate_status, certificateStatus(good)))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "two CertificateStatus messages": {
    script: { staples: [good], ...plan(edit.twice("certificate_status")) },
    fault: "UNEXPECTED_MESSAGE",
  },
  "status_request unasked": {
    script: add("server_hello", extension(ext.status_request)),
    options: { ocsp: { stapling: "off" } },
    fault: "UNSUPPORTED_EXTENSION",
  },
  "status_request with contents in the ServerHello": {
    script: add("server_hello", extension(ext.status_request, certificateStatus(good))),
    fault: "DECODE_ERROR",
  },
  "a staple announced but not sent where our policy requires one": {
    script: { staples: [undefined] },
    options: { ocsp: { policy: "leaf" } },
    fault: "OCSP_STAPLE_MISSING",
  },
});

// CertificateVerify and ServerKeyExchange

const rsaKey = servers.rsa.key;

cases(tls13, {
  "a signature by another key": {
    script: { key: identity("p256", "server2").key },
    fault: "HANDSHAKE_SIGNATURE",
  },
  "a signature by a key of another kind": { script: { key: rsaKey }, fault: "SIGNATURE_SCHEME" },
  "a signature changed": { script: flipped(hs.certificate_verify, 30), fault: "HANDSHAKE_SIGNATURE" },
  "an empty signature": {
    script: body(hs.certificate_verify, (bytes) => concat(bytes.subarray(0, 2), vec16())),
    fault: "HANDSHAKE_SIGNATURE",
  },
  "a signature in the client's context": {
    script: { verifyContext: "TLS 1.3, client CertificateVerify" },
    fault: "HANDSHAKE_SIGNATURE",
  },
  "CertificateVerify with a byte too many": { script: longer(hs.certificate_verify), fault: "DECODE_ERROR" },
  "CertificateVerify cut short": { script: shorter(hs.certificate_verify), fault: "DECODE_ERROR" },
  "CertificateVerify left out": {
    script: plan(edit.without("certificate_verify")),
    fault: "UNEXPECTED_MESSAGE",
  },
  "CertificateVerify before the Certificate": {
    script: plan(edit.swap("certificate", "certificate_verify")),
    fault: "UNEXPECTED_MESSAGE",
  },
  "CertificateVerify twice": { script: plan(edit.twice("certificate_verify")), fault: "UNEXPECTED_MESSAGE" },
  "a scheme that was not offered": {
    script: { scheme: s.ecdsa_secp256r1_sha256 },
    options: { schemes: [s.ed25519] },
    fault: "CERT_SIGNATURE_ALGORITHM",
  },
  "ECDSA P-384 claimed for a P-256 key": {
    script: { claimedScheme: s.ecdsa_secp384r1_sha384 },
    fault: "SIGNATURE_SCHEME",
  },
  "SHA-384 with a P-256 key": { script: { scheme: s.ecdsa_secp384r1_sha384 }, fault: "SIGNATURE_SCHEME" },
  "SHA-512 with a P-256 key": { script: { scheme: s.ecdsa_secp521r1_sha512 }, fault: "SIGNATURE_SCHEME" },
  "SHA-512 with a P-384 key": {
    script: { ...identity("p256", "p384"), scheme: s.ecdsa_secp521r1_sha512 },
    options: { serverName: "p384.tlstaple.test" },
    fault: "SIGNATURE_SCHEME",
  },
  "Ed25519 claimed for a P-256 key": { script: { claimedScheme: s.ed25519 }, fault: "SIGNATURE_SCHEME" },
  "SHA-1 with ECDSA": { script: { scheme: 0x0203 }, fault: "SIGNATURE_SCHEME" },
  "SHA-1 with RSA": { script: { ...servers.rsa, scheme: 0x0201 }, fault: "SIGNATURE_SCHEME" },
  "PKCS#1 v1.5": { script: { ...servers.rsa, scheme: s.rsa_pkcs1_sha256 }, fault: "SIGNATURE_SCHEME" },
  "PSS claimed for PKCS#1 v1.5": {
    script: { ...servers.rsa, scheme: s.rsa_pkcs1_sha256, claimedScheme: s.rsa_pss_rsae_sha256 },
    fault: "HANDSHAKE_SIGNATURE",
  },
  "a scheme that nobody knows": { script: { claimedScheme: 0x1234 }, fault: "SIGNATURE_SCHEME" },
});

cases(tls12, {
  "a signature by another key": {
    script: { key: identity("p256", "server2").key },
    fault: "HANDSHAKE_SIGNATURE",
  },
  "a signature changed": { script: flipped(hs.server_key_exchange, -3), fault: "HANDSHAKE_SIGNATURE" },
  "an empty signature": {
    script: body(hs.server_key_exchange, (bytes) => concat(bytes.subarray(0, 4 + 32 + 2), vec16())),
    fault: "HANDSHAKE_SIGNATURE",
  },
  "another share than the one signed": {
    script: flipped(hs.server_key_exchange, 10),
    fault: "HANDSHAKE_SIGNATURE",
  },
  "explicit curve parameters": {
    script: { params: (params) => concat(u8(1), params.subarray(1)) },
    fault: "ILLEGAL_PARAMETER",
  },
  "a group that we did not offer": {
    script: { group: g.secp384r1 },
    options: { groups: [g.x25519, g.secp256r1] },
    fault: "KEY_SHARE",
  },
  "a group that nobody knows": {
    script: { params: (params) => concat(u8(3), u16(0x1234), params.subarray(3)) },
    fault: "KEY_SHARE",
  },
  "ServerKeyExchange with a byte too many": { script: longer(hs.server_key_exchange), fault: "DECODE_ERROR" },
  "ServerKeyExchange cut short": { script: shorter(hs.server_key_exchange), fault: "DECODE_ERROR" },
  "ServerKeyExchange left out": {
    script: plan(edit.without("server_key_exchange")),
    fault: "UNEXPECTED_MESSAGE",
  },
  "ServerKeyExchange twice": { script: plan(edit.twice("server_key_exchange")), fault: "UNEXPECTED_MESSAGE" },
  "ServerKeyExchange before the Certificate": {
    script: plan(edit.swap("certificate", "server_key_exchange")),
    fault: "UNEXPECTED_MESSAGE",
  },
  "SHA-1 with ECDSA": { script: { scheme: 0x0203 }, fault: "SIGNATURE_SCHEME" },
  "SHA-1 with RSA": { script: { ...servers.rsa, scheme: 0x0201 }, fault: "SIGNATURE_SCHEME" },
  "a scheme that nobody knows": { script: { claimedScheme: 0x1234 }, fault: "SIGNATURE_SCHEME" },
  "a scheme for another kind of key": { script: { claimedScheme: s.ed25519 }, fault: "SIGNATURE_SCHEME" },
  "RSA where the suite says ECDSA": {
    script: { ...servers.rsa, suite: c.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 },
    fault: "SIGNATURE_SCHEME",
  },
  "ECDSA where the suite says RSA": {
    script: { suite: c.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 },
    fault: "SIGNATURE_SCHEME",
  },
  "ServerHelloDone with contents": { script: longer(hs.server_hello_done), fault: "DECODE_ERROR" },
  "CertificateRequest without types": {
    script: { request, ...body(hs.certificate_request, (bytes) => concat(vec8(), bytes.subarray(3))) },
    fault: "DECODE_ERROR",
  },
  "CertificateRequest with no schemes": { script: { request: { schemes: [] } }, fault: "DECODE_ERROR" },
  "CertificateRequest with a byte too many": {
    script: { request, ...longer(hs.certificate_request) },
    fault: "DECODE_ERROR",
  },
  "CertificateRequest twice": {
    script: { request, ...plan(edit.twice("certificate_request")) },
    fault: "UNEXPECTED_MESSAGE",
  },
  "EncryptedExtensions in TLS 1.2": {
    script: before("certificate", steps.message(message(hs.encrypted_extensions, u16(0)))),
    fault: "UNEXPECTED_MESSAGE",
  },
});
