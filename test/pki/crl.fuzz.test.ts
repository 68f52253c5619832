/** Whatever one change to a valid CRL makes of it, it is refused, with one of our faults. */
import test from "ava";
import { crl, crlNumber, issuingDistributionPoint } from "../../certs/crl.js";
import { children, contents, integer, nil, tlv } from "../../certs/der.js";
import { extension, keyUsage } from "../../certs/extensions.js";
import { type KeyType, newKey } from "../../certs/keys.js";
import { CrlJudge } from "./crl-judge.js";
import { authority, server } from "./kit.js";

/** A list, and what judges another in its place. */
interface Subject {
  readonly der: Buffer;
  verdict(der: Buffer): string;
}

function subject(type: KeyType, entries: number): Subject {
  const key = newKey(type);
  const signing = { usage: keyUsage("keyCertSign", "cRLSign") };
  const ca = authority("CA", undefined, { key, extensions: signing });
  const leaf = server(ca);
  const revoked = Array.from({ length: entries }, (_, i) => ({ serial: integer(i + 5), reason: i % 7 }));
  const extensions = [
    crlNumber(1),
    issuingDistributionPoint({ onlyUsers: true }),
    extension("2.5.29.35", false, nil),
  ];
  return {
    der: crl({ signer: ca, revoked, extensions }),
    verdict: (der) => new CrlJudge([leaf], [der], { root: ca.der }).verdict,
  };
}

const subjects: Readonly<Record<string, Subject>> = {
  ECDSA: subject("p256", 3),
  Ed25519: subject("ed25519", 1),
  RSA: subject("rsa2048", 2),
};

/** The changed lists that pass for good: there must be none. Anything thrown but a fault fails the test. */
function accepted({ der, verdict }: Subject, changes: (at: number) => Buffer[]): string[] {
  const found: string[] = [];
  for (let at = 0; at <= der.length; at++)
    for (const changed of changes(at))
      if (!changed.equals(der) && verdict(changed) === "good")
        found.push(`at ${at}: ${changed.toString("hex")}`);
  return found;
}

const splice = (der: Buffer, at: number, remove: number, ...insert: number[]) =>
  Buffer.concat([der.subarray(0, at), Buffer.from(insert), der.subarray(at + remove)]);

const meaningful = [0x00, 0x01, 0x02, 0x05, 0x30, 0x7f, 0x80, 0x81, 0x84, 0xa0, 0xff];

for (const [title, subject] of Object.entries(subjects)) {
  const { der, verdict } = subject;

  test(`${title}: it is good as it is`, (t) => {
    t.is(verdict(der), "good");
  });

  test(`${title}: no byte can be another`, (t) => {
    const changes = (at: number) => {
      if (at === der.length) return [];
      const bits = [0, 1, 2, 3, 4, 5, 6, 7].map((bit) => der[at] ^ (1 << bit));
      return [...meaningful, ...bits].map((value) => splice(der, at, 1, value));
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

test("nothing can be added to any part, however deep", (t) => {
  const { der, verdict } = subjects.ECDSA;
  const verdicts = new Set(additions(der).map(verdict));
  // An algorithm with more in it is another one. What is signed must be refused for its form, not for its signature
  t.deepEqual([...verdicts].sort(), ["CRL_ALGORITHM_MISMATCH", "CRL_MALFORMED", "CRL_SIGNATURE_ALGORITHM"]);
});

/** The TLV with a NULL behind the contents of each constructed part in turn. */
function additions(der: Buffer): Buffer[] {
  if (!(der[0] & 0x20)) return [];
  const parts = children(der);
  const deeper = parts.flatMap((part, i) =>
    additions(part).map((changed) => tlv(der[0], ...parts.slice(0, i), changed, ...parts.slice(i + 1))),
  );
  return [tlv(der[0], contents(der), nil), ...deeper];
}
