import test from "ava";
import { everything, exporting, version } from "../../src/client/index.js";
import { Pair } from "../server/pair.js";

/** Exported keying material: the same at both ends, and only while there is a connection. */

const label = "EXPORTER-test";

for (const [name, maxVersion] of [
  ["TLS 1.2", version.tls12],
  ["TLS 1.3", version.tls13],
] as const) {
  test(`${name}: nothing is exported before the handshake is done, nor after the end`, (t) => {
    const { client, server } = new Pair({ maxVersion, exporting: true }, { features: exporting(everything) });
    const ends = [client.end, server.end];
    const turn = () =>
      client.turn((bytes) => {
        server.incoming = Buffer.concat([server.incoming, bytes]);
      }) ||
      server.turn((bytes) => {
        client.incoming = Buffer.concat([client.incoming, bytes]);
      });
    let steps = 0;
    do {
      steps++;
      for (const end of ends) t.is(end.exportKeyingMaterial(32, label) !== undefined, end.established);
    } while (turn());
    t.true(steps > 10);
    const [ours, theirs] = ends.map((end) => end.exportKeyingMaterial(100, label));
    t.deepEqual(ours, theirs);
    t.is(ours?.length, 100);
    for (const end of ends) {
      end.wipe();
      t.is(end.exportKeyingMaterial(32, label), undefined);
    }
  });

  test(`${name}: labels, contexts and lengths each make it another`, (t) => {
    const { client } = new Pair({ maxVersion, exporting: true }, { features: exporting(everything) }).run();
    const exported = (length: number, name: string, context?: Buffer) =>
      Buffer.from(client.end.exportKeyingMaterial(length, name, context)!).toString("hex");
    const all = [
      exported(32, label),
      exported(32, `${label}2`),
      exported(32, label, Buffer.from("a")),
      exported(32, label, Buffer.from("b")),
    ];
    t.is(new Set(all).size, all.length);
    // No context is an empty one in TLS 1.3 alone
    t.is(exported(32, label) === exported(32, label, Buffer.alloc(0)), maxVersion === version.tls13);
  });

  test(`${name}: who was not told to keep anything exports nothing`, (t) => {
    const { client, server } = new Pair({ maxVersion }).run();
    for (const { end } of [client, server]) {
      t.true(end.established);
      t.is(end.exportKeyingMaterial(32, label), undefined);
    }
  });
}
