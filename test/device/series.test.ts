import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { programFile, type Ran, runJob } from "../../hosts/xs/driver/machine.js";
import { version } from "../../src/wire/registry.js";
import { cases, row } from "./cases.js";
import type { Kind } from "./job.js";
import { record } from "./record.js";
import { incomparable } from "./xs.js";

// A thousand connections of all kinds through the socket, in one machine: with what sockets keep and without, full, again and
// resumed ones, and such as are refused or break off. What they leave must not grow.

const { tls12, tls13 } = version;
const socket = { socket: true };
const revoked = { ...socket, holder: "server2", refused: "OCSP_CERT_REVOKED" } as const;
const unstapled = { ...socket, refused: "OCSP_STAPLE_MISSING" } as const;

const good = [
  ...cases.filter((each) => each.socket),
  row("tls1.3-rsa", tls13, "rsa", 1, socket),
  row("tls1.2-rsa", tls12, "rsa", 1, socket),
];
const refused = [
  row("tls1.3-revoked", tls13, "p256", 1, revoked),
  row("tls1.2-revoked", tls12, "p256", 1, revoked),
  row("tls1.3-unstapled", tls13, "p256", 0, unstapled),
  row("tls1.2-unstapled", tls12, "p256", 0, unstapled),
  row("tls1.3-rsa-revoked", tls13, "rsa", 1, revoked),
];
/** All kinds; the server's bytes go into files of the folder. */
function kindsIn(folder: string): Kind[] {
  const kinds: Kind[] = [];
  const add = (name: string, job: Kind["job"], bytes: Buffer, end: string) => {
    const server = join(folder, `${kinds.length}.bin`);
    writeFileSync(server, bytes);
    kinds.push({ name, job, server, end });
  };
  for (const device of good) {
    const { job, bytes } = record(device);
    add(device.name, job, bytes, device.kept === "session" ? "resumed" : "good");
    const half = bytes.subarray(0, job.handshakeLength >> 1);
    add(`${device.name}, broken off`, job, half, "TRUNCATED");
  }
  for (const device of refused) {
    const { job, bytes } = record(device);
    add(device.name, job, bytes, device.refused!);
  }
  return kinds;
}

const CONNECTIONS = 1000;

async function run(): Promise<{ ran: Ran; kinds: number }> {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
  try {
    const kinds = kindsIn(folder);
    const rounds = Math.ceil(CONNECTIONS / kinds.length) + 1;
    const options = { arena: 65536, sdkSteps: true, patience: 500_000 };
    const ran = await runJob(programFile("series-program"), { kinds, rounds }, options, () => undefined);
    return { ran, kinds: kinds.length };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { native: obstacle } = incomparable;
const device = obstacle ? test.skip : test;

device("after 1,000 connections of all kinds the heap is what it was after the first of each", async (t) => {
  t.timeout(600_000);
  const { ran, kinds } = await run();
  t.is(ran.code, 0, ran.errors);
  const [before, first, ...marks] = ran.stats!.marks.map(({ slotBytes, chunkBytes, nativeBytes }) => [
    slotBytes,
    chunkBytes,
    nativeBytes,
  ]);
  t.true(marks.length * kinds >= CONNECTIONS);
  for (const [i, mark] of marks.entries()) t.deepEqual(mark, first, `after round ${i + 2}`);
  // Beside where they began there is what sockets keep: four sessions, eight signatures
  t.true(first[0] + first[1] - before[0] - before[1] < 4 * 600 + 700, `${before}, ${first}`);
});
