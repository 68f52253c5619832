/** The server's side and the platform, where they need Node. */

import { createPrivateKey } from "node:crypto";
import { fixture, NOW } from "../../../certs/fixtures.js";
import { Keeper } from "../../../hosts/moddable/cache.js";
import { readIdentity } from "../../../hosts/moddable/identity.js";
import { assemble, readCredentials } from "../../../hosts/moddable/options.js";
import { readPem } from "../../../hosts/moddable/pem.js";
import type { Platform } from "../../../hosts/moddable/platform.js";
import { words } from "../../../hosts/moddable/texts.js";
import { remember } from "../../../hosts/moddable/verifiedSignatures.js";
import { provider } from "../../../hosts/node/provider.js";
import { signerOf } from "../../../hosts/portable/signer.js";
import { everything } from "../../../src/client/index.js";
import { identity, servers } from "../../peers/identity.js";
import { Puppet } from "../../peers/puppet.js";
import type { Script } from "../../peers/script.js";
import type { FakeTimers } from "./fake.js";

/** The CA that issued the servers' certificates. */
export const root: Uint8Array = identity("p256", "root").chain[0];

export const pemRoot: Uint8Array = fixture("good/p256/root.pem");

/** The application's resources: the root, and client certificates with their keys. */
function resource(name: string): Uint8Array | undefined {
  if (name === "root.der") return root;
  return name.startsWith("client-") ? fixture(name.replace("client-", "good/client/")) : undefined;
}

export function platform(timers: FakeTimers): Platform {
  return {
    timers,
    provider,
    features: everything,
    readPem,
    clock: () => NOW,
    Keeper,
    remember,
    resource,
    anchors: () => [root],
    assemble,
    readCredentials,
    words,
    readIdentity,
    signer: signerOf,
  };
}

/** A server with the good certificate of localhost. */
export function server(script: Partial<Script> = {}): Puppet {
  return new Puppet({ ...servers.p256, ...script });
}

/** The good server's staple, and the script of one whose certificate is revoked. */
export const staple: Buffer = fixture("good/p256/server1-ocsp.der");

export function revoked(): Partial<Script> {
  return { ...identity("p256", "server2"), staples: [fixture("good/p256/server2-ocsp.der")] };
}

/** The client's own certificate and key, PEM. */
export const clientCertificate: Uint8Array = fixture("good/client/p256.pem");
export const clientKey: Uint8Array = fixture("good/client/p256-key.pem");
export const derKey: Uint8Array = createPrivateKey(Buffer.from(clientKey)).export({
  format: "der",
  type: "pkcs8",
});
