import test from "ava";
import { alert, handshakeType, version } from "../../src/client/index.js";
import type { Meetings, Met, Row } from "./handshake.js";

/** What the client can tell an attacker's server is its alert, and nothing else. */
function silent({ seen, version: protocol }: Met["puppet"], { late }: Row): boolean {
  const finished = seen.messages.includes(handshakeType.finished);
  return seen.data.length === 0 && finished === (late === true && protocol === version.tls12);
}

/** A test of what became of a handshake. */
export function declare(row: Row, reason: string | undefined, meetings: () => Meetings, index: number): void {
  const { title, expected } = row;
  const run = reason ? test.skip : test;
  run(`${title} is ${expected}${reason ? `: ${reason}` : ""}`, (t) => {
    const { met: all, ran } = meetings();
    const met = all[index];
    if (met === undefined) return t.fail(`XS ended before it: ${ran.code} ${ran.errors}`);
    t.is(met.verdict, expected);
    if (expected === "good") t.is(met.puppet.ended, alert.close_notify);
    else {
      // Who refuses a message halfway leaves the rest of it unread
      if (expected !== "BUFFER_TOO_SMALL" || !met.reset) t.is(met.puppet.ended, row.alert);
      t.true(silent(met.puppet, row));
    }
  });
}
