// The SDK's fetch over its own configuration of HTTPS, which is frozen: what it demands of staples is in the manifest. Each
// server in turn, as job.json lists them; what became of it is traced as a line of JSON.

import HTTPClient from "embedded:network/http/client";
import fetch from "fetch";
import "httpsclient/config";
import Resource from "Resource";
import config from "mc/config";
import CertificateManager from "ssl/cert";
import Timer from "timer";

/** Milliseconds for one answer. */
const PATIENCE = 30_000;

/** Every host is this one. */
class LocalDNS {
  resolve({ host, onResolved }) {
    Timer.set(() => onResolved.call(this, host, "127.0.0.1"));
  }
}

/** By the server's port, who waits for a failure, which fetch keeps to itself; a server may end an old connection meanwhile. */
const failed = new Map();

class Client extends HTTPClient {
  constructor(options) {
    const { onError, port } = options;
    const tell = (error) => failed.get(`${port}`)?.(`${error}`);
    super({
      ...options,
      onError(error) {
        onError.call(this, error);
        tell(error);
      },
    });
  }
}

const { https } = device.network;
globalThis.device = { ...device, network: { https: { ...https, io: Client, dns: { io: LocalDNS } } } };
if (config.register) CertificateManager.register(new Resource(config.register));

async function get(port, length) {
  const response = await fetch(`https://localhost:${port}/fixed/${length}`);
  const { byteLength } = await response.arrayBuffer();
  if (byteLength !== length) throw new Error(`${byteLength} bytes`);
  return "ok";
}

async function run() {
  for (const port of config.ports) {
    const failure = new Promise((resolve) => {
      failed.set(`${port}`, resolve);
      Timer.set(() => resolve("nothing happens any more"), PATIENCE);
    });
    const outcome = await Promise.race([get(port, config.length), failure]);
    trace(`${JSON.stringify({ port, outcome })}\n`);
  }
  trace("end\n");
}

/** Called by the engine when it gives up. */
globalThis.abort = (reason, exception) => trace(`${reason}: ${exception}\n`);

run().catch((error) => trace(`${error}\nend\n`));
