import { existsSync, readFileSync } from "node:fs";
import test from "ava";
import { type Fault, faults, isFault } from "../../src/wire/fault.js";
import { alert, nameOf } from "../../src/wire/registry.js";

const all: [string, Fault][] = Object.entries(faults);

test("a fault stands under its own stable name", (t) => {
  for (const [key, fault] of all) {
    t.is(fault.name, key);
    t.regex(key, /^[A-Z]+(_[A-Z0-9]+)*$/);
    t.regex(fault.text, /^[a-zA-Z].*[^.\s]$/, key);
  }
  t.is(new Set(all.map(([, { text }]) => text)).size, all.length, "no two say the same");
});

test("faults are frozen through and through", (t) => {
  t.true(Object.isFrozen(faults));
  for (const [name, fault] of all) {
    t.true(Object.isFrozen(fault), name);
    if (fault.wolfssl) t.true(Object.isFrozen(fault.wolfssl), name);
  }
});

test("a fault's alert is one of TLS", (t) => {
  for (const [name, fault] of all) t.truthy(nameOf(alert, fault.alert), name);
});

test("a staple that does not count is bad_certificate_status_response, a revoked certificate is not", (t) => {
  for (const [name, fault] of all)
    if (name.startsWith("OCSP_"))
      t.is(
        nameOf(alert, fault.alert),
        name === "OCSP_CERT_REVOKED" ? "certificate_revoked" : "bad_certificate_status_response",
      );
});

test("isFault knows faults by identity", (t) => {
  for (const [, fault] of all) t.true(isFault(fault));
  const impostors = [
    { ...faults.DECODE_ERROR },
    Object.assign(new Error("mine"), { name: "DECODE_ERROR" }),
    new Error("DECODE_ERROR"),
    { name: "constructor" },
    { name: faults },
    "DECODE_ERROR",
    undefined,
    null,
    0,
  ];
  for (const impostor of impostors) t.false(isFault(impostor));
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
  for (const [name, { wolfssl }] of all) {
    if (wolfssl === undefined) continue;
    t.is(wolfssl.code, known.get(wolfssl.name)!, `${name}: ${wolfssl.name}`);
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
