import test from "ava";
import { usualArena } from "../../hosts/xs/driver/machine.js";
import { alert, handshakeType, nameOf, version } from "../../src/client/index.js";
import { type Meetings, type Met, meet, type Row } from "./handshake.js";
import { psaObstacle as reason } from "./machine.js";
import { fixtureRows, repeatedRows } from "./rows.js";

// A thousand handshakes over TCP in one machine, with every chain and every response of certs/ and failures of
// other kinds, must each end as they should, and all leave its memory as it was.

const INTERVAL = 50;
const rows = [...fixtureRows(), ...repeatedRows(110)];
let meetings: Meetings;

test.before(async () => {
  if (!reason) meetings = await meet(rows, usualArena(), INTERVAL);
});

/** What the client can tell an attacker's server is its alert, and nothing else. */
function silent({ seen, version: protocol }: Met["puppet"], { late }: Row): boolean {
  const finished = seen.messages.includes(handshakeType.finished);
  return seen.data.length === 0 && finished === (late === true && protocol === version.tls12);
}

function declare(row: Row, index: number): void {
  const { title, expected } = row;
  const run = reason ? test.skip : test;
  run(`${title} is ${expected}${reason ? `: ${reason}` : ""}`, (t) => {
    const met = meetings.met[index];
    if (met === undefined) return t.fail(`XS ended before it: ${meetings.ran.code} ${meetings.ran.errors}`);
    t.is(met.verdict, expected);
    if (expected === "good") t.is(met.puppet.ended, alert.close_notify);
    else {
      // Who refuses a message halfway leaves the rest of it unread
      if (expected !== "BUFFER_TOO_SMALL" || !met.reset) t.is(met.puppet.ended, row.alert);
      t.true(silent(met.puppet, row));
    }
  });
}

rows.forEach(declare);

/** What was in use before which row: bytes of slots, of chunks, and of PSA Crypto's own. */
function use(): Map<number, string> {
  const { marks } = meetings.ran.stats!;
  const text = marks.map(
    ({ slotBytes, chunkBytes, nativeBytes }) => `${slotBytes} ${chunkBytes} ${nativeBytes}`,
  );
  return new Map(text.map((each, i) => [Math.min(i * INTERVAL, rows.length), each]));
}

const check = reason ? test.skip : test;

check(`after ${rows.length} handshakes the heap is what it was after the first ${INTERVAL}`, (t) => {
  const { code, errors } = meetings.ran;
  t.is(code, 0, errors);
  t.true(rows.length > 1000);
  const without = [...use()].filter(([i]) => i > 0 && !rows[i]?.client.again);
  t.true(without.length > 10);
  for (const [i, bytes] of without) t.is(bytes, without[0][1], `after ${i}`);
});

for (const protocol of [version.tls12, version.tls13]) {
  check(`clients of one arena hold no more each time, ${nameOf(version, protocol)}`, (t) => {
    const held = [...use()].filter(([i]) => rows[i]?.client.again && rows[i].client.version === protocol);
    t.true(held.length > 1);
    for (const [i, bytes] of held) t.is(bytes, held[0][1], `after ${i}`);
  });
}
