import test from "ava";
import { KeySchedule13, scheduleSize13, secretLabel } from "../../src/crypto/keys13.js";
import { hex, subjects, toHex } from "../hosts/providers.js";
import { tls13sha384 } from "../vectors/keys.js";
import { retry, simple } from "../vectors/rfc8448.js";

/** Where things lie in the memory that a schedule works on. */
const memory = new Uint8Array(700);
const SECRET = 1;
const HASH = 101;
const OUT = 201;
const SHARED = 301;
const OWN = 401;

for (const { provider } of subjects) {
  const title = (text: string) => `${provider.name}: ${text}`;

  /** Calls that write to a buffer, as ones that return hex. */
  function reader(keys: KeySchedule13) {
    const taken = (n = keys.size) => toHex(memory.subarray(OUT, OUT + n));
    return {
      derive(label: string, transcriptHash: string): string {
        memory.set(hex(transcriptHash), HASH);
        keys.derive(label, HASH, OUT);
        return taken();
      },
      finished(secret: string, transcriptHash: string): string {
        memory.set(hex(secret), SECRET);
        memory.set(hex(transcriptHash), HASH);
        keys.finished(SECRET, HASH, OUT);
        return taken();
      },
      trafficKeys(secret: string, keyLength: number): [string, string] {
        memory.set(hex(secret), SECRET);
        const iv = new Uint8Array(12);
        keys.trafficKeys(SECRET, OUT, keyLength, iv);
        return [taken(keyLength), toHex(iv)];
      },
    };
  }

  function atHandshake(hash: "sha256" | "sha384", shared: string): KeySchedule13 {
    const keys = new KeySchedule13(provider, hash, memory, OWN);
    keys.start();
    const secret = hex(`a5${shared}a5`);
    memory.set(secret, SHARED);
    keys.handshake(SHARED + 1, SHARED + secret.length - 1);
    return keys;
  }

  test(title("RFC 8448 section 3"), (t) => {
    const keys = atHandshake("sha256", simple.shared);
    const { derive, finished, trafficKeys } = reader(keys);
    t.is(derive(secretLabel.clientHandshake, simple.helloHash), simple.clientHandshake);
    t.is(derive(secretLabel.serverHandshake, simple.helloHash), simple.serverHandshake);
    const { clientHandshakeKey, clientHandshakeIv, serverHandshakeKey, serverHandshakeIv } = simple;
    t.deepEqual(trafficKeys(simple.clientHandshake, 16), [clientHandshakeKey, clientHandshakeIv]);
    t.deepEqual(trafficKeys(simple.serverHandshake, 16), [serverHandshakeKey, serverHandshakeIv]);
    t.is(finished(simple.serverHandshake, simple.serverVerifyHash), simple.serverVerifyData);
    t.is(finished(simple.clientHandshake, simple.finishedHash), simple.clientVerifyData);

    keys.master();
    t.is(derive(secretLabel.clientApplication, simple.finishedHash), simple.clientApplication);
    t.is(derive(secretLabel.serverApplication, simple.finishedHash), simple.serverApplication);
    t.is(derive(secretLabel.exporter, simple.finishedHash), simple.exporter);
    const { clientApplicationKey, clientApplicationIv, serverApplicationKey, serverApplicationIv } = simple;
    t.deepEqual(trafficKeys(simple.clientApplication, 16), [clientApplicationKey, clientApplicationIv]);
    t.deepEqual(trafficKeys(simple.serverApplication, 16), [serverApplicationKey, serverApplicationIv]);
  });

  test(title("RFC 8448 section 5, after a HelloRetryRequest"), (t) => {
    const keys = atHandshake("sha256", retry.shared);
    const { derive, trafficKeys } = reader(keys);
    t.is(derive(secretLabel.clientHandshake, retry.helloHash), retry.clientHandshake);
    t.is(derive(secretLabel.serverHandshake, retry.helloHash), retry.serverHandshake);
    t.deepEqual(trafficKeys(retry.serverHandshake, 16), [retry.serverHandshakeKey, retry.serverHandshakeIv]);
    keys.master();
    t.is(derive(secretLabel.clientApplication, retry.finishedHash), retry.clientApplication);
    t.is(derive(secretLabel.serverApplication, retry.finishedHash), retry.serverApplication);
    t.is(derive(secretLabel.exporter, retry.finishedHash), retry.exporter);
  });

  test(title("SHA-384"), (t) => {
    const v = tls13sha384;
    const keys = atHandshake("sha384", v.shared);
    const { derive, finished, trafficKeys } = reader(keys);
    t.is(derive(secretLabel.clientHandshake, v.transcriptHash), v.clientHandshake);
    t.is(derive(secretLabel.serverHandshake, v.transcriptHash), v.serverHandshake);
    t.is(finished(v.clientHandshake, v.transcriptHash), v.clientVerifyData);
    keys.master();
    t.is(derive(secretLabel.clientApplication, v.transcriptHash), v.clientApplication);
    t.is(derive(secretLabel.exporter, v.transcriptHash), v.exporter);
    t.deepEqual(trafficKeys(v.clientApplication, 32), [v.clientApplicationKey, v.clientApplicationIv]);
    memory.set(hex(v.clientApplication), SECRET);
    keys.updateSecret(SECRET);
    t.is(toHex(memory.subarray(SECRET, SECRET + keys.size)), v.clientUpdated);
  });

  test(title("a schedule may be started over"), (t) => {
    const keys = atHandshake("sha256", retry.shared);
    keys.master();
    keys.start();
    memory.set(hex(simple.shared), SHARED);
    keys.handshake(SHARED, SHARED + simple.shared.length / 2);
    t.is(reader(keys).derive(secretLabel.clientHandshake, simple.helloHash), simple.clientHandshake);
  });

  test(title("nothing is written behind an output"), (t) => {
    const keys = atHandshake("sha256", simple.shared);
    memory.fill(7, 0, OWN);
    memory.fill(7, OWN + scheduleSize13);
    const iv = new Uint8Array(20).fill(7);
    const rest = (bytes: Uint8Array, from: number) => bytes.subarray(from).every((byte) => byte === 7);
    keys.derive(secretLabel.exporter, HASH, OUT);
    keys.finished(SECRET, HASH, OUT);
    keys.updateSecret(OUT);
    const whole = (n: number) =>
      rest(memory.subarray(0, OUT), 0) &&
      rest(memory.subarray(OUT + n, OWN), 0) &&
      rest(memory, OWN + scheduleSize13);
    t.true(whole(32));
    memory.fill(7, 0, OWN);
    keys.trafficKeys(SECRET, OUT, 16, iv);
    t.true(whole(16) && rest(iv, 12));
  });

  test(title("a wiped schedule has forgotten its secret and still updates keys"), (t) => {
    const keys = atHandshake("sha256", simple.shared);
    keys.forgetSecret();
    t.not(reader(keys).derive(secretLabel.clientHandshake, simple.helloHash), simple.clientHandshake);
    t.is(reader(keys).finished(simple.clientHandshake, simple.finishedHash), simple.clientVerifyData);
    const own = memory.subarray(OWN, OWN + scheduleSize13);
    t.false(
      own.every((byte) => byte === 0),
      "the last label is there",
    );
    keys.forgetSecret();
    const isLabel = (i: number) => i >= 48 && i < scheduleSize13 - 48;
    t.true(own.every((byte, i) => byte === 0 || isLabel(i)));
  });
}
