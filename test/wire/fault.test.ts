import { existsSync, readFileSync } from "node:fs";
import test from "ava";
import { alertName } from "../../src/wire/alerts.js";
import { crlWords } from "../../src/wire/crlwords.js";
import { TlsError, type Words } from "../../src/wire/error.js";
import {
  alertOf,
  commonName,
  type FaultName,
  faultName,
  faults,
  isCommon,
  isFault,
  isOfCrls,
} from "../../src/wire/fault.js";
import { alert, nameOf } from "../../src/wire/registry.js";
import { textOf, texts } from "../../src/wire/texts.js";
import { listedError, wolfsslError } from "../../src/wire/wolfssl.js";

const names = Object.keys(faults) as FaultName[];

/** The alert that tells the peer of each fault. */
const alerts: Readonly<Record<FaultName, keyof typeof alert>> = {
  DECODE_ERROR: "decode_error",
  UNEXPECTED_MESSAGE: "unexpected_message",
  UNKNOWN_RECORD_TYPE: "unexpected_message",
  RECORD_VERSION: "protocol_version",
  RECORD_OVERFLOW: "record_overflow",
  BAD_RECORD_MAC: "bad_record_mac",
  TOO_MANY_EMPTY_RECORDS: "unexpected_message",
  KEY_EXHAUSTED: "internal_error",
  BUFFER_TOO_SMALL: "internal_error",
  MESSAGE_TOO_LONG: "illegal_parameter",
  OUTPUT_TOO_SMALL: "internal_error",
  STORE_TOO_SMALL: "internal_error",
  PROTOCOL_VERSION: "protocol_version",
  DOWNGRADE: "illegal_parameter",
  ILLEGAL_PARAMETER: "illegal_parameter",
  CIPHER_SUITE: "illegal_parameter",
  KEY_SHARE: "illegal_parameter",
  UNSUPPORTED_EXTENSION: "unsupported_extension",
  EXTENSION_NOT_ALLOWED: "illegal_parameter",
  DUPLICATE_EXTENSION: "illegal_parameter",
  MISSING_EXTENSION: "missing_extension",
  EMS_REQUIRED: "handshake_failure",
  RENEGOTIATION_INFO: "handshake_failure",
  NO_COMMON_SUITE: "handshake_failure",
  NO_COMMON_GROUP: "handshake_failure",
  NO_COMMON_SCHEME: "handshake_failure",
  INAPPROPRIATE_FALLBACK: "inappropriate_fallback",
  NO_APPLICATION_PROTOCOL: "no_application_protocol",
  UNRECOGNIZED_NAME: "unrecognized_name",
  NO_RENEGOTIATION: "no_renegotiation",
  BINDER_MISMATCH: "decrypt_error",
  FINISHED_MISMATCH: "decrypt_error",
  HANDSHAKE_SIGNATURE: "decrypt_error",
  SIGNATURE_SCHEME: "illegal_parameter",
  PEER_ALERT: "close_notify",
  TRUNCATED: "close_notify",
  INTERNAL_ERROR: "internal_error",
  HANDSHAKE_TIMEOUT: "user_canceled",
  NO_PEER_CERT: "decode_error",
  CERTIFICATE_REQUIRED: "certificate_required",
  CERT_MALFORMED: "bad_certificate",
  CERT_SIGNATURE: "bad_certificate",
  CERT_SIGNATURE_ALGORITHM: "bad_certificate",
  CERT_ALGORITHM_MISMATCH: "bad_certificate",
  CERT_KEY: "unsupported_certificate",
  CERT_NOT_YET_VALID: "bad_certificate",
  CERT_EXPIRED: "certificate_expired",
  CERT_CRITICAL_EXTENSION: "unsupported_certificate",
  CERT_KEY_USAGE: "unsupported_certificate",
  CERT_EXTENDED_KEY_USAGE: "unsupported_certificate",
  CERT_NOT_CA: "bad_certificate",
  CERT_CA_KEY_USAGE: "bad_certificate",
  CERT_PATH_LENGTH: "bad_certificate",
  CERT_NAME_CONSTRAINTS: "bad_certificate",
  CERT_UNKNOWN_ISSUER: "unknown_ca",
  CERT_CHAIN_TOO_LONG: "bad_certificate",
  CERT_NAME_MISMATCH: "bad_certificate",
  CERT_IP_MISMATCH: "bad_certificate",
  NO_CLOCK: "internal_error",
  OCSP_MALFORMED: "bad_certificate_status_response",
  OCSP_NOT_SUCCESSFUL: "bad_certificate_status_response",
  OCSP_UNKNOWN_TYPE: "bad_certificate_status_response",
  OCSP_CERT_REVOKED: "certificate_revoked",
  OCSP_CERT_UNKNOWN: "bad_certificate_status_response",
  OCSP_WRONG_CERT: "bad_certificate_status_response",
  OCSP_RESPONDER: "bad_certificate_status_response",
  OCSP_SIGNATURE: "bad_certificate_status_response",
  OCSP_SIGNATURE_ALGORITHM: "bad_certificate_status_response",
  OCSP_TIME: "bad_certificate_status_response",
  OCSP_EXPIRED: "bad_certificate_status_response",
  OCSP_NOT_YET_VALID: "bad_certificate_status_response",
  OCSP_NO_NEXT_UPDATE: "bad_certificate_status_response",
  OCSP_CRITICAL_EXTENSION: "bad_certificate_status_response",
  OCSP_NONCE: "bad_certificate_status_response",
  OCSP_STAPLE_MISSING: "bad_certificate_status_response",
  OCSP_LOOKUP_FAIL: "bad_certificate_status_response",
  CONNECT_FAILED: "close_notify",
  CALLBACK_FAILED: "internal_error",
  CRL_MALFORMED: "certificate_unknown",
  CRL_CERT_REVOKED: "certificate_revoked",
  CRL_MISSING: "certificate_unknown",
  CRL_SCOPE: "certificate_unknown",
  CRL_KEY_USAGE: "certificate_unknown",
  CRL_SIGNATURE: "certificate_unknown",
  CRL_SIGNATURE_ALGORITHM: "certificate_unknown",
  CRL_ALGORITHM_MISMATCH: "certificate_unknown",
  CRL_TIME: "certificate_unknown",
  CRL_EXPIRED: "certificate_unknown",
  CRL_NOT_YET_VALID: "certificate_unknown",
  CRL_NO_NEXT_UPDATE: "certificate_unknown",
  CRL_CRITICAL_EXTENSION: "certificate_unknown",
  CRL_INDIRECT: "certificate_unknown",
  CRL_DELTA: "certificate_unknown",
  CRL_SOME_REASONS: "certificate_unknown",
};

test("each fault has its alert", (t) => {
  for (const name of names) t.is(nameOf(alert, alertOf(faults[name])), alerts[name], name);
});

test("faults are numbered one after the other", (t) => {
  names.forEach((name, i) => {
    t.is(faults[name] & 0xff, i + 1, name);
  });
});

test("a fault has its own stable name, and a text that no other has", (t) => {
  for (const name of names) {
    t.is(faultName(faults[name]), name);
    t.regex(name, /^[A-Z]+(_[A-Z0-9]+)*$/);
    t.regex(texts[name], /^[a-zA-Z].*[^.\s]$/, name);
  }
  t.deepEqual(Object.keys(texts), names);
  t.is(new Set(Object.values(texts)).size, names.length);
});

test("lists in the order of the faults say the same as the tables, of faults that every device can have", (t) => {
  for (const name of names.filter((each) => !isOfCrls(each))) {
    const common = isCommon(name);
    t.is(commonName(faults[name]), (common ? name : "") as FaultName);
    t.is(textOf(faults[name]), common ? texts[name] : "");
    t.deepEqual(listedError(faults[name]), common ? wolfsslError(name) : undefined, name);
  }
  for (const [name, number] of Object.entries(alert)) t.is(alertName(number), name);
  for (const number of [1, 4, 99, 255]) t.is(alertName(number), `alert_${number}`);
});

const deviceWords: Words = {
  message: (fault) => textOf(fault),
  wolfssl: listedError,
  alertName,
  advice: () => "",
};

test("with the words for CRLs, a device says the same as the tables", (t) => {
  const words = crlWords(deviceWords);
  for (const name of names.filter((each) => isCommon(each) || isOfCrls(each))) {
    const { code, message, wolfssl } = new TlsError(faults[name], 0, undefined, words);
    t.is(code, name);
    t.is(message, isOfCrls(name) ? `${name}: ${texts[name]}` : texts[name]);
    t.deepEqual(wolfssl, wolfsslError(name), name);
    const bare = new TlsError(faults[name], 0, undefined, crlWords(undefined));
    t.is(bare.code, name);
    t.is(bare.message, isOfCrls(name) ? `${name}: ${texts[name]}` : name);
  }
});

test("faults of CRLs are the last ones", (t) => {
  t.true(names.slice(names.findIndex(isOfCrls)).every(isOfCrls));
});

test("a staple that does not count is bad_certificate_status_response, a revoked certificate is not", (t) => {
  for (const name of names.filter((each) => each.startsWith("OCSP_")))
    t.is(
      alerts[name],
      name === "OCSP_CERT_REVOKED" ? "certificate_revoked" : "bad_certificate_status_response",
    );
});

test("nothing but a fault passes for one", (t) => {
  for (const name of names) t.true(isFault(faults[name]), name);
  const { DECODE_ERROR } = faults;
  const numbers = [0, 1, 80, DECODE_ERROR + 1, DECODE_ERROR + 0.5, DECODE_ERROR & 0xff, -DECODE_ERROR];
  const impostors = [
    ...numbers,
    (DECODE_ERROR & 0xff00) | (faults.CERT_EXPIRED & 0xff),
    Number.NaN,
    BigInt(DECODE_ERROR),
    String(DECODE_ERROR),
    new Number(DECODE_ERROR),
    [DECODE_ERROR],
    { valueOf: () => DECODE_ERROR },
    Object.assign(new Error("mine"), { name: "DECODE_ERROR" }),
    "DECODE_ERROR",
    Symbol("DECODE_ERROR"),
    undefined,
    null,
  ];
  for (const impostor of impostors) t.false(isFault(impostor), String(impostor));
});

test("faults and what is said of them are frozen", (t) => {
  for (const each of [faults, texts]) t.true(Object.isFrozen(each));
});

/** The enum constants of a C header, by name. */
function constants(file: string): Map<string, number> {
  const lines = readFileSync(file, "utf8").matchAll(/^\s*(\w+)\s*=\s*(-?\d+)\s*,/gm);
  return new Map([...lines].map(([, name, value]) => [name, Number(value)]));
}

const headers = "/usr/include/wolfssl";
const withHeaders = existsSync(`${headers}/error-ssl.h`) ? test : test.skip;

withHeaders("names and numbers of wolfSSL are those of its headers", (t) => {
  const known = new Map([
    ...constants(`${headers}/wolfcrypt/error-crypt.h`),
    ...constants(`${headers}/error-ssl.h`),
  ]);
  let compared = 0;
  for (const name of names) {
    const wolfssl = wolfsslError(name);
    if (wolfssl === undefined) continue;
    t.is(wolfssl.number, known.get(wolfssl.name)!, `${name}: ${wolfssl.name}`);
    compared++;
  }
  t.true(compared > 40, `${compared} compared`);
});

withHeaders("alerts have the numbers that wolfSSL gives them", (t) => {
  const known = constants(`${headers}/ssl.h`);
  const compared = Object.entries(alert).filter(([name]) => known.has(name));
  for (const [name, number] of compared) t.is(known.get(name), number, name);
  t.true(compared.length >= 20, `${compared.length} compared`);
});
