/**
 * Module `tlstaple/provider` where there is no PSA Crypto: the one over noble, which is loaded when it is first asked for
 * anything. It can't be preloaded, as in flash its BigInts equal no others; and whoever preloads a module that imports the
 * socket, as the SDK's HTTPS client does, preloads all that this imports.
 */

import Modules from "modules";
import type { Provider } from "../../src/crypto/index.js";
import type { Platform } from "./platform.js";

type Portable = Pick<Platform, "provider" | "signer">;

/** In flash until it changes. */
const late: { portable?: Portable } = {};

function portable(): Portable {
  late.portable ??= Modules.importNow<Portable>("tlstaple/portable");
  return late.portable;
}

const members: readonly (keyof Provider)[] = Object.freeze([
  "name",
  "aeads",
  "groups",
  "schemes",
  "random",
  "hash",
  "hmac",
  "aead",
  "exchange",
  "verification",
]);

function getter(name: keyof Provider): [string, PropertyDescriptor] {
  return [name, { get: () => portable().provider[name], enumerable: true }];
}

export const provider: Provider = Object.defineProperties(
  {},
  Object.fromEntries(members.map(getter)),
) as Provider;

/** As the portable module's. */
export function signer(key: Parameters<Platform["signer"]>[0]): ReturnType<Platform["signer"]> {
  return portable().signer(key);
}
