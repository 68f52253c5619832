import test from "ava";
import { readCertificates } from "../../certs/fixtures.js";
import { provider } from "../../hosts/node/index.js";
import { type ClientOptions, type Provider, TlsClient, trustAnchor } from "../../src/client/index.js";
import { serveTls, stapled } from "../hosts/node/servers.js";
import { request } from "./peers/peer.js";
import { Echo, play, Repeater, record } from "./replay.js";

const size = 50_000;
const trust = readCertificates("good/p256/root.pem").map(trustAnchor);

const clock = () => Date.now() / 1000;

function optionsFor(crypto: Provider): ClientOptions {
  return { provider: crypto, serverName: "localhost", trust, clock, ocsp: { policy: "leaf" } };
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`${version}: a recorded connection plays again, with real cryptography and with none`, async (t) => {
    const identity = await stapled("p256", "server1");
    const port = await serveTls(
      t,
      identity,
      (peer) => peer.once("data", (asked) => peer.write(Buffer.alloc(asked.readUInt32BE(0)))),
      { minVersion: version, maxVersion: version },
    );
    const repeater = new Repeater(provider);
    const echo = new Echo(repeater.provider);
    const recorded = await record(port, optionsFor(echo.recorder), size);
    t.true(recorded.length > size + request(size).length);

    for (let times = 0; times < 3; times++) {
      repeater.rewind();
      const real = new TlsClient(optionsFor(repeater.provider));
      t.is(play(real, recorded), size);
      t.is(real.verdicts[0].status, "good");
      echo.rewind();
      t.is(play(new TlsClient(optionsFor(echo.provider)), recorded), size);
    }

    recorded[recorded.length - 1] ^= 1;
    repeater.rewind();
    t.throws(() => play(new TlsClient(optionsFor(repeater.provider)), recorded), {
      message: "BAD_RECORD_MAC",
    });
  });
}
