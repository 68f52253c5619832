/** Whatever one change to a valid response makes of it, it is refused, with one of our faults. */
import test from "ava";
import { issue } from "../../certs/certificate.js";
import { children, explicit, integer, octets } from "../../certs/der.js";
import {
  basicConstraints,
  extendedKeyUsage,
  extension,
  keyUsage,
  ocspNoCheck,
  purpose,
  unknownExtension,
} from "../../certs/extensions.js";
import { type KeyType, newKey } from "../../certs/keys.js";
import {
  byKey,
  byName,
  certId,
  certStatus,
  ocspResponse,
  type ResponseTemplate,
  singleResponse,
} from "../../certs/response.js";
import { additions, flips, splice, testChanges } from "./changed.js";
import { Judge, type Measure } from "./ocsp-judge.js";

/** A response, what judges it, and the policy that it meets. */
interface Subject {
  readonly der: Buffer;
  readonly ca: Buffer;
  readonly parts: ResponseTemplate;
  readonly judge: Judge;
  readonly policy: Measure;
}

const nonce = Buffer.alloc(32, 0xa5);

function subject(type: KeyType, delegated: boolean): Subject {
  const ca = issue(undefined, {
    subject: "CA",
    key: newKey(type),
    extensions: { basicConstraints: basicConstraints(true) },
  });
  const usage = { keyUsage: keyUsage("digitalSignature") };
  const leaf = issue(ca, { serial: 0x1234, subject: "leaf", key: newKey("p256"), extensions: usage });
  const signer = delegated
    ? issue(ca, {
        subject: "responder",
        key: newKey(type),
        extensions: { ...usage, purpose: extendedKeyUsage(purpose.ocspSigning), ocspNoCheck: ocspNoCheck() },
      })
    : ca;
  const parts: ResponseTemplate = {
    signer,
    responses: [singleResponse({ certId: certId(ca, integer(0x1234)) })],
    responderId: delegated ? byKey(signer) : byName(signer),
    extensions: [extension("1.3.6.1.5.5.7.48.1.2", false, octets(nonce))],
    certificates: delegated ? [signer.der] : undefined,
  };
  return {
    der: ocspResponse(parts),
    ca: ca.der,
    parts,
    judge: new Judge(leaf.der, ca.der),
    policy: { nonce },
  };
}

const subjects: Readonly<Record<string, Subject>> = {
  "of the issuer, ECDSA": subject("p256", false),
  "of a delegate, ECDSA": subject("p256", true),
  "of the issuer, Ed25519": subject("ed25519", false),
  "of the issuer, RSA": subject("rsa2048", false),
  "of a delegate, RSA": subject("rsa2048", true),
};

/** Tag and length of a certificate of 256 bytes or more. */
const header = 4;

// All 255 others where that is quick; else each bit, and a few values that mean something in DER
const all = Array.from({ length: 256 }, (_, value) => value);
const meaningful = [0x00, 0x01, 0x02, 0x05, 0x30, 0x7f, 0x80, 0x81, 0xff];

for (const [title, { der, judge, policy }] of Object.entries(subjects)) {
  const subject = { der, verdict: (changed: Buffer) => judge.verdict(changed, policy) };
  testChanges(title, subject, (byte) => (der.length < 400 ? all : [...meaningful, ...flips(byte)]));
}

test("of what came along unneeded, only the certificates' own bytes do not matter", (t) => {
  const { der: plain, judge, policy, ca, parts } = subjects["of the issuer, ECDSA"];
  const der = ocspResponse({ ...parts, certificates: [ca, ca] });
  t.is(judge.verdict(plain, policy), "good");
  t.is(judge.verdict(der, policy), "good");
  const contents = [der.length - ca.length, der.length - 2 * ca.length];
  const inside = (at: number) => contents.some((start) => at >= start + header && at < start + ca.length);
  for (let at = 0; at < der.length; at++) {
    const changed = judge.verdict(splice(der, at, 1, der[at] ^ 0x40), policy);
    if (inside(at)) t.is(changed, "good");
    else t.not(changed, "good", `at ${at}`);
  }
});

test("nothing can be added to any part, however deep", (t) => {
  const { judge, parts } = subjects["of a delegate, ECDSA"];
  const revoked = certStatus.revoked("2026-01-01T00:00:00Z", 1);
  const [mine] = parts.responses;
  const [id] = children(mine);
  const extensions = [unknownExtension(false)];
  const responses = [mine, singleResponse({ certId: id, status: revoked, extensions })];
  const der = ocspResponse({ ...parts, responses, version: explicit(0, integer(0)) });
  t.is(judge.verdict(der), "OCSP_CERT_REVOKED");
  const verdicts = new Set(additions(der).map((changed) => judge.verdict(changed)));
  // A certificate with more in it is no delegate's; an algorithm with more in it is another one. What is signed
  // must be refused for its form, not because its signature no longer fits.
  t.deepEqual([...verdicts].sort(), ["OCSP_MALFORMED", "OCSP_RESPONDER", "OCSP_SIGNATURE_ALGORITHM"]);
});
