import { readFileSync } from "node:fs";
import test from "ava";
import { chainCases, fixtureFile, ocspCases } from "../../certs/fixtures.js";
import { fixtureFiles, generate } from "../../certs/generate.js";
import { alertOf, type Fault, faults } from "../../src/wire/fault.js";

const root = fixtureFile("").replace(/\/$/, "");

test("the generator gives the committed fixtures again, byte for byte", (t) => {
  const { files } = generate(root);
  t.deepEqual([...files.keys()].sort(), fixtureFiles(root));
  for (const [path, content] of files) t.true(content.equals(readFileSync(`${root}/${path}`)), path);
});

test("each expectation is a fault that exists, with its alert", (t) => {
  for (const { id, expected, alert } of [...chainCases(), ...ocspCases()]) {
    const fault = (faults as Record<string, Fault>)[expected];
    if (expected === "good") t.is(alert, undefined, id);
    else t.is(alert, fault && alertOf(fault), id);
  }
});

test("no case is lost: each is a test of its own in many places", (t) => {
  t.true(chainCases().length >= 266, `${chainCases().length}`);
  t.true(ocspCases().length >= 173, `${ocspCases().length}`);
});

test("ids are unique", (t) => {
  for (const cases of [chainCases(), ocspCases()]) {
    t.is(new Set(cases.map(({ id }) => id)).size, cases.length);
  }
});

test("there are cases of each fault of certificates and of OCSP", (t) => {
  const met = new Set<string>([...chainCases(), ...ocspCases()].map(({ expected }) => expected));
  const names = Object.keys(faults).filter((name) => /^(CERT|OCSP)_/.test(name));
  // A lookup that fails is no matter of bytes
  const elsewhere = ["OCSP_LOOKUP_FAIL"];
  t.deepEqual(
    names.filter((name) => !met.has(name)),
    elsewhere,
  );
});
