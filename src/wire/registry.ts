/** IANA numbers of TLS and of the extensions that we speak. Frozen, so that a device keeps them in flash. */

/** TLS ContentType, RFC 8446 B.1. */
export const contentType = Object.freeze({
  change_cipher_spec: 20,
  alert: 21,
  handshake: 22,
  application_data: 23,
});

/** TLS HandshakeType, RFC 8446 B.3 and RFC 6066 section 8. */
export const handshakeType = Object.freeze({
  hello_request: 0,
  client_hello: 1,
  server_hello: 2,
  new_session_ticket: 4,
  encrypted_extensions: 8,
  certificate: 11,
  server_key_exchange: 12,
  certificate_request: 13,
  server_hello_done: 14,
  certificate_verify: 15,
  client_key_exchange: 16,
  finished: 20,
  certificate_status: 22,
  key_update: 24,
  message_hash: 254,
});

/** ProtocolVersion, RFC 8446 4.2.1. */
export const version = Object.freeze({ tls12: 0x0303, tls13: 0x0304 });

/** TLS alerts, RFC 8446 B.2, RFC 6066 section 9 (111 to 114), RFC 7301 (120), RFC 7507 (86). */
export const alert = Object.freeze({
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  record_overflow: 22,
  handshake_failure: 40,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  inappropriate_fallback: 86,
  user_canceled: 90,
  no_renegotiation: 100,
  missing_extension: 109,
  unsupported_extension: 110,
  unrecognized_name: 112,
  bad_certificate_status_response: 113,
  certificate_required: 116,
  no_application_protocol: 120,
});

/** TLS ExtensionType. */
export const extensionType = Object.freeze({
  server_name: 0,
  max_fragment_length: 1,
  trusted_ca_keys: 3,
  status_request: 5,
  supported_groups: 10,
  ec_point_formats: 11,
  signature_algorithms: 13,
  application_layer_protocol_negotiation: 16,
  status_request_v2: 17,
  extended_master_secret: 23,
  record_size_limit: 28,
  session_ticket: 35,
  pre_shared_key: 41,
  early_data: 42,
  supported_versions: 43,
  cookie: 44,
  psk_key_exchange_modes: 45,
  certificate_authorities: 47,
  oid_filters: 48,
  signature_algorithms_cert: 50,
  key_share: 51,
  renegotiation_info: 0xff01,
});

/** IdentifierType of TrustedAuthority, RFC 6066 section 6. */
export const identifierType = Object.freeze({
  pre_agreed: 0,
  key_sha1_hash: 1,
  x509_name: 2,
  cert_sha1_hash: 3,
});

/** CertificateStatusType, RFC 6066 section 8 and RFC 6961 2.2. */
export const statusType = Object.freeze({ ocsp: 1, ocsp_multi: 2 });

/** TLS NamedGroup. */
export const namedGroup = Object.freeze({
  secp256r1: 23,
  secp384r1: 24,
  secp521r1: 25,
  x25519: 29,
  x448: 30,
  x25519mlkem768: 0x11ec,
});

/** TLS SignatureScheme, RFC 8446 4.2.3. In certificates the ECDSA ones name the hash only, as in TLS 1.2. */
export const signatureScheme = Object.freeze({
  rsa_pkcs1_sha256: 0x0401,
  rsa_pkcs1_sha384: 0x0501,
  rsa_pkcs1_sha512: 0x0601,
  ecdsa_secp256r1_sha256: 0x0403,
  ecdsa_secp384r1_sha384: 0x0503,
  ecdsa_secp521r1_sha512: 0x0603,
  rsa_pss_rsae_sha256: 0x0804,
  rsa_pss_rsae_sha384: 0x0805,
  rsa_pss_rsae_sha512: 0x0806,
  ed25519: 0x0807,
  ed448: 0x0808,
});

/** TLS CipherSuite values that we speak: AEAD and forward secret only. */
export const cipherSuite = Object.freeze({
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 0xc02b,
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 0xc02c,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 0xc02f,
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 0xc030,
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca8,
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca9,
});

/** The name of a registry's number, for messages and traces; `undefined` when the table has none. */
export function nameOf(table: Readonly<Record<string, number>>, value: number): string | undefined {
  return Object.keys(table).find((name) => table[name] === value);
}
