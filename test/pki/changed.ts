/** Changes to what is signed, in DER, which must all be noticed. */

import test from "ava";
import { children, contents, nil, tag, tlv } from "../../certs/der.js";

/** Something good, and what judges another in its place: "good", or a fault. Anything else thrown fails the test. */
export interface Subject {
  readonly der: Buffer;
  verdict(der: Buffer): string;
}

export const splice = (der: Buffer, at: number, remove: number, ...insert: number[]) =>
  Buffer.concat([der.subarray(0, at), Buffer.from(insert), der.subarray(at + remove)]);

/** A byte with each of its bits changed. */
export const flips = (byte: number) => [0, 1, 2, 3, 4, 5, 6, 7].map((bit) => byte ^ (1 << bit));

/** Declares that a subject is good, and with no octet changed, gone, added or moved is. `others` has the values to try in the place of one. */
export function testChanges(title: string, subject: Subject, others: (byte: number) => number[]): void {
  const { der, verdict } = subject;

  test(`${title}: it is good as it is`, (t) => {
    t.is(verdict(der), "good");
  });

  test(`${title}: no byte can be another`, (t) => {
    const changes = (at: number) =>
      at === der.length ? [] : others(der[at]).map((value) => splice(der, at, 1, value));
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

/** The changed ones that pass for good: there must be none. */
function accepted({ der, verdict }: Subject, changes: (at: number) => Buffer[]): string[] {
  const found: string[] = [];
  for (let at = 0; at <= der.length; at++)
    for (const changed of changes(at))
      if (!changed.equals(der) && verdict(changed) === "good")
        found.push(`at ${at}: ${changed.toString("hex")}`);
  return found;
}

/** The TLV with a NULL behind the contents of each constructed part in turn; a response's octets are one. */
export function additions(der: Buffer): Buffer[] {
  const within = contents(der);
  const isResponse = der[0] === tag.octetString && within.length > 200;
  if (!(der[0] & 0x20) && !isResponse) return [];
  const parts = children(der);
  const deeper = parts.flatMap((part, i) =>
    additions(part).map((changed) => tlv(der[0], ...parts.slice(0, i), changed, ...parts.slice(i + 1))),
  );
  return [tlv(der[0], within, nil), ...deeper];
}
