import test from "ava";
import { type ChainCase, chainCases, NOW, type OcspCase, ocspCases } from "../../certs/fixtures.js";
import { provider } from "../../hosts/node/provider.js";
import { Certificate } from "../../src/pki/certificate.js";
import { everything } from "../../src/pki/everything.js";
import { responder, Staple } from "../../src/pki/ocsp.js";
import { trustAnchor } from "../../src/pki/path.js";
import { defaultOcsp, type OcspPolicy } from "../../src/pki/policy.js";
import { Store } from "../../src/pki/store.js";
import { faultName, faults, isFault } from "../../src/wire/fault.js";
import { given } from "../../src/wire/given.js";
import { keep, pathWith, stapleVerifier } from "./kit.js";

/** "good", or the name of the fault that is thrown. */
function verdict(run: () => void): string {
  try {
    run();
    return "good";
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown;
    return faultName(thrown);
  }
}

const means = { provider, pki: everything };
const newStore = () => new Store(new Uint8Array(32768));

/** Adds every certificate from a buffer that the next one overwrites, as the record layer does. */
function verify(row: ChainCase): void {
  const options = {
    ...means,
    trust: row.anchors.map((der) => trustAnchor(der, everything)),
    serverName: row.name,
    schemes: provider.schemes,
    maxCertificates: 10,
  };
  const path = pathWith(options, newStore());
  const input = new Uint8Array(8192);
  for (const der of row.chain) {
    input.fill(0).set(der);
    path.add(input, 0, der.length);
  }
  while (!path.step(NOW));
  // Nobody staples here
  if (path.mustStaple) throw faults.OCSP_STAPLE_MISSING;
}

for (const row of chainCases()) {
  test(`chain ${row.id}: ${row.description}`, (t) => {
    t.is(
      verdict(() => verify(row)),
      row.expected,
    );
  });
}

/** The staple of a case, before it is settled. */
function staple(row: OcspCase): { staple: Staple; settle: () => void } {
  const store = newStore();
  const subject = new Certificate();
  const issuer = new Certificate();
  keep(subject, store, row.subject);
  keep(issuer, store, row.issuer);
  const staple = new Staple();
  staple.take(store, row.response, 0, row.response.length);
  const { skew, maxAge, allowMissingNextUpdate } = row;
  const asked: Partial<OcspPolicy> = given({ skew, maxAge, allowMissingNextUpdate });
  const policy: OcspPolicy = Object.assign({}, defaultOcsp, asked, {
    responders: row.responders.map((der) => responder(der, everything)),
  });
  const verifier = stapleVerifier({ ...means, ocsp: policy }, store);
  verifier.nonce = row.nonce;
  const settle = () => {
    while (!verifier.settle(staple, subject, issuer, row.at));
  };
  return { staple, settle };
}

for (const row of ocspCases()) {
  test(`response ${row.id}: ${row.description}`, (t) => {
    const { staple: settled, settle } = staple(row);
    t.is(verdict(settle), row.expected);
    const status = { good: "good", OCSP_CERT_REVOKED: "revoked", OCSP_CERT_UNKNOWN: "unknown" }[
      row.expected as string
    ];
    t.is(settled.status, status as typeof settled.status, "a status is told when a signature vouches for it");
    if (status === "revoked") t.is(settled.revocationReason, row.reason ?? -1);
  });
}
