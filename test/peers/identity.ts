import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { credential, type Edition } from "../../certs/fixtures.js";

/** A certificate chain with its private key, as a puppet's script takes them. */
export interface Identity {
  chain: Buffer[];
  key: KeyObject;
}

/** A holder of the good PKI, by its edition and name. */
export function identity(edition: Edition | "client", name: string): Identity {
  const { chain, keyFile } = credential(edition, name);
  return { chain: [...chain], key: createPrivateKey(readFileSync(keyFile)) };
}

/** A good server for each kind of key. */
export const servers = {
  p256: identity("p256", "server1"),
  p384: identity("p256", "p384"),
  ed25519: identity("p256", "ed25519"),
  rsa: identity("rsa", "server1"),
};
