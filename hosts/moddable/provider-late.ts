/**
 * Module `tlstaple/provider` on simulators: it may be preloaded, as the SDK's configurations of `device.network` make of
 * every socket. Noble may not, as it writes to buffers that it makes when it is loaded: that happens at first use.
 */

import Modules from "modules";
import type { Provider } from "../../src/crypto/index.js";
import type Portable from "./provider-portable.js";

let loaded: typeof Portable | undefined;

function portable(): typeof Portable {
  loaded ??= Modules.importNow<typeof Portable>("tlstaple/portable");
  return loaded;
}

export const provider: Provider = Object.freeze({
  get name() {
    return portable().provider.name;
  },
  get aeads() {
    return portable().provider.aeads;
  },
  get groups() {
    return portable().provider.groups;
  },
  get schemes() {
    return portable().provider.schemes;
  },
  get random() {
    return portable().provider.random;
  },
  get hash() {
    return portable().provider.hash;
  },
  get hmac() {
    return portable().provider.hmac;
  },
  get aead() {
    return portable().provider.aead;
  },
  get exchange() {
    return portable().provider.exchange;
  },
  get verification() {
    return portable().provider.verification;
  },
});

export const signer: typeof Portable.signer = (key) => portable().signer(key);
