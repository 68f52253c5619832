import test, { type ExecutionContext } from "ava";
import type { ClientOptions } from "../../src/client/index.js";
import type { ServerOptions } from "../../src/server/index.js";
import { cipherSuite, namedGroup, version } from "../../src/wire/registry.js";
import { suites } from "../peers/schedule.js";
import { Pair, selection } from "./pair.js";

/** Our client with our server: every handshake that must succeed. */

const { tls12, tls13 } = version;
const both = [
  ["1.2", tls12],
  ["1.3", tls13],
] as const;

/** Shakes hands, sends data both ways, closes in order. */
export function converse(
  t: ExecutionContext,
  server: Partial<ServerOptions> = {},
  client: Partial<ClientOptions> = {},
): Pair {
  const pair = new Pair(server, client).run();
  t.is(pair.server.end.fault, undefined, `server: ${pair.server.end.fault?.name} ${pair.server.end.cause}`);
  t.is(pair.client.end.fault, undefined, `client: ${pair.client.end.fault?.name} ${pair.client.end.cause}`);
  t.true(pair.server.end.established && pair.client.end.established, pair.server.end.state);
  t.is(pair.server.end.version, pair.client.end.version);
  t.is(pair.server.end.suite, pair.client.end.suite);
  t.is(pair.server.end.group, pair.client.end.group);
  t.is(pair.server.end.alpn, pair.client.end.alpn);
  pair.send("client", Buffer.from("hello, server")).send("server", Buffer.from("hello, client"));
  t.is(pair.server.received.toString(), "hello, server");
  t.is(pair.client.received.toString(), "hello, client");
  pair.client.end.close();
  pair.run();
  t.true(pair.server.end.closedByPeer);
  pair.server.end.close();
  pair.run();
  t.true(pair.client.end.closedByPeer);
  t.is(pair.client.end.fault ?? pair.server.end.fault, undefined);
  return pair;
}

for (const [number, suite] of Object.entries(suites)) {
  const id = Number(number);
  const kinds = suite.auth === "rsa" ? ["rsa"] : ["p256", "p384", "ed25519"];
  if (suite.version === tls13) kinds.push("rsa");
  for (const kind of kinds as ("rsa" | "p256" | "p384" | "ed25519")[]) {
    for (const group of Object.values(namedGroup)) {
      test(`suite ${id.toString(16)}, ${kind} certificate, group ${group}`, (t) => {
        const { server } = converse(
          t,
          { suites: [id], groups: [group], select: () => selection(kind) },
          { minVersion: suite.version, maxVersion: suite.version },
        );
        t.is(server.end.suite, id);
        t.is(server.end.group, group);
      });
    }
  }
}
void both;
void cipherSuite;
