// The SDK's classic HTTP, MQTT and WebSocket clients over our SecureSocket: one connection after the other, as job.json
// lists them, each traced as a line of JSON. After HTTP's the client of ECMA-419 has its turn, with the same server.

import TCP from "embedded:io/socket/tcp";
import TLSSocket from "embedded:io/socket/tcp/tls";
import HTTPClient from "embedded:network/http/client";
// biome-ignore lint/style/useNodejsImportProtocol: the SDK's
import { Request } from "http";
import config from "mc/config";
import MQTT from "mqtt";
import SecureSocket from "securesocket";
import Timer from "timer";
import { Client as WebSocket } from "websocket";

/** Milliseconds for one connection, with all that goes over it. */
const PATIENCE = 30_000;

/** What the servers send, and get sent: the byte at a place. */
const byteAt = (i) => (i * 7) & 255;

function pattern(from, length) {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = byteAt(from + i);
  return bytes.buffer;
}

/** Bytes as they come; throws at the first wrong one. */
class Received {
  length = 0;

  add(buffer) {
    for (const byte of new Uint8Array(buffer)) {
      if (byte !== byteAt(this.length)) throw new Error(`byte ${this.length} is wrong`);
      this.length++;
    }
  }
}

/** Text of characters of one to four bytes, zeros among them: every record ends within one of these sooner or later. */
const text = "0123456789".repeat(10) + "zäöü€𝄞\0".repeat(400);

/** Requests, each on a connection of its own: whole, in parts as it comes, what is sent in parts, text. */
const requests = [
  (done) => ({
    path: "/fixed/20000",
    response: ArrayBuffer,
    onDone(body) {
      const received = new Received();
      received.add(body);
      done(received.length === 20_000);
    },
  }),
  (done) => {
    const received = new Received();
    return {
      path: "/chunked/50000",
      onPart(request, count) {
        received.add(request.read(ArrayBuffer, count >> 1));
        received.add(request.read(ArrayBuffer));
      },
      onDone: () => done(received.length === 50_000),
    };
  },
  (done) => {
    const LENGTH = 20_000;
    let sent = 0;
    return {
      path: "/late",
      method: "POST",
      headers: ["content-length", LENGTH],
      body: true,
      response: ArrayBuffer,
      onRoom(room) {
        const length = Math.min(room, LENGTH - sent);
        sent += length;
        return length ? pattern(sent - length, length) : undefined;
      },
      onDone(body) {
        const received = new Received();
        received.add(body);
        done(received.length === LENGTH);
      },
    };
  },
  (done) => {
    const body = ArrayBuffer.fromString(text);
    let sent = 0;
    return {
      path: "/late",
      method: "POST",
      headers: ["content-length", body.byteLength],
      body: true,
      response: String,
      onRoom(room) {
        const part = body.slice(sent, sent + room);
        sent += part.byteLength;
        return part.byteLength ? part : undefined;
      },
      onDone: (answer) => done(answer === text),
    };
  },
];

/** Makes the requests in turn; then one with the client of ECMA-419. */
function http(options, done, [next, ...rest] = requests) {
  if (!next) return modern(options, done);
  const { onDone, onPart, onRoom, ...dictionary } = next((right) => {
    if (right) http(options, done, rest);
    else done(`${dictionary.path}: a wrong answer`);
  });
  const request = new Request({ ...options, ...dictionary });
  request.callback = function (message, value) {
    if (message === Request.requestFragment) return onRoom(value);
    if (message === Request.responseFragment) onPart(this, value);
    else if (message === Request.responseComplete) onDone(value);
    else if (message === Request.error) done(`the client's error ${value?.code}`);
  };
}

function modern({ host, port, secure }, done) {
  const dns = { io: Local };
  const options = { ...secure, serverName: secure.tls_server_name };
  delete options.tls_server_name;
  const socket = { io: TLSSocket, TCP: { io: TCP }, secure: options };
  const client = new HTTPClient({ host, port, dns, socket, onError: () => done("ECMA-419: onError") });
  const received = new Received();
  client.request({
    path: "/fixed/20000",
    onReadable() {
      received.add(this.read());
    },
    onDone(error) {
      client.close();
      done(received.length === 20_000 ? "ok" : `ECMA-419: ${error}`);
    },
  });
}

class Local {
  resolve({ host, onResolved }) {
    Timer.set(() => onResolved.call(this, host, host));
  }
}

/** Messages to itself, one after the other. */
function mqtt(options, done) {
  const lengths = [10, 300, 1500];
  const next = () => client.publish("test/itself", pattern(0, lengths[0]));
  const client = new MQTT({ ...options, id: "tlstaple" });
  client.onReady = () => {
    client.subscribe("test/#");
    Timer.set(next, 100);
  };
  client.onMessage = (_, message) => {
    const received = new Received();
    received.add(message);
    if (received.length !== lengths.shift()) done("a wrong message");
    else if (lengths.length > 0) next();
    else done("ok", () => client.close());
  };
  client.onClose = () => done("the client's onClose");
}

/** Asks for a message, which comes with a ping behind it; it must be in one record. */
function ws(options, done) {
  const LENGTH = 16_000;
  const client = new WebSocket({ ...options, path: "/" });
  client.callback = (message, value) => {
    if (message === WebSocket.handshake) client.write(`send ${LENGTH}`);
    else if (message === WebSocket.disconnect) done("the client's disconnect");
    else if (message === WebSocket.receive) {
      const received = new Received();
      received.add(value);
      done(received.length === LENGTH ? "ok" : "a wrong message", () => client.close());
    }
  };
}

const clients = { http, mqtt, ws };

/** Makes one connection, and tells how it ended and what it was. */
function connect({ client, port, policy }, then) {
  const result = { port, versions: [], resumed: 0 };
  let timer;
  const done = (outcome, close) => {
    if (timer === undefined) return;
    Timer.clear(timer);
    timer = undefined;
    trace(`${JSON.stringify({ ...result, outcome: result.fault ?? outcome })}\n`);
    Timer.set(() => {
      close?.();
      then();
    });
  };
  timer = Timer.set(() => done("nothing happens any more"), PATIENCE);
  const secure = {
    protocolVersion: 0x303,
    trace: false,
    certificate: "ca.der",
    tls_server_name: "localhost",
    ocsp: { policy },
    onSecure({ session }) {
      result.versions.push(session.version);
      if (session.resumed) result.resumed++;
      else result.staple = session.verdicts[0].status;
    },
    onError({ code }) {
      result.fault = code;
    },
  };
  clients[client]({ host: "127.0.0.1", port, Socket: SecureSocket, secure }, done);
}

function run([first, ...rest]) {
  if (first === undefined) trace("end\n");
  else connect(first, () => run(rest));
}

/** Called by the engine when it gives up. */
globalThis.abort = (reason, exception) => trace(`${reason}: ${exception}\n`);

run(config.connections);
