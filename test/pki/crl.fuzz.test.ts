/** Whatever one change to a valid CRL makes of it, it is refused, with one of our faults. */
import test from "ava";
import { crl, crlNumber, issuingDistributionPoint } from "../../certs/crl.js";
import { integer, nil } from "../../certs/der.js";
import { extension, keyUsage } from "../../certs/extensions.js";
import { type KeyType, newKey } from "../../certs/keys.js";
import { additions, flips, type Subject, testChanges } from "./changed.js";
import { CrlJudge } from "./crl-judge.js";
import { authority, server } from "./kit.js";

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

const meaningful = [0x00, 0x01, 0x02, 0x05, 0x30, 0x7f, 0x80, 0x81, 0x84, 0xa0, 0xff];

for (const [title, subject] of Object.entries(subjects))
  testChanges(title, subject, (byte) => [...meaningful, ...flips(byte)]);

test("nothing can be added to any part, however deep", (t) => {
  const { der, verdict } = subjects.ECDSA;
  const verdicts = new Set(additions(der).map(verdict));
  // An algorithm with more in it is another one. What is signed must be refused for its form, not for its signature
  t.deepEqual([...verdicts].sort(), ["CRL_ALGORITHM_MISMATCH", "CRL_MALFORMED", "CRL_SIGNATURE_ALGORITHM"]);
});
