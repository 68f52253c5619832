import {
  cipherSuite as c,
  extensionType as ext,
  namedGroup as g,
  handshakeType as hs,
  signatureScheme as s,
} from "../../../src/wire/registry.js";
import { concat, flip, none, u8, u16, vec8, vec16, vec24 } from "../../peers/bytes.js";
import { extension, message, sentinel } from "../../peers/messages.js";
import { edit, steps } from "../../peers/script.js";
import {
  add,
  after,
  before,
  body,
  bothVersions,
  cases,
  change,
  changeCipherSpec,
  drop,
  longer,
  plan,
  request,
  retry,
  set,
  shorter,
  tls12,
  tls13,
  twice,
} from "./cases.js";

/** ServerHello, HelloRetryRequest and key shares that break a rule. */

// ServerHello

bothVersions({
  "legacy_version of TLS 1.0": { script: { hello: { legacyVersion: 0x0301 } }, fault: "PROTOCOL_VERSION" },
  "legacy_version of SSL 3": { script: { hello: { legacyVersion: 0x0300 } }, fault: "PROTOCOL_VERSION" },
  "legacy_version of TLS 1.1": { script: { hello: { legacyVersion: 0x0302 } }, fault: "PROTOCOL_VERSION" },
  "legacy_version of TLS 1.3": { script: { hello: { legacyVersion: 0x0304 } }, fault: "PROTOCOL_VERSION" },
  "a session id of 33 bytes": { script: { hello: { sessionId: Buffer.alloc(33) } }, fault: "DECODE_ERROR" },
  compression: { script: { hello: { compression: 1 } }, fault: "ILLEGAL_PARAMETER" },
  "a suite that nobody knows": { script: { hello: { suite: 0x1399 } }, fault: "CIPHER_SUITE" },
  "the renegotiation SCSV as suite": { script: { hello: { suite: 0x00ff } }, fault: "CIPHER_SUITE" },
  "a ServerHello with a byte too many": { script: longer(hs.server_hello), fault: "DECODE_ERROR" },
  "a ServerHello cut short": { script: shorter(hs.server_hello), fault: "DECODE_ERROR" },
  "an empty ServerHello": { script: body(hs.server_hello, () => none), fault: "DECODE_ERROR" },
  "another message before the ServerHello": {
    script: before("server_hello", steps.message(message(hs.certificate, vec24()))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a ClientHello from the server": {
    script: before("server_hello", steps.message(message(hs.client_hello, Buffer.alloc(40)))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a message of unknown type": {
    script: before("certificate", steps.message(message(99, u8(0)))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a ServerHello twice": {
    script: after("server_hello", { name: "again", run: (p) => p.send(p.transcript[1]) }),
    fault: "UNEXPECTED_MESSAGE",
  },
});

cases(tls13, {
  "another session id": { script: { hello: { sessionId: Buffer.alloc(32) } }, fault: "ILLEGAL_PARAMETER" },
  "no session id": { script: { hello: { sessionId: none } }, fault: "ILLEGAL_PARAMETER" },
  "a suite that was not offered": {
    script: { suite: c.TLS_AES_256_GCM_SHA384 },
    options: { suites: [c.TLS_AES_128_GCM_SHA256] },
    fault: "CIPHER_SUITE",
  },
  "a suite of TLS 1.2": {
    script: { hello: { suite: c.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 } },
    fault: "CIPHER_SUITE",
  },
  "selected version 1.2": {
    script: set("server_hello", ext.supported_versions, u16(tls12)),
    fault: "CIPHER_SUITE",
  },
  "selected version of the future": {
    script: set("server_hello", ext.supported_versions, u16(0x0305)),
    fault: "PROTOCOL_VERSION",
  },
  "a version that was not offered": {
    script: { suite: c.TLS_AES_128_GCM_SHA256 },
    options: { maxVersion: tls12 },
    fault: "PROTOCOL_VERSION",
  },
  "no supported_versions": {
    script: drop("server_hello", ext.supported_versions),
    fault: "CIPHER_SUITE",
  },
  "supported_versions twice": {
    script: twice("server_hello", ext.supported_versions),
    fault: "DUPLICATE_EXTENSION",
  },
  "supported_versions with a byte too many": {
    script: set("server_hello", ext.supported_versions, Buffer.from([3, 4, 0])),
    fault: "DECODE_ERROR",
  },
  "no key_share": { script: drop("server_hello", ext.key_share), fault: "MISSING_EXTENSION" },
  "key_share twice": { script: twice("server_hello", ext.key_share), fault: "DUPLICATE_EXTENSION" },
  "a share for a group that we offered, but sent no share for": {
    script: { group: g.secp256r1 },
    fault: "KEY_SHARE",
  },
  "a share for a group that we did not offer": {
    script: { group: g.secp256r1 },
    options: { groups: [g.x25519] },
    fault: "KEY_SHARE",
  },
  "a share for a group that nobody knows": {
    script: change("server_hello", ext.key_share, (share) => concat(u16(0x1234), share.subarray(2))),
    fault: "KEY_SHARE",
  },
  "an extension of EncryptedExtensions in the ServerHello": {
    script: add("server_hello", extension(ext.server_name)),
    fault: "EXTENSION_NOT_ALLOWED",
  },
  "an extension of TLS 1.2 in the ServerHello": {
    script: add("server_hello", extension(ext.extended_master_secret)),
    fault: "EXTENSION_NOT_ALLOWED",
  },
  "an unknown extension in the ServerHello": {
    script: add("server_hello", extension(0x1234)),
    fault: "UNSUPPORTED_EXTENSION",
  },
  "pre_shared_key, which was not offered": {
    script: add("server_hello", extension(41, u16(0))),
    fault: "UNSUPPORTED_EXTENSION",
  },
  "cookie in the ServerHello": {
    script: add("server_hello", extension(ext.cookie, vec16(u8(1)))),
    fault: "UNSUPPORTED_EXTENSION",
  },
});

cases(tls12, {
  "the sentinel of a server that speaks TLS 1.3": {
    script: { hello: { random: concat(Buffer.alloc(24, 1), sentinel.to12) } },
    fault: "DOWNGRADE",
  },
  "the sentinel of a server that speaks TLS 1.2": {
    script: { hello: { random: concat(Buffer.alloc(24, 1), sentinel.to11) } },
    fault: "DOWNGRADE",
  },
  "TLS 1.2 where TLS 1.3 is required": {
    options: { minVersion: tls13 },
    script: {
      group: g.x25519,
      suite: c.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
      scheme: s.ecdsa_secp256r1_sha256,
    },
    fault: "PROTOCOL_VERSION",
  },
  "a suite that was not offered": {
    script: { suite: c.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 },
    options: { suites: [c.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256] },
    fault: "CIPHER_SUITE",
  },
  "a suite of TLS 1.3": { script: { hello: { suite: c.TLS_AES_128_GCM_SHA256 } }, fault: "CIPHER_SUITE" },
  "a suite without forward secrecy": { script: { hello: { suite: 0x009c } }, fault: "CIPHER_SUITE" },
  "no extended_master_secret where it is required": {
    script: { ems: false },
    options: { requireEms: true },
    fault: "EMS_REQUIRED",
  },
  "extended_master_secret with contents": {
    script: set("server_hello", ext.extended_master_secret, u8(0)),
    fault: "DECODE_ERROR",
  },
  "renegotiation_info of a connection before": {
    script: set("server_hello", ext.renegotiation_info, vec8(Buffer.alloc(24))),
    fault: "RENEGOTIATION_INFO",
  },
  "renegotiation_info twice": {
    script: twice("server_hello", ext.renegotiation_info),
    fault: "DUPLICATE_EXTENSION",
  },
  "ec_point_formats without the uncompressed one": {
    script: set("server_hello", ext.ec_point_formats, vec8(u8(1))),
    fault: "ILLEGAL_PARAMETER",
  },
  "key_share in TLS 1.2": {
    script: add("server_hello", extension(ext.key_share, concat(u16(g.x25519), vec16(Buffer.alloc(32))))),
    fault: "EXTENSION_NOT_ALLOWED",
  },
  "session_ticket unasked": {
    script: add("server_hello", extension(ext.session_ticket)),
    fault: "UNSUPPORTED_EXTENSION",
  },
  "change_cipher_spec before the ServerHello": {
    script: before("server_hello", changeCipherSpec()),
    fault: "UNEXPECTED_MESSAGE",
  },
});

// HelloRetryRequest, RFC 8446 4.1.4

cases(tls13, {
  "a HelloRetryRequest that changes nothing": {
    script: { retry, ...drop("hello_retry_request", ext.key_share) },
    fault: "ILLEGAL_PARAMETER",
  },
  "a HelloRetryRequest for the group whose share we sent": {
    script: { retry: { group: g.x25519 } },
    fault: "ILLEGAL_PARAMETER",
  },
  "a HelloRetryRequest for a group that we did not offer": {
    script: { retry: { group: g.secp384r1 } },
    options: { groups: [g.x25519, g.secp256r1] },
    fault: "ILLEGAL_PARAMETER",
  },
  "a HelloRetryRequest for a group that nobody knows": {
    script: { retry, ...set("hello_retry_request", ext.key_share, u16(0x1234)) },
    fault: "ILLEGAL_PARAMETER",
  },
  "a HelloRetryRequest with a whole share": {
    script: { retry, ...set("hello_retry_request", ext.key_share, concat(u16(g.secp256r1), vec16(u8(1)))) },
    fault: "DECODE_ERROR",
  },
  "a HelloRetryRequest with an empty cookie": {
    script: { retry: { group: g.secp256r1, cookie: none } },
    fault: "DECODE_ERROR",
  },
  "a HelloRetryRequest with two cookies": {
    script: { retry: { cookie: u8(1) }, ...twice("hello_retry_request", ext.cookie) },
    fault: "DUPLICATE_EXTENSION",
  },
  "a HelloRetryRequest without supported_versions": {
    script: { retry, ...drop("hello_retry_request", ext.supported_versions) },
    fault: "CIPHER_SUITE",
  },
  "a HelloRetryRequest with an extension of another message": {
    script: { retry, ...add("hello_retry_request", extension(ext.server_name)) },
    fault: "EXTENSION_NOT_ALLOWED",
  },
  "a HelloRetryRequest with another session id": {
    script: { retry, retryHello: { sessionId: Buffer.alloc(32) } },
    fault: "ILLEGAL_PARAMETER",
  },
  "a HelloRetryRequest with a suite that was not offered": {
    script: { retry, retryHello: { suite: c.TLS_CHACHA20_POLY1305_SHA256 } },
    options: { suites: [c.TLS_AES_128_GCM_SHA256] },
    fault: "CIPHER_SUITE",
  },
  "two HelloRetryRequests": {
    script: {
      retry,
      ...plan(edit.after("second_client_hello", { name: "again", run: (p) => p.send(p.transcript[1]) })),
    },
    fault: "UNEXPECTED_MESSAGE",
  },
  "another suite than the HelloRetryRequest's": {
    script: { retry, hello: { suite: c.TLS_CHACHA20_POLY1305_SHA256 } },
    fault: "CIPHER_SUITE",
  },
  "another group than the HelloRetryRequest's": {
    script: {
      retry,
      ...change("server_hello", ext.key_share, (share) => concat(u16(g.x25519), share.subarray(2))),
    },
    fault: "KEY_SHARE",
  },
  "another version than the HelloRetryRequest's": {
    script: {
      retry,
      hello: { suite: c.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 },
      ...drop("server_hello", ext.supported_versions),
    },
    fault: "PROTOCOL_VERSION",
  },
});

// Key shares

const offCurve = (share: Buffer) => flip(share);
const compressed = (share: Buffer) => concat(u8(2 + (share[share.length - 1] & 1)), share.subarray(1, 33));
const shares: Record<string, [number, (share: Buffer) => Buffer]> = {
  "zero on X25519": [g.x25519, () => Buffer.alloc(32)],
  "of order 8 on X25519": [
    g.x25519,
    () => Buffer.from("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", "hex"),
  ],
  "with 31 bytes for X25519": [g.x25519, (share) => share.subarray(1)],
  "with 33 bytes for X25519": [g.x25519, (share) => concat(share, u8(0))],
  empty: [g.x25519, () => none],
  "off P-256": [g.secp256r1, offCurve],
  "off P-384": [g.secp384r1, offCurve],
  "compressed on P-256": [g.secp256r1, compressed],
  "infinity on P-256": [g.secp256r1, () => u8(0)],
  "with coordinates too large for P-256": [g.secp256r1, () => concat(u8(4), Buffer.alloc(64, 255))],
  "cut short on P-256": [g.secp256r1, (share) => share.subarray(0, -1)],
  "of zeros on P-384": [g.secp384r1, () => concat(u8(4), Buffer.alloc(96))],
  "longer than any": [g.x25519, () => Buffer.alloc(200, 4)],
};

for (const [what, [group, share]] of Object.entries(shares)) {
  bothVersions({
    [`a share ${what}`]: {
      script: { group, share },
      options: { groups: [...new Set([group, g.secp256r1])] },
      fault: "KEY_SHARE",
    },
  });
}

// EncryptedExtensions and CertificateRequest, RFC 8446 4.3

cases(tls13, {
  "EncryptedExtensions left out": {
    script: plan(edit.without("encrypted_extensions")),
    fault: "UNEXPECTED_MESSAGE",
  },
  "EncryptedExtensions twice": {
    script: plan(edit.twice("encrypted_extensions")),
    fault: "UNEXPECTED_MESSAGE",
  },
  "EncryptedExtensions with a byte too many": {
    script: longer(hs.encrypted_extensions),
    fault: "DECODE_ERROR",
  },
  "EncryptedExtensions without a list": {
    script: body(hs.encrypted_extensions, () => none),
    fault: "DECODE_ERROR",
  },
  "key_share in EncryptedExtensions": {
    script: add("encrypted_extensions", extension(ext.key_share, u16(g.x25519))),
    fault: "EXTENSION_NOT_ALLOWED",
  },
  "status_request in EncryptedExtensions": {
    script: add("encrypted_extensions", extension(ext.status_request)),
    fault: "EXTENSION_NOT_ALLOWED",
  },
  "extended_master_secret in EncryptedExtensions": {
    script: add("encrypted_extensions", extension(ext.extended_master_secret)),
    fault: "EXTENSION_NOT_ALLOWED",
  },
  "CertificateRequest without signature_algorithms": {
    script: drop("certificate_request", ext.signature_algorithms),
    fault: "MISSING_EXTENSION",
  },
  "CertificateRequest with no schemes": { script: { request: { schemes: [] } }, fault: "DECODE_ERROR" },
  "CertificateRequest with a context": {
    script: { request: { ...request, context: u8(1) } },
    fault: "ILLEGAL_PARAMETER",
  },
  "CertificateRequest with key_share": {
    script: add("certificate_request", extension(ext.key_share, u16(g.x25519))),
    fault: "EXTENSION_NOT_ALLOWED",
  },
  "CertificateRequest with signature_algorithms twice": {
    script: twice("certificate_request", ext.signature_algorithms),
    fault: "DUPLICATE_EXTENSION",
  },
  "CertificateRequest twice": {
    script: { request, ...plan(edit.twice("certificate_request")) },
    fault: "UNEXPECTED_MESSAGE",
  },
  "CertificateRequest behind the Certificate": {
    script: { request, ...plan(edit.swap("certificate_request", "certificate")) },
    fault: "UNEXPECTED_MESSAGE",
  },
  "CertificateRequest after the handshake": {
    script: { request },
    afterwards: (link) => {
      const list = vec16(u16(ext.signature_algorithms), vec16(vec16(u16(s.ed25519))));
      link.deliver(link.puppet.sendMessage(message(hs.certificate_request, vec8(u8(1)), list)));
    },
    fault: "UNEXPECTED_MESSAGE",
  },
});
