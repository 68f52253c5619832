import { readPrivateKey } from "../moddable/pkcs8.js";
import { portable } from "../portable/provider.js";
import { signer } from "../portable/signer.js";
import { Client } from "./client.js";

// Not for `--preload`, in which BigInts don't equal those of flash: over noble.

const provider = portable({ random: host.random, lean: true });

new Client(provider, (der) => {
  const { kind, start, end } = readPrivateKey(der);
  return signer(kind, der.slice(start, end));
});
