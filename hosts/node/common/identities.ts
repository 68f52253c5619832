import type { KeyObject, X509Certificate } from "node:crypto";
import type { Identity } from "../../../src/crypto/index.js";
import { typeError, valueError } from "./errors.js";
import type { Certificates } from "./pem.js";
import { readPkcs12 } from "./pkcs12.js";
import { certificates, identityOf, readKey } from "./read.js";

/** A private key, PEM or PKCS#8 DER; an object where it has a passphrase of its own, as in node:tls. */
export type PrivateKey = string | Buffer | { readonly pem: string | Buffer; readonly passphrase?: string };

/** A PKCS #12 file; an object where it has a passphrase of its own, as in node:tls. */
export type Pfx = string | Buffer | { readonly buf: string | Buffer; readonly passphrase?: string };

/** Certificates and private keys, as options have them. */
export interface KeyOptions {
  /** The certificate chain, leaf first. With several keys: an array of as many chains, in any order. */
  readonly cert?: Certificates;
  /** Its private key; an array where there are several chains, such as one for RSA and one for ECDSA. */
  readonly key?: PrivateKey | readonly PrivateKey[];
  readonly passphrase?: string;
  /** Keys and their chains in PKCS #12, in place of `cert` and `key` or beside them. Its CAs are not trusted for that. */
  readonly pfx?: Pfx | readonly Pfx[];
}

/** The names of these options. */
export const keyNames: readonly string[] = ["cert", "key", "passphrase", "pfx"];

/** Reads chains and their keys, which must fit: those of `cert` and `key` first. */
export function readIdentities(options: KeyOptions): Identity[] {
  const { pfx, passphrase } = options;
  const files = pfx === undefined ? [] : listOf(pfx);
  return [...readPairs(options), ...files.map((file) => readPfx(file, passphrase))];
}

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}

function readPairs({ cert, key, passphrase }: KeyOptions): Identity[] {
  if (cert === undefined && key === undefined) return [];
  if (cert === undefined || key === undefined) throw valueError("cert", "cert and key come together");
  const keys = listOf(key).map((each) => keyOf(each, passphrase));
  const chains = (keys.length > 1 ? listOf(cert) : [cert]).map((chain) => certificates(chain, "cert"));
  if (chains.length !== keys.length) throw valueError("cert", "there must be one chain for each key");
  return chains.map((chain) => identityOf(chain, keyFor(chain[0], keys)));
}

function keyOf(key: PrivateKey, passphrase: string | undefined): KeyObject {
  const own = typeof key === "object" && key !== null && "pem" in key;
  return own ? readKey(key.pem, key.passphrase ?? passphrase) : readKey(key, passphrase);
}

function keyFor(leaf: X509Certificate, keys: readonly KeyObject[]): KeyObject {
  const found = keys.find((key) => leaf.checkPrivateKey(key));
  if (found !== undefined) return found;
  throw valueError(
    "key",
    keys.length === 1
      ? "it is not the key of the first certificate in cert"
      : `none is the key of the certificate of ${leaf.subject}`,
  );
}

function readPfx(file: Pfx, passphrase: string | undefined): Identity {
  const own = typeof file === "object" && file !== null && "buf" in file;
  const bytes = own ? file.buf : file;
  if (typeof bytes !== "string" && !(bytes instanceof Uint8Array))
    throw typeError("pfx", "PKCS #12 in DER bytes");
  const { chain, key } = attempt(() =>
    readPkcs12(Buffer.from(bytes as Buffer), own ? (file.passphrase ?? passphrase) : passphrase),
  );
  return identityOf(chain, key);
}

function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw valueError("pfx", (error as Error).message);
  }
}
