import test from "ava";
import { finishedLabel, KeySchedule12, verifyDataSize } from "../../src/crypto/keys12.js";
import { hex, subjects, toHex } from "../hosts/providers.js";
import { extended, tls12 } from "../vectors/keys.js";

type PrfHash = "sha256" | "sha384";

for (const { provider } of subjects) {
  const title = (text: string) => `${provider.name}: ${text}`;

  for (const v of tls12) {
    test(title(`master secret and key block, ${v.hash}`), (t) => {
      const keys = new KeySchedule12(provider, v.hash as PrfHash);
      const premaster = hex(`a5${v.premaster}a5`);
      keys.masterSecret(premaster, 1, 49, hex(v.helloClientRandom), hex(v.helloServerRandom));
      t.is(toHex(keys.master), v.master);
      // 40 and 88 are what TLS takes; 32, 48 and 96 end with a block
      for (const length of [40, 88, 32, 48, 96, 128]) {
        const out = new Uint8Array(length + 5).fill(7);
        keys.keyBlock(hex(v.clientRandom), hex(v.serverRandom), out, length);
        t.is(toHex(out), `${v.keyBlock.slice(0, 2 * length)}0707070707`);
      }
    });
  }

  for (const v of extended) {
    test(title(`extended master secret and Finished, ${v.hash}`), (t) => {
      const keys = new KeySchedule12(provider, v.hash as PrfHash);
      const premaster = hex(v.premaster);
      keys.extendedMasterSecret(premaster, 0, premaster.length, hex(v.transcriptHash));
      t.is(toHex(keys.master), v.master);
      const out = new Uint8Array(verifyDataSize + 1);
      keys.verifyData(finishedLabel.client, hex(v.transcriptHash), out);
      t.is(toHex(out), `${v.client}00`);
      keys.verifyData(finishedLabel.server, hex(v.transcriptHash), out);
      t.is(toHex(out), `${v.server}00`);
    });
  }

  test(title("nothing secret is left after wiping"), (t) => {
    const keys = new KeySchedule12(provider, "sha256");
    const v = extended[0];
    keys.extendedMasterSecret(hex(v.premaster), 0, 32, hex(v.transcriptHash));
    keys.verifyData(finishedLabel.client, hex(v.transcriptHash), new Uint8Array(12));
    keys.wipe();
    const arrays = Object.values(keys).filter((value) => value instanceof Uint8Array);
    t.true(arrays.length >= 3);
    for (const array of arrays) t.true(array.every((byte) => byte === 0));
  });
}
