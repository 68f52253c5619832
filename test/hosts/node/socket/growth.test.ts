/** `buffers.input` of two numbers: what begins small and grows loses nothing, however the bytes come. */
import { connect as connectTcp } from "node:net";
import test from "ava";
import { connect } from "../../../../hosts/node/index.js";
import { serveOurs } from "../ours.js";
import { rootOf } from "../servers.js";

const words = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i * i));

for (const version of ["TLSv1.2", "TLSv1.3"] as const)
  for (const way of ["opened", "handed in"] as const)
    test(`${version}, a connection that was ${way}`, async (t) => {
      const { port } = await serveOurs(t, {}, (socket) => socket.end(words));
      const socket = connect({
        ...(way === "opened" ? { port } : { socket: connectTcp(port, "127.0.0.1") }),
        ...{ minVersion: version, maxVersion: version, servername: "localhost", ca: rootOf("p256") },
        buffers: { input: [1024, 18_693] },
      });
      const heard: Buffer[] = [];
      for await (const chunk of socket) heard.push(chunk);
      t.true(words.equals(Buffer.concat(heard)));
    });

test("a server's, with a client that says much", async (t) => {
  const heard: Buffer[] = [];
  const options = { buffers: { input: [1024, 18_693] as const } };
  const { port } = await serveOurs(t, options, (socket) => {
    socket.on("data", (chunk: Buffer) => heard.push(chunk)).on("end", () => socket.end("bye"));
  });
  const socket = connect({ port, servername: "localhost", ca: rootOf("p256") });
  socket.end(words);
  for await (const chunk of socket) t.is(String(chunk), "bye");
  t.true(words.equals(Buffer.concat(heard)));
});
