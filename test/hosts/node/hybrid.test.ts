/** X25519MLKEM768 at both of our ends. */

import { once } from "node:events";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import test, { type ExecutionContext } from "ava";
import { type ConnectOptions, connect, type ServerOptions, TlsError } from "../../../hosts/node/index.js";
import { mlKem768 } from "../../../hosts/node/mlkem.js";
import { provider } from "../../../hosts/node/provider.js";
import { hybrid, portable } from "../../../hosts/portable/index.js";
import { namedGroup } from "../../../src/wire/index.js";
import { clientError, serveOurs } from "./ours.js";
import { rootOf } from "./servers.js";

const ca = rootOf("p256");
const PQ = "X25519MLKEM768";
const group = namedGroup.x25519mlkem768;
/** Bytes of the shares of both sides, and of the secret. */
const size = { client: 1184 + 32, server: 1088 + 32, secret: 64 };

function open(t: ExecutionContext, port: number, options: ConnectOptions) {
  const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca, ...options });
  socket.on("error", () => undefined);
  t.teardown(() => socket.destroy());
  return socket;
}

async function meet(t: ExecutionContext, client: string[], server: string[], more: ConnectOptions = {}) {
  const ours = await serveOurs(t, { groups: server }, (socket) => socket.pipe(socket));
  const socket = open(t, ours.port, { groups: client, ...more });
  await once(socket, "secureConnect");
  socket.end("hello");
  t.is(`${await readAll(socket)}`, "hello");
  return { socket, served: ours.sockets[0] };
}

async function readAll(socket: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks);
}

for (const [title, client, server, agreed] of [
  ["both like it best", [PQ, "X25519"], [PQ, "X25519"], PQ],
  ["a server that lacks it asks for another share", [PQ, "X25519"], ["X25519"], "X25519"],
  ["a server that has it alone asks for its share", ["X25519", PQ], [PQ], PQ],
  ["a client's share is taken before another group is asked for", ["P-256", PQ], [PQ, "P-256"], "prime256v1"],
] as const)
  test(title, async (t) => {
    const { socket, served } = await meet(t, [...client], [...server]);
    t.is(socket.getEphemeralKeyInfo()!.name, agreed);
    t.is(served.getEphemeralKeyInfo()!.name, agreed);
    t.deepEqual(
      socket.ocsp.map(({ status }) => status),
      ["good", "good"],
    );
    if (agreed === PQ)
      t.deepEqual(socket.getEphemeralKeyInfo(), { type: "TLSGroup", name: PQ, size: undefined });
  });

test("it is offered and taken only where it is asked for", async (t) => {
  const ours = await serveOurs(t);
  const socket = open(t, ours.port, { groups: [PQ] });
  const error = await clientError(ours);
  t.is(error.code, "NO_COMMON_GROUP");
  const [told] = await once(socket, "error").catch((thrown) => [thrown]);
  t.true(told instanceof TlsError);
  const plain = await serveOurs(t, { groups: [PQ] });
  open(t, plain.port, {});
  t.is((await clientError(plain)).code, "NO_COMMON_GROUP");
});

test("TLS 1.2 has no place for it", async (t) => {
  const only: ServerOptions = { maxVersion: "TLSv1.2", groups: [PQ, "P-256"] };
  const ours = await serveOurs(t, only, (socket) => socket.end());
  const socket = open(t, ours.port, { groups: [PQ, "P-256"] });
  await once(socket, "secureConnect");
  t.is(socket.getEphemeralKeyInfo()!.name, "prime256v1");
  const none = await serveOurs(t, { ...only, groups: [PQ] });
  open(t, none.port, { groups: [PQ, "P-256"] });
  t.is((await clientError(none)).code, "NO_COMMON_GROUP");
});

test("a session is resumed with it", async (t) => {
  const ours = await serveOurs(t, { groups: [PQ] }, (socket) => socket.end("bye"));
  const options: ConnectOptions = { groups: [PQ] };
  const first = open(t, ours.port, options);
  const session = once(first, "session");
  await readAll(first);
  const second = open(t, ours.port, { ...options, session: (await session)[0] });
  await readAll(second);
  t.true(second.isSessionReused());
  t.is(second.getEphemeralKeyInfo()!.name, PQ);
});

test("OpenSSL's ML-KEM, where Node has it, and noble's agree, in either role", (t) => {
  const other = hybrid(portable({ random: provider.random }), ml_kem768);
  t.is(other.groups[0], group);
  for (const [a, b] of [
    [provider, other],
    [other, provider],
    [other, other],
  ]) {
    const client = a.exchange(group);
    const server = b.exchange(group);
    const [share, reply] = [new Uint8Array(size.client), new Uint8Array(size.server)];
    const secrets = [new Uint8Array(size.secret), new Uint8Array(size.secret)];
    t.is(client.publicKey(share, 0), size.client);
    t.is(server.agree(share, 0, size.client, secrets[0], 0), size.secret);
    t.is(server.publicKey(reply, 0), size.server);
    t.is(client.agree(reply, 0, size.server, secrets[1], 0), size.secret);
    t.deepEqual(secrets[0], secrets[1]);
    t.false(secrets[0].every((byte) => byte === 0));
    client.dispose();
    server.dispose();
    t.is(client.agree(reply, 0, size.server, secrets[1], 0), 0, "the key is gone");
  }
});

test("a share of another length, no encapsulation key, or a point of small order gives no secret", (t) => {
  const other = hybrid(portable({ random: provider.random }), ml_kem768);
  for (const { exchange } of [provider, other]) {
    const share = new Uint8Array(size.client);
    exchange(group).publicKey(share, 0);
    const out = new Uint8Array(size.secret);
    const refused = (bytes: Uint8Array, why: string) => {
      t.is(exchange(group).agree(bytes, 0, bytes.length, out, 0), 0, why);
      t.true(
        out.every((byte) => byte === 0),
        why,
      );
    };
    refused(share.subarray(0, size.client - 1), "short");
    refused(Uint8Array.of(...share, 0), "long");
    refused(share.subarray(0, 32), "X25519 alone");
    refused(
      share.map((byte, i) => (i < 1184 ? 255 : byte)),
      "coefficients above the modulus",
    );
    refused(
      share.map((byte, i) => (i < 1184 ? byte : 0)),
      "the all-zero point",
    );
    const client = exchange(group);
    client.publicKey(new Uint8Array(size.client), 0);
    t.is(client.agree(share, 0, size.client, out, 0), 0, "a client gets no encapsulation key");
  }
});

test("a changed ciphertext gives another secret, so that the handshake fails", (t) => {
  const client = provider.exchange(group);
  const server = provider.exchange(group);
  const [share, reply] = [new Uint8Array(size.client), new Uint8Array(size.server)];
  const secrets = [new Uint8Array(size.secret), new Uint8Array(size.secret)];
  client.publicKey(share, 0);
  server.agree(share, 0, size.client, secrets[0], 0);
  server.publicKey(reply, 0);
  reply[7] ^= 1;
  t.is(client.agree(reply, 0, size.server, secrets[1], 0), size.secret);
  t.notDeepEqual(secrets[0].subarray(0, 32), secrets[1].subarray(0, 32));
  t.deepEqual(secrets[0].subarray(32), secrets[1].subarray(32));
});

test("the best there is, once", (t) => {
  t.is(mlKem768(), mlKem768());
});
