import test from "ava";
import { generalizedTime } from "../../../../certs/der.js";
import { NOW } from "../../../../certs/fixtures.js";
import { certId, ocspResponse, type Single, singleResponse } from "../../../../certs/response.js";
import { claimsAbout, claimsOf, freshUntil, untimely } from "../../../../hosts/node/ocsp/claims.js";
import { flip } from "../../../peers/bytes.js";
import { intermediate, leaf, root, verdict } from "../../../pki/kit.js";

/** What responses claim, for those who hand them on: nothing of it is verified. */

const time = (seconds: number) => generalizedTime(new Date(seconds * 1000).toISOString());

const single = (serial: Buffer, more: Partial<Single> = {}) =>
  singleResponse({ certId: certId(intermediate, serial), ...more });

const response = (...responses: Buffer[]) => ocspResponse({ signer: intermediate, responses });

const hour = { thisUpdate: time(NOW), nextUpdate: time(NOW + 3600) };

test("a claim has the serial number and the times of its response", (t) => {
  const [first, second] = claimsOf(
    response(single(leaf.serial, hour), single(root.serial, { nextUpdate: null })),
  );
  t.deepEqual(Buffer.from(first.serialNumber), leaf.serial.subarray(2));
  t.deepEqual([first.thisUpdate, first.nextUpdate], [NOW, NOW + 3600]);
  t.is(second.nextUpdate, 0);
});

test("claims about a certificate are those with its serial number, and there is one", (t) => {
  const both = response(single(root.serial), single(leaf.serial, hour), single(leaf.serial));
  t.is(claimsAbout(both, leaf.der).length, 2);
  t.is(claimsAbout(both, leaf.der)[0].thisUpdate, NOW);
  t.is(claimsAbout(both, root.der).length, 1);
  t.is(
    verdict(() => claimsAbout(both, intermediate.der)),
    "OCSP_WRONG_CERT",
  );
  t.is(
    verdict(() => claimsAbout(response(single(leaf.serial)), root.der)),
    "OCSP_WRONG_CERT",
  );
});

test("what is cut or no response is malformed, and nothing else is ever thrown", (t) => {
  const whole = response(single(leaf.serial, hour));
  for (let i = 0; i < whole.length; i++) {
    const cut = verdict(() => claimsAbout(whole.subarray(0, i), leaf.der));
    t.is(cut, "OCSP_MALFORMED");
    const flipped = verdict(() => claimsAbout(flip(whole, i), leaf.der));
    t.true(["good", "OCSP_MALFORMED", "OCSP_WRONG_CERT"].includes(flipped), `${i}: ${flipped}`);
  }
  t.is(
    verdict(() => claimsOf(ocspResponse({ signer: intermediate, responses: [] }))),
    "OCSP_MALFORMED",
  );
  t.is(
    verdict(() => claimsAbout(whole, leaf.der.subarray(0, 10))),
    "CERT_MALFORMED",
  );
});

const claim = (thisUpdate: number, nextUpdate: number) => ({
  serialNumber: new Uint8Array(1),
  thisUpdate,
  nextUpdate,
});

test("a response is handed on until a minute before its end, or a tenth of its life", (t) => {
  t.is(freshUntil(NOW, NOW + 3600), NOW + 3540);
  t.is(freshUntil(NOW, NOW + 100), NOW + 90);
  const hourly = claim(NOW, NOW + 3600);
  const at = (now: number, ...claims: ReturnType<typeof claim>[]) => {
    const fault = untimely(claims, now);
    return fault === undefined
      ? "good"
      : verdict(() => {
          throw fault;
        });
  };
  t.is(at(NOW, hourly), "good");
  t.is(at(NOW + 3539, hourly), "good");
  t.is(at(NOW + 3540, hourly), "OCSP_EXPIRED");
  t.is(at(NOW - 60, hourly), "good");
  t.is(at(NOW - 61, hourly), "OCSP_NOT_YET_VALID");
  t.is(at(NOW + 86_400_000, claim(NOW, 0)), "good");
  t.is(at(NOW + 1000, hourly, claim(NOW, NOW + 500)), "OCSP_EXPIRED");
});
