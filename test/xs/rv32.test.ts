import test from "ava";
import { usualArena } from "../../hosts/xs/driver/machine.js";
import { declare } from "./declare.js";
import { type Meetings, meet } from "./handshake.js";
import { rv32Obstacle as reason } from "./machine.js";
import { essentialRows } from "./rows.js";

// On the instruction set of the ESP32-C3, C6 and H2: handshakes over TCP, with good, revoked and no staples. The
// socket's contract is in rv32-moddable.test.ts, PSA Crypto's natives are in test/hosts/psa/rv32.test.ts, and what a
// connection costs is in test/device/rv32.test.ts.

const rows = essentialRows();
let meetings: Meetings;

test.before(async () => {
  if (!reason) meetings = await meet(rows, usualArena("rv32"), rows.length, "rv32");
});

rows.forEach((row, index) => {
  declare(row, reason, () => meetings, index);
});
