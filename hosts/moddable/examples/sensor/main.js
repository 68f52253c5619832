// A sensor on a battery: wakes, resumes its session, sends one reading, sleeps. Deep sleep ends the application, and waking
// begins it anew: all that outlives it is the session, in Preference.

import TLSSocket from "embedded:io/socket/tcp/tls";
import HTTPClient from "embedded:network/http/client";
import config from "mc/config";
import Preference from "preference";
import deepSleep from "sleep";
import Timer from "timer";

/** Milliseconds awake at most: a network that hangs must not empty the battery. */
const LIMIT = 30_000;
/** Milliseconds for the last bytes to go out: what has closed the connection tells the server so. */
const FAREWELL = 100;

/** The session of the one server. */
const cache = {
  get: () => Preference.get("tls", "session"),
  set(_, bytes) {
    if (bytes) Preference.set("tls", "session", bytes);
    else Preference.delete("tls", "session");
  },
};

/** In the place of a sensor's driver. */
const measure = () => 21.5;

/** What is sent, a reading as JSON. */
const body = ArrayBuffer.fromString(JSON.stringify({ celsius: measure() }));

const { dns, socket } = device.network.http;

const https = new HTTPClient({
  host: config.host,
  port: config.port,
  dns,
  socket: {
    io: TLSSocket,
    TCP: socket,
    secure: {
      applicationLayerProtocolNegotiation: "http/1.1",
      certificate: "server-ca.der",
      cache,
      ocsp: { policy: "leaf" },
      onSecure({ session }) {
        trace(session.resumed ? "session resumed\n" : `certificate is ${session.verdicts[0].status}\n`);
      },
      onError: ({ message }) => trace(`no connection: ${message}\n`),
    },
  },
});

/** Closing hands the cache what has come; what is not sent by now waits for the next reading. */
function sleep(outcome) {
  Timer.clear(limit);
  https.close();
  trace(`${outcome}, asleep for ${config.seconds} s\n`);
  Timer.set(() => deepSleep(config.seconds), FAREWELL);
}

const limit = Timer.set(() => sleep("nothing happens"), LIMIT);

let status;
https.request({
  method: "POST",
  path: "/readings",
  headers: new Map([
    ["content-type", "application/json"],
    ["content-length", body.byteLength],
  ]),
  onWritable() {
    this.write(body);
  },
  onHeaders(code) {
    status = code;
  },
  onReadable(count) {
    this.read(count);
  },
  onDone(error) {
    sleep(error ? "not sent" : `sent, status ${status}`);
  },
});
