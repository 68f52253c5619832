import test from "ava";
import { usualArena } from "../../hosts/xs/driver/machine.js";
import { nameOf, version } from "../../src/client/index.js";
import { declare } from "./declare.js";
import { type Meetings, meet } from "./handshake.js";
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

rows.forEach((row, index) => {
  declare(row, reason, () => meetings, index);
});

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
