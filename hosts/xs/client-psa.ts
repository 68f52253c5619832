import { readPrivateKey } from "../moddable/privatekey.js";
import { psa, signer } from "../psa/index.js";
import { Client } from "./client.js";

// With `--preload`: over PSA Crypto.

const provider = psa(globalThis.psa);

globalThis.main = () =>
  void new Client(provider, (der) => signer(globalThis.psa, provider, readPrivateKey(der)));
