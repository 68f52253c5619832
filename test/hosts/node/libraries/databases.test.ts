/** Clients of databases over our socket, each in the way that its documentation has for a stream of one's own. */

import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import test from "ava";
import { Redis } from "ioredis";
import mysql from "mysql2/promise";
import pg from "pg";
import { credential } from "../../../../certs/fixtures.js";
import { connect } from "../../../../hosts/node/index.js";
import type { Peer } from "../../../peers/process.js";
import { mariadbServer, postgresServer, redisServer } from "../../../peers/services.js";
import { withPeer } from "../../../peers/with-peer.js";
import { rootOf } from "../servers.js";
import { type Facts, serveBefore } from "./front.js";

const revoked = { code: "OCSP_CERT_REVOKED" };
const peers: Peer[] = [];
test.after.always(() => Promise.all(peers.map((peer) => peer.stop())));

async function started(peer: Promise<Peer>): Promise<number> {
  peers.push(await peer);
  return peers.at(-1)!.port;
}

withPeer("redis")("ioredis", async (t) => {
  const port = await started(redisServer());
  const open = (facts: Facts) =>
    new Redis({
      lazyConnect: true,
      retryStrategy: () => null,
      Connector: class {
        connect = async () => connect(facts);
        disconnect = () => undefined;
        check = () => true;
      } as never,
    });
  const redis = open(await serveBefore(t, "good", port));
  await redis.set("greeting", "hello");
  t.is(await redis.get("greeting"), "hello");
  await redis.quit();
  const refused = open(await serveBefore(t, "revoked", port));
  const error = once(refused, "error");
  await t.throwsAsync(refused.connect());
  t.is((await error)[0].code, revoked.code);
});

withPeer("postgres")("pg: a server of its own TLS, and one behind ours", async (t) => {
  const port = await started(postgresServer(credential("p256", "server1")));
  const ask = async (stream: ReturnType<typeof connect>) => {
    const client = new pg.Client({ user: "postgres", database: "postgres", stream: () => stream });
    await client.connect();
    const { rows } = await client.query("SELECT $1::int + 1 AS sum", [41]);
    await client.end();
    return rows;
  };
  t.deepEqual(await ask(connect(await serveBefore(t, "good", port))), [{ sum: 42 }]);
  await t.throwsAsync(ask(connect(await serveBefore(t, "revoked", port))), revoked);
  // SSLRequest, to which it says S
  const tcp = connectTcp(port, "127.0.0.1");
  tcp.write(Buffer.from("0000000804d2162f", "hex"));
  await once(tcp, "data");
  const own = { socket: tcp, servername: "localhost", ca: rootOf("p256") };
  t.deepEqual(await ask(connect({ ...own, allowTruncation: true })), [{ sum: 42 }]);
});

withPeer("mariadb")("mysql2", async (t) => {
  const port = await started(mariadbServer());
  const open = (facts: Facts) =>
    mysql.createConnection({ user: "guest", password: "secret", stream: () => connect(facts) });
  const connection = await open(await serveBefore(t, "good", port));
  const [rows] = await connection.execute("SELECT ? + 1 AS sum", [41]);
  t.is(Number((rows as { sum: number }[])[0].sum), 42);
  await connection.end();
  await t.throwsAsync(open(await serveBefore(t, "revoked", port)), revoked);
});
