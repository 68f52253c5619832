import { readdirSync } from "node:fs";
import test from "ava";
import { issue } from "../../../../certs/certificate.js";
import { generalizedTime, integer } from "../../../../certs/der.js";
import { basicConstraints } from "../../../../certs/extensions.js";
import { fixture, fixtureFile } from "../../../../certs/fixtures.js";
import { newKey } from "../../../../certs/keys.js";
import {
  certId,
  errorResponse,
  ocspResponse,
  responseStatus,
  singleResponse,
} from "../../../../certs/response.js";
import { describeResponse } from "../../../../hosts/node/common/describe.js";
import { nextUpdatesOf } from "../../../../hosts/node/ocsp/claims.js";
import { fault, named } from "../../../faults.js";

const signer = issue(undefined, {
  serial: 1,
  subject: "ca",
  key: newKey("p256"),
  extensions: { constraints: basicConstraints(true) },
});

/** The end of each response in it; null for none. */
const responseWith = (...ends: (string | null)[]) =>
  ocspResponse({
    signer,
    responses: ends.map((end, i) =>
      singleResponse({
        certId: certId(signer, integer(i)),
        nextUpdate: end === null ? null : generalizedTime(end),
      }),
    ),
  });

test("of each certificate, and 0 where there is none", (t) => {
  const ends = ["2026-07-08T12:00:00Z", null, "2051-01-01T00:00:00Z"];
  const seconds = ends.map((end) => (end ? Date.parse(end) / 1000 : 0));
  t.deepEqual(nextUpdatesOf(responseWith(...ends)), seconds);
});

test("what speaks of no certificate is refused", (t) => {
  for (const der of [responseWith(), errorResponse(responseStatus.tryLater), Buffer.alloc(0)])
    t.is(named(fault(() => nextUpdatesOf(der))), "OCSP_MALFORMED");
});

test("@peculiar/asn1-ocsp reads the same in every response that it can read", (t) => {
  let read = 0;
  for (const name of readdirSync(fixtureFile("ocsp")).filter((file) => file.endsWith(".der"))) {
    const der = fixture(`ocsp/${name}`);
    const ours = unlessThrown(() => nextUpdatesOf(der));
    const theirs = unlessThrown(() => describeResponse(der).responses);
    if (!ours || !theirs) continue;
    const ends = theirs.map(({ nextUpdate }) => (nextUpdate ? Date.parse(nextUpdate) / 1000 : 0));
    t.deepEqual(ours, ends, name);
    read++;
  }
  t.true(read > 80, `${read}`);
});

function unlessThrown<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
