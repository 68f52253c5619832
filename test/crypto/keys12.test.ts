import test from "ava";
import {
  KeySchedule12,
  keyBlock,
  masterSize,
  scheduleSize12,
  verifyDataSize,
} from "../../src/crypto/keys12.js";
import { hex, subjects, toHex } from "../hosts/providers.js";
import { extended, tls12 } from "../vectors/keys.js";

type PrfHash = "sha256" | "sha384";

/** Where things lie in the memory that a schedule works on. */
const memory = new Uint8Array(900);
const PREMASTER = 1;
const CLIENT = 101;
const SERVER = CLIENT + 32;
const HASH = 301;
const OUT = 401;
const OWN = 601;

const master = (keys: KeySchedule12) => toHex(memory.subarray(keys.master, keys.master + masterSize));
/** What was written at OUT, and the five bytes behind it. */
const written = (n: number) => toHex(memory.subarray(OUT, OUT + n + 5));

for (const { provider } of subjects) {
  const title = (text: string) => `${provider.name}: ${text}`;
  const schedule = (hash: string) => new KeySchedule12(provider, hash as PrfHash, memory, OWN);

  for (const v of tls12) {
    test(title(`master secret and key block, ${v.hash}`), (t) => {
      const keys = schedule(v.hash);
      memory.set(hex(v.premaster), PREMASTER);
      memory.set(hex(v.helloClientRandom), CLIENT);
      memory.set(hex(v.helloServerRandom), SERVER);
      keys.masterSecret(PREMASTER, PREMASTER + 48, CLIENT);
      t.is(master(keys), v.master);
      memory.set(hex(v.clientRandom), CLIENT);
      memory.set(hex(v.serverRandom), SERVER);
      // 40 and 88 are what TLS takes; 32, 48 and 96 end with a block
      for (const length of [40, 88, 32, 48, 96, 128]) {
        memory.fill(7, OUT, OWN);
        keyBlock(keys, CLIENT, OUT, length);
        t.is(written(length), `${v.keyBlock.slice(0, 2 * length)}0707070707`);
      }
    });
  }

  for (const v of extended) {
    test(title(`extended master secret and Finished, ${v.hash}`), (t) => {
      const keys = schedule(v.hash);
      memory.set(hex(v.premaster), PREMASTER);
      memory.set(hex(v.transcriptHash), HASH);
      keys.sessionMasterSecret(PREMASTER, PREMASTER + v.premaster.length / 2, HASH);
      t.is(master(keys), v.master);
      memory.fill(7, OUT, OWN);
      keys.verifyData("client finished", HASH, OUT);
      t.is(written(verifyDataSize), `${v.client}0707070707`);
      keys.verifyData("server finished", HASH, OUT);
      t.is(written(verifyDataSize), `${v.server}0707070707`);
    });
  }

  test(title("nothing secret is left after wiping"), (t) => {
    const keys = schedule("sha256");
    const v = extended[0];
    memory.set(hex(v.premaster), PREMASTER);
    memory.set(hex(v.transcriptHash), HASH);
    keys.sessionMasterSecret(PREMASTER, PREMASTER + 32, HASH);
    keys.verifyData("client finished", HASH, OUT);
    const own = memory.subarray(OWN, OWN + scheduleSize12);
    t.false(own.every((byte) => byte === 0));
    t.true(
      own.subarray(masterSize).every((byte) => byte === 0),
      "the scratch is wiped by itself",
    );
    keys.eraseMaster();
    t.true(own.every((byte) => byte === 0));
  });
}
