// The SDK's configurations as an application uses them: spread, with a host. Each traces a line when its server has answered.

import config from "mc/config";

const { https, mqtts, wss } = device.network;
const { ports } = config;
const host = "localhost";
const failed = (name) => () => trace(`${name}: failed\n`);

const client = new https.io({ ...https, host, port: ports.https });
client.request({
  path: "/",
  onHeaders: (status) => trace(`https: ${status}\n`),
  onDone: (error) => error && failed("https")(),
});

new mqtts.io({
  ...mqtts,
  host,
  port: ports.mqtts,
  id: "tlstaple",
  onControl: ({ operation }) => trace(`mqtts: ${operation}\n`),
  onError: failed("mqtts"),
});

new wss.io({
  ...wss,
  host,
  port: ports.wss,
  path: "/",
  onWritable() {
    this.write(ArrayBuffer.fromString("hello"), { binary: false });
  },
  onReadable(count) {
    trace(`wss: ${String.fromArrayBuffer(this.read(count))}\n`);
  },
  onClose: failed("wss"),
  onError: failed("wss"),
});

// A mistake, of which its client tells nothing
new mqtts.io({
  ...mqtts,
  host,
  port: ports.mqtts,
  socket: { ...mqtts.socket, secure: { certificate: "absent.der" } },
  onError: failed("mistake"),
});
