// MQTTS with a client certificate: the broker knows the device by its key.
//
// Put three files beside this one, in DER:
//   broker-ca.der   the CA that issued the broker's certificate
//   device.der      the device's certificate
//   device-key.der  its private key, in PKCS #8, SEC 1 or PKCS #1: openssl pkey -outform DER -in key.pem -out device-key.der

import TLSSocket from "embedded:io/socket/tcp/tls";
import MQTTClient from "embedded:network/mqtt/client";
import config from "mc/config";

const { dns, socket } = device.network.mqtt;

new MQTTClient({
  host: config.host,
  port: config.port,
  id: "sensor-7",
  keepAlive: 60_000,
  dns,
  socket: {
    io: TLSSocket,
    TCP: socket,
    secure: {
      certificate: "broker-ca.der",
      clientCertificates: "device.der",
      clientKey: "device-key.der",
      // clientStaple: "device-ocsp.der", // where the broker asks for it, in TLS 1.3
      ocsp: { policy: "if-present" }, // "leaf" when the broker staples
      onError: ({ message }) => trace(`no connection: ${message}\n`),
    },
  },
  onControl({ operation }) {
    if (operation !== MQTTClient.CONNACK) return;
    this.write(ArrayBuffer.fromString("21.5"), { topic: "sensors/7/temperature" });
    trace("published\n");
  },
  onError() {
    trace("the connection is gone\n");
  },
});
