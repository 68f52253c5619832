/** MQTT over our socket, to a real broker behind our server. */

import mqtt from "mqtt";
import { connect, type TlsError } from "../../../../hosts/node/index.js";
import { mosquittoServer } from "../../../peers/services.js";
import { withPeer } from "../../../peers/with-peer.js";
import { type Facts, serveBefore } from "./front.js";

withPeer("mosquitto")("mqtt, of either version", async (t) => {
  const broker = await mosquittoServer();
  t.teardown(() => broker.stop());
  const open = (facts: Facts, protocolVersion: 4 | 5) =>
    new mqtt.MqttClient(() => connect(facts), { reconnectPeriod: 0, protocolVersion });
  const facts = await serveBefore(t, "good", broker.port);
  for (const version of [4, 5] as const) {
    const client = open(facts, version);
    await client.subscribeAsync("greetings", { qos: 1 });
    const message = new Promise((resolve) =>
      client.once("message", (_topic, payload) => resolve(`${payload}`)),
    );
    await client.publishAsync("greetings", "hello".repeat(10_000), { qos: 1 });
    t.is(await message, "hello".repeat(10_000));
    await client.endAsync();
  }
  const refused = open(await serveBefore(t, "revoked", broker.port), 5);
  const error = new Promise((resolve) => refused.once("error", resolve));
  t.is(((await error) as TlsError).code, "OCSP_CERT_REVOKED");
});
