/** Whatever one change to a valid response makes of it, it is refused, with one of our faults. */
import test from "ava";
import { issue } from "../../certs/certificate.js";
import { children, contents, explicit, integer, nil, octets, tag, tlv } from "../../certs/der.js";
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

/** The changed responses that pass for good: there must be none. Anything thrown but a fault fails the test. */
function accepted({ der, judge, policy }: Subject, changes: (at: number) => Buffer[]): string[] {
  const found: string[] = [];
  for (let at = 0; at <= der.length; at++) {
    for (const changed of changes(at)) {
      if (changed.equals(der) || judge.verdict(changed, policy) !== "good") continue;
      found.push(`at ${at}: ${changed.toString("hex")}`);
    }
  }
  return found;
}

/** Tag and length of a certificate of 256 bytes or more. */
const header = 4;

const splice = (der: Buffer, at: number, remove: number, ...insert: number[]) =>
  Buffer.concat([der.subarray(0, at), Buffer.from(insert), der.subarray(at + remove)]);

for (const [title, subject] of Object.entries(subjects)) {
  const { der, judge, policy } = subject;

  test(`${title}: it is good as it is`, (t) => {
    t.is(judge.verdict(der, policy), "good");
  });

  test(`${title}: no byte can be another`, (t) => {
    // All 255 others where that is quick; else each bit, and a few values that mean something in DER
    const values = der.length < 400 ? 256 : 0;
    const some = [0x00, 0x01, 0x02, 0x05, 0x30, 0x7f, 0x80, 0x81, 0xff];
    const changes = (at: number) => {
      if (at === der.length) return [];
      const others = values
        ? Array.from({ length: values }, (_, value) => value)
        : [...some, ...[0, 1, 2, 3, 4, 5, 6, 7].map((bit) => der[at] ^ (1 << bit))];
      return others.map((value) => splice(der, at, 1, value));
    };
    t.deepEqual(accepted(subject, changes), []);
  });

  test(`${title}: no byte can be missing, or stand twice, or be added`, (t) => {
    const changes = (at: number) => [
      splice(der, at, 1),
      ...[der[at] ?? 0, 0x00, 0x05, 0x30, 0x80, 0xff].map((value) => splice(der, at, 0, value)),
    ];
    t.deepEqual(accepted(subject, changes), []);
  });

  test(`${title}: it cannot end early`, (t) => {
    t.deepEqual(
      accepted(subject, (at) => [der.subarray(0, at)]),
      [],
    );
  });

  test(`${title}: no two bytes can change places`, (t) => {
    const changes = (at: number) => (at + 1 < der.length ? [splice(der, at, 2, der[at + 1], der[at])] : []);
    t.deepEqual(accepted(subject, changes), []);
  });
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

/** The TLV with a NULL behind the contents of each constructed part in turn. */
function additions(der: Buffer): Buffer[] {
  const within = contents(der);
  const isResponse = der[0] === tag.octetString && within.length > 200;
  if (!(der[0] & 0x20) && !isResponse) return [];
  const parts = children(der);
  const deeper = parts.flatMap((part, i) =>
    additions(part).map((changed) => tlv(der[0], ...parts.slice(0, i), changed, ...parts.slice(i + 1))),
  );
  return [tlv(der[0], within, nil), ...deeper];
}
