import test from "ava";
import { TlsError, type Words } from "../../src/wire/error.js";
import { faultName, faults } from "../../src/wire/fault.js";
import { alert } from "../../src/wire/registry.js";

test("an error without words has the fault's name, and the alert's number", (t) => {
  const error = new TlsError(faults.OCSP_CERT_REVOKED);
  t.true(error instanceof Error);
  t.is(String(error), "TlsError: OCSP_CERT_REVOKED");
  t.is(error.code, "OCSP_CERT_REVOKED");
  t.deepEqual(error.alert, { number: 44, name: "alert_44" });
  t.is(error.wolfssl, undefined);
  t.is(error.detail, 0);
  t.is(error.advice, "");
  t.false("cause" in error);
});

test("the peer's alert is the error's", (t) => {
  const error = new TlsError(faults.PEER_ALERT, alert.access_denied);
  t.deepEqual(error.alert, { number: alert.access_denied, name: "alert_49" });
  t.is(error.detail, alert.access_denied);
});

test("a host's words go into the error, and so does the cause", (t) => {
  const words: Words = {
    message: (fault, detail) => `${faultName(fault)} means ${detail}`,
    alertName: (number) => `alert ${number}`,
    wolfssl: (fault) => ({ number: -1, name: `${faultName(fault)}_E` }),
    advice: (code, detail) => `${code}: take ${detail}`,
  };
  const cause = new Error("the cause");
  const error = new TlsError(faults.STORE_TOO_SMALL, 9000, cause, words);
  t.is(error.message, "STORE_TOO_SMALL means 9000");
  t.deepEqual(error.wolfssl, { number: -1, name: "STORE_TOO_SMALL_E" });
  t.is(error.advice, "STORE_TOO_SMALL: take 9000");
  t.deepEqual(error.alert, { number: 80, name: "alert 80" });
  t.is(error.cause, cause);
});
