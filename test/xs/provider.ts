/** In place of hosts/node/provider.ts, in XS: PSA Crypto, and noble for Ed25519, which that lacks. */

import type { KeyObject } from "node:crypto";
import { readPrivateKey } from "../../hosts/moddable/privatekey.js";
import { portable } from "../../hosts/portable/provider.js";
import { signerOf } from "../../hosts/portable/signer.js";
import { psa, signer as psaSigner } from "../../hosts/psa/index.js";
import type { Exchange, Provider, Signer } from "../../src/crypto/provider.js";
import { namedGroup, signatureScheme } from "../../src/wire/registry.js";

const fallback = portable({ random: host.random, lean: true });

const own: Provider = globalThis.psa
  ? psa(globalThis.psa, { ed25519: () => fallback.verification(signatureScheme.ed25519) })
  : fallback;

/** The methods of a native object, free of it: tests put proxies before it, on which natives can't be called. */
function free<T extends object>(native: T): T {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(native));
  const method = (name: string) => native[name as keyof T] as (...args: unknown[]) => unknown;
  return Object.fromEntries(names.map((name) => [name, method(name).bind(native)])) as T;
}

/** A record, as Node's is: tests spread it. */
export const provider: Provider = Object.freeze<Provider>({
  name: globalThis.psa ? own.name : `${own.name}, lean`,
  // In the order of Node's, which tests count on
  aeads: [...own.aeads].sort(),
  groups: own.groups,
  schemes: own.schemes,
  random: own.random,
  hmac: own.hmac,
  hash: (algorithm) => free(own.hash(algorithm)),
  aead: (...args) => free(own.aead(...args)),
  exchange: (group) => free(own.exchange(group)),
  verification: (scheme) => free(own.verification(scheme)),
});

export function signer(key: KeyObject): Signer {
  const found = readPrivateKey(key.export({ format: "der", type: "pkcs8" }));
  return globalThis.psa && found.kind !== "ed25519" ? psaSigner(globalThis.psa, own, found) : signerOf(found);
}

/** In place of test/hosts/psa/remote.ts: what that starts is here already. */
export async function startPsa(): Promise<undefined> {}

const groups: Readonly<Record<string, number>> = {
  prime256v1: namedGroup.secp256r1,
  secp384r1: namedGroup.secp384r1,
};

/** A key exchange whose private key is known. */
export function EcExchange(curve: string, privateKey: Uint8Array): Exchange {
  return new globalThis.psa.Exchange(groups[curve], privateKey, 0, privateKey.length);
}

export function X25519Exchange({ privateKey }: { privateKey: KeyObject }): Exchange {
  const { d } = privateKey.export({ format: "jwk" });
  const bytes = Buffer.from(d!, "base64url");
  return new globalThis.psa.Exchange(namedGroup.x25519, bytes, 0, bytes.length);
}

/** Neither Mbed TLS 2.28 nor the lean provider has the group. */
export function X448Exchange(_: { privateKey: KeyObject }): Exchange {
  throw new RangeError("tlstaple: no X448 in XS");
}
