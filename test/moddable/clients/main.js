// The SDK's HTTP, MQTT and WebSocket clients over our socket: one connection after the other, as job.json lists
// them, each traced as a line of JSON.

import TCP from "embedded:io/socket/tcp";
import TLSSocket from "embedded:io/socket/tcp/tls";
import HTTPClient from "embedded:network/http/client";
import MQTTClient from "embedded:network/mqtt/client";
import WebSocketClient from "embedded:network/websocket/client";
import config from "mc/config";
import Timer from "timer";

/** Milliseconds for one connection, with all that goes over it. */
const PATIENCE = 30_000;

/** Every host is this one. */
class LocalDNS {
  resolve({ host, onResolved }) {
    Timer.set(() => onResolved.call(this, host, "127.0.0.1"));
  }
}

/** What the servers send, and get sent: the byte at a place. */
const byteAt = (i) => (i * 7) & 255;

function pattern(from, length) {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = byteAt(from + i);
  return bytes;
}

/** Counts bytes as they come, and throws at the first wrong one. */
class Received {
  length = 0;

  add(buffer) {
    for (const byte of new Uint8Array(buffer)) {
      if (byte !== byteAt(this.length)) throw new Error(`byte ${this.length} is wrong`);
      this.length++;
    }
  }
}

/** Requests on one connection; every answer is read in two parts, the second time all that is left. */
function http(options, { requests }, done) {
  const client = new HTTPClient({ ...options, onError: () => done("the client's onError") });
  let open = requests.length;
  for (const { path, length, post } of requests) {
    const received = new Received();
    const answered = (error) => {
      if (error || received.length !== length) done(`${path}: ${received.length} bytes, ${error}`);
      else if (--open === 0) done("ok", () => client.close());
    };
    client.request({ path, ...(post ? body(length) : {}), ...reading(received), onDone: answered });
  }
}

const reading = (received) => ({
  onReadable(count) {
    if (count > 7) received.add(this.read(count - 7));
    received.add(this.read());
  },
});

/** Of a request that sends as much as it wants back. */
function body(length) {
  let sent = 0;
  return {
    method: "POST",
    headers: new Map([["content-length", length]]),
    onWritable(count) {
      const bytes = pattern(sent, Math.min(count, length - sent));
      sent += bytes.length;
      this.write(bytes);
    },
  };
}

/** Messages to itself, one after the other; what does not fit at once follows when the socket has room. */
function mqtt(options, _, done) {
  const lengths = [10, 300, 5000];
  let received;
  let length = 0;
  let sent = 0;
  const send = (client, room, message) => {
    const bytes = pattern(sent, Math.min(room, length - sent));
    sent += bytes.length;
    client.write(bytes, message);
  };
  const next = (client) => {
    length = lengths.shift();
    received = new Received();
    sent = 0;
    send(client, 256, { topic: "test/itself", byteLength: length });
  };
  const client = new MQTTClient({
    ...options,
    id: "tlstaple",
    onControl({ operation }) {
      if (operation === MQTTClient.CONNACK)
        this.write(null, { operation: MQTTClient.SUBSCRIBE, items: [{ topic: "test/#" }] });
      else if (operation === MQTTClient.SUBACK) next(this);
    },
    onWritable(count) {
      if (sent < length) send(this, count);
    },
    onReadable(count) {
      received.add(this.read(count));
      if (received.length < length) return;
      if (lengths.length > 0) next(this);
      else done("ok", () => client.close());
    },
    onClose: () => done("the client's onClose"),
    onError: () => done("the client's onError"),
  });
}

/** Asks for a message longer than a record, which comes with a ping behind it. */
function ws(options, _, done) {
  const LENGTH = 40_000;
  const received = new Received();
  let pinged = false;
  let asked = false;
  const end = () => {
    if (pinged && received.length === LENGTH) done("ok", () => client.close());
  };
  const client = new WebSocketClient({
    ...options,
    path: "/",
    onWritable() {
      if (!asked) this.write(ArrayBuffer.fromString(`send ${LENGTH}`), { binary: false });
      asked = true;
    },
    onControl(opcode) {
      if (opcode === WebSocketClient.ping) pinged = true;
      end();
    },
    onReadable(count) {
      received.add(this.read(count));
      end();
    },
    onClose: () => done("the client's onClose"),
    onError: () => done("the client's onError"),
  });
}

const clients = { http, mqtt, ws };

/** Makes one connection, and tells how it ended and what it was. */
function connect(connection, then) {
  const { client, port, policy } = connection;
  const began = Date.now();
  const result = { port };
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
    certificate: "ca.der",
    ...(client === "mqtt" ? {} : { applicationLayerProtocolNegotiation: "http/1.1" }),
    ocsp: { policy },
    onSecure({ session }) {
      result.milliseconds = Date.now() - began;
      result.version = session.version;
      result.resumed = session.resumed;
      result.staple = session.verdicts[0]?.status;
    },
    onError({ code }) {
      result.fault = code;
    },
  };
  const socket = { io: TLSSocket, TCP: { io: TCP }, secure };
  const options = { host: "localhost", port, dns: { io: LocalDNS }, socket };
  clients[client](options, connection, done);
}

function run([first, ...rest]) {
  if (first === undefined) trace("end\n");
  else connect(first, () => run(rest));
}

/** Called by the engine when it gives up. */
globalThis.abort = (reason, exception) => trace(`${reason}: ${exception}\n`);

run(config.connections);
