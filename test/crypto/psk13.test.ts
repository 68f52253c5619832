import test from "ava";
import { KeySchedule13, scheduleSize13, secretLabel } from "../../src/crypto/keys13.js";
import { binder, maxTicketNonce, resumptionSecret, ticketPsk } from "../../src/crypto/psk13.js";
import { hex, subjects, toHex } from "../hosts/providers.js";
import { none } from "../peers/bytes.js";
import { expandLabel, finished13, hash, hmac, Schedule13 } from "../peers/schedule.js";
import { resumed, simple } from "../vectors/rfc8448.js";

/** Where things lie in the memory that a schedule works on. */
const memory = new Uint8Array(700);
const HASH = 101;
const OUT = 201;
const SHARED = 301;
const NONCE = 351;
const OWN = 401;

/** The secret and what was expanded last are gone; between them the last label stays. */
const isWiped = (own: Uint8Array) =>
  own.every((byte, i) => byte === 0 || (i >= 48 && i < scheduleSize13 - 48));

for (const { provider } of subjects) {
  const title = (text: string) => `${provider.name}: ${text}`;
  const span = (at: number, n: number) => toHex(memory.subarray(at, at + n));

  test(title("RFC 8448 section 3, the ticket's PSK"), (t) => {
    const keys = new KeySchedule13(provider, "sha256", memory, OWN);
    keys.start();
    memory.set(hex(simple.shared), SHARED);
    keys.handshake(SHARED, SHARED + simple.shared.length / 2);
    keys.master();
    memory.set(hex(resumed.wholeHash), HASH);
    resumptionSecret(keys, HASH, OUT);
    t.is(span(OUT, 32), resumed.resumptionMaster);
    memory.set(hex(`ff${resumed.ticketNonce}ff`), NONCE);
    ticketPsk(keys, OUT, NONCE + 1, 2, OUT);
    t.is(span(OUT, 32), resumed.psk);
  });

  test(title("RFC 8448 section 4, the binder"), (t) => {
    const keys = new KeySchedule13(provider, "sha256", memory, OWN);
    keys.start(hex(resumed.psk));
    t.is(span(OWN, 32), resumed.early);
    memory.set(hex(resumed.truncatedHash), HASH);
    binder(keys, HASH, OUT);
    t.is(span(OUT, 32), resumed.binder);
    t.is(span(OWN, 32), resumed.early, "the schedule goes on from there");
  });

  for (const name of ["sha256", "sha384"] as const)
    test(title(`${name}: as another implementation has it`), (t) => {
      const size = name === "sha256" ? 32 : 48;
      const psk = Buffer.alloc(size, 0x5a);
      const messages = Buffer.from("messages");
      const keys = new KeySchedule13(provider, name, memory, OWN);
      keys.start(psk);
      memory.set(hash(name, messages), HASH);
      binder(keys, HASH, OUT);
      const early = hmac(name, Buffer.alloc(size), psk);
      const binderKey = expandLabel(name, early, "res binder", hash(name, none), size);
      t.is(span(OUT, size), finished13(name, binderKey, messages).toString("hex"));

      const oracle = new Schedule13(name, psk);
      memory.fill(0x77, SHARED, SHARED + 32);
      keys.handshake(SHARED, SHARED + 32);
      oracle.advance(Buffer.alloc(32, 0x77));
      keys.derive(secretLabel.clientHandshake, HASH, OUT);
      t.is(span(OUT, size), oracle.derive("c hs traffic", messages).toString("hex"));
      keys.master();
      oracle.advance();
      resumptionSecret(keys, HASH, OUT);
      const master = oracle.derive("res master", messages);
      t.is(span(OUT, size), master.toString("hex"));
      const nonce = Buffer.alloc(maxTicketNonce, 3);
      memory.set(nonce, NONCE);
      ticketPsk(keys, OUT, NONCE, nonce.length, OUT);
      t.is(span(OUT, size), expandLabel(name, master, "resumption", nonce, size).toString("hex"));
    });

  test(title("nothing is written behind an output, and all is wiped"), (t) => {
    memory.fill(7);
    const keys = new KeySchedule13(provider, "sha256", memory, OWN);
    keys.start(hex(resumed.psk));
    binder(keys, HASH, OUT);
    resumptionSecret(keys, HASH, OUT);
    ticketPsk(keys, OUT, NONCE, maxTicketNonce, OUT);
    const rest = [
      memory.subarray(0, OUT),
      memory.subarray(OUT + 32, OWN),
      memory.subarray(OWN + scheduleSize13),
    ];
    t.true(rest.every((bytes) => bytes.every((byte) => byte === 7)));
    keys.forgetSecret();
    t.true(isWiped(memory.subarray(OWN, OWN + scheduleSize13)));
  });
}
