/** Reading options: what `connect` and `createServer` share. */

import type { KeyObject, X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import { type Responder, responder, type TrustAnchor, trustAnchor } from "../../../src/client/index.js";
import type { Identity, Provider } from "../../../src/crypto/index.js";
import { type Fault, isFault, namedGroup, version } from "../../../src/wire/index.js";
import { signer } from "../provider.js";
import { tlsError, typeError, unsupportedError, valueError } from "./errors.js";
import { type Certificates, readCertificates } from "./pem.js";
import { readPrivateKey } from "./private-key.js";

/** A root CA to trust: its certificate, and what the core keeps of it. */
export interface Root {
  readonly certificate: X509Certificate;
  readonly anchor: TrustAnchor;
}

let roots: readonly Root[] | undefined;

/** The CAs that Node brings; the few with a key that we don't know can't be trusted. */
export function defaultRoots(): readonly Root[] {
  roots ??= readRoots(rootCertificates, "ca");
  return roots;
}

// ---- Reading: one function for each option

/** Reads one option's value, and names it in what is thrown. */
export type Read<T> = (value: unknown, name: string) => T;
/** How options are read, each by its name. */
export type Schema = Readonly<Record<string, Read<unknown>>>;
/** A schema that leaves out none of these options. */
export type SchemaOf<Options> = { readonly [K in keyof Options]-?: Read<unknown> };
/** What a schema reads. Absent: not given. */
export type Layer<S extends Schema> = { readonly [K in keyof S]?: ReturnType<S[K]> };

export const boolean: Read<boolean> = (value, name) => {
  if (typeof value !== "boolean") throw typeError(name, "a boolean");
  return value;
};

export const number: Read<number> = (value, name) => {
  if (typeof value !== "number") throw typeError(name, "a number");
  if (!Number.isSafeInteger(value) || value < 0)
    throw valueError(name, `${value} is not a whole number from 0 on`);
  return value;
};

/** The longest that Node's timers can wait; what is longer they cut to nothing. */
const MAX_TIMER = 2 ** 31 - 1;

/** A time span for a timer. */
export const milliseconds: Read<number> = (value, name) => {
  if (typeof value !== "number") throw typeError(name, "a number");
  if (!(value >= 0 && value <= MAX_TIMER))
    throw valueError(name, `${value} is no number of milliseconds from 0 to ${MAX_TIMER}`);
  return value;
};

export function callback<F extends (...args: never[]) => unknown>(): Read<F> {
  return (value, name) => {
    if (typeof value !== "function") throw typeError(name, "a function");
    return value as F;
  };
}

export const abortSignal: Read<AbortSignal> = (value, name) => {
  if (value instanceof AbortSignal) return value;
  throw typeError(name, "an AbortSignal");
};

export const clockFunction = callback<() => number | undefined>();

export function oneOf<T extends string | boolean>(...allowed: T[]): Read<T> {
  return (value, name) => {
    if (allowed.includes(value as T)) return value as T;
    throw valueError(name, `${String(value)} is none of ${allowed.join(", ")}`);
  };
}

export const protocolVersion: Read<number> = (value, name) =>
  oneOf("TLSv1.2", "TLSv1.3")(value, name) === "TLSv1.2" ? version.tls12 : version.tls13;

const strings: Read<readonly string[]> = (value, name) => {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw typeError(name, "an array of strings");
};

/** Application protocols: an array of names, as strings or bytes, or all in bytes, each behind its length (RFC 7301 3.1). */
export const protocols: Read<readonly string[]> = (value, name) => {
  if (ArrayBuffer.isView(value)) return split(latin1(value), name);
  if (!Array.isArray(value)) throw typeError(name, "an array of names, or bytes");
  return strings(
    value.map((each) => (ArrayBuffer.isView(each) ? latin1(each) : each)),
    name,
  );
};

function latin1({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}

function split(list: string, name: string): string[] {
  const names: string[] = [];
  for (let at = 0; at < list.length; at += 1 + names.at(-1)!.length) {
    const end = at + 1 + list.charCodeAt(at);
    if (end > list.length) throw valueError(name, "a name is longer than the bytes");
    names.push(list.slice(at + 1, end));
  }
  return names;
}

/** By the names of node:tls, of IANA and of NIST, in whatever case. */
const groupIds: Readonly<Record<string, number>> = Object.freeze({
  x25519: namedGroup.x25519,
  "p-256": namedGroup.secp256r1,
  "p-384": namedGroup.secp384r1,
  secp256r1: namedGroup.secp256r1,
  secp384r1: namedGroup.secp384r1,
  "p-521": namedGroup.secp521r1,
  secp521r1: namedGroup.secp521r1,
  x448: namedGroup.x448,
  prime256v1: namedGroup.secp256r1,
  x25519mlkem768: namedGroup.x25519mlkem768,
});

const groupNames: Readonly<Record<number, string>> = Object.freeze({
  [namedGroup.x25519]: "X25519",
  [namedGroup.secp256r1]: "P-256",
  [namedGroup.secp384r1]: "P-384",
  [namedGroup.secp521r1]: "P-521",
  [namedGroup.x448]: "X448",
  [namedGroup.x25519mlkem768]: "X25519MLKEM768",
});

/** The first of its names. */
export function groupName(id: number): string {
  return groupNames[id] ?? `group ${id}`;
}

export const groups: Read<readonly number[]> = (value, name) => {
  const ids = strings(value, name).map((each) => {
    if (Object.hasOwn(groupIds, each.toLowerCase())) return groupIds[each.toLowerCase()];
    throw valueError(name, `${each} is none of X25519, P-256, P-384, P-521, X448, X25519MLKEM768`);
  });
  if (ids.length > 0 && new Set(ids).size === ids.length) return ids;
  throw valueError(name, "at least one, and each of them once");
};

export const cryptoProvider: Read<Provider> = (value, name) => {
  if (typeof (value as Provider | null)?.aead === "function") return value as Provider;
  throw typeError(name, "a Provider");
};

export const certificates: Read<X509Certificate[]> = (value, name) => {
  if (!isCertificates(value)) throw typeError(name, "PEM text, DER bytes or an array of these");
  try {
    return readCertificates(value);
  } catch (error) {
    throw valueError(name, (error as Error).message);
  }
};

function isCertificates(value: unknown): value is Certificates {
  const single = typeof value === "string" || value instanceof Uint8Array;
  return single || (Array.isArray(value) && value.every(isCertificates));
}

/** Certificates that can be no anchor are left out: less is trusted then. All of them: that is a mistake. */
export const readRoots: Read<readonly Root[]> = (value, name) => {
  const found = certificates(value, name).map((certificate) =>
    attempt(() => ({ certificate, anchor: trustAnchor(certificate.raw) })),
  );
  const usable = found.filter((root) => !isFault(root)) as Root[];
  if (usable.length === 0 && found.length > 0) throw valueError(name, tlsError(found[0] as Fault).message);
  return usable;
};

export const readResponders: Read<readonly Responder[]> = (value, name) =>
  certificates(value, name).map((certificate) => {
    const read = attempt(() => responder(certificate.raw));
    if (isFault(read)) throw valueError(name, tlsError(read).message);
    return read;
  });

/** What `run` returns, or the fault that it throws. */
export function attempt<T>(run: () => T): T | Fault {
  try {
    return run();
  } catch (thrown) {
    if (isFault(thrown)) return thrown;
    throw thrown;
  }
}

export function nested<S extends Schema>(schema: S): Read<Layer<S>> {
  return (value, name) => {
    if (typeof value !== "object" || value === null) throw typeError(name, "an object");
    return readAll(schema, value, `${name}.`, (unknown) => {
      throw unsupportedError(unknown, `known are ${Object.keys(schema).join(", ")}`);
    });
  };
}

/** Reads what is given, inherited or not, and leaves out what is not. */
export function readAll<S extends Schema>(
  schema: S,
  options: object,
  prefix: string,
  unknown: (name: string) => void,
): Layer<S> {
  const read: Record<string, unknown> = {};
  for (const name in options) {
    const value = options[name as keyof object] as unknown;
    if (value === undefined) continue;
    const result = Object.hasOwn(schema, name) ? schema[name](value, prefix + name) : unknown(prefix + name);
    if (result !== undefined) read[name] = result;
  }
  return read as Layer<S>;
}

/** A chain, leaf first, and its key, which must be of a kind that is known here. */
export function identityOf(chain: readonly X509Certificate[], privateKey: KeyObject): Identity {
  try {
    return { certificates: chain.map((each) => each.raw), signer: signer(privateKey) };
  } catch (error) {
    throw valueError("key", (error as Error).message);
  }
}

/** Reads a private key: PEM, or DER, in PKCS#8, SEC 1 or PKCS#1. */
export function readKey(key: unknown, passphrase?: string): KeyObject {
  if (typeof key !== "string" && !(key instanceof Uint8Array))
    throw typeError("key", "PEM text or DER bytes");
  const input = Buffer.isBuffer(key) || typeof key === "string" ? key : Buffer.from(key);
  try {
    return readPrivateKey(input, passphrase);
  } catch (error) {
    throw valueError("key", (error as Error).message);
  }
}

// ---- Refusing: what would go unnoticed

/** What neither side has of node:tls's options, with what to do instead. */
export const unsupportedAnywhere: Readonly<Record<string, string>> = Object.freeze({
  ALPNCallback: "give ALPNProtocols",
  allowPartialTrustChain: "any certificate in ca is trusted as it is",
  ciphers:
    "the suites are fixed, AEAD with forward secrecy; limit the versions with minVersion and maxVersion",
  clientCertEngine: "give cert and key",
  dhparam: "only ECDHE is spoken",
  ecdhCurve: "give groups, an array of X25519, P-256, P-384, P-521, X448, X25519MLKEM768, best first",
  minDHSize: "only ECDHE is spoken",
  onread: "listen to data",
  privateKeyEngine: "give key",
  privateKeyIdentifier: "give key",
  pskCallback: "pre-shared keys are not spoken",
  secureOptions: "give minVersion and maxVersion",
  secureProtocol: "give minVersion and maxVersion",
  sigalgs: "the signature schemes are fixed",
});

/**
 * What to do with a name that is no option of ours: refused is what node:tls knows, where to ignore it would make a
 * connection less secure than was asked, and what looks like a slip of the pen. Options of HTTP and the like pass
 * through here too, so a name that is merely unknown is none of our business.
 */
export function refuser(known: readonly string[], unsupported: Readonly<Record<string, string>>) {
  const spellings = new Map(known.map((name) => [letters(name), name]));
  return (name: string): void => {
    if (known.includes(name)) return;
    if (Object.hasOwn(unsupported, name)) throw unsupportedError(name, unsupported[name]);
    const meant = spellings.get(letters(name));
    if (meant !== undefined) throw unsupportedError(name, `did you mean ${meant}?`);
  };
}

/** A name's letters, sorted: the same for `ocsp`, `oscp` and `OCSP`. */
function letters(name: string): string {
  return name.toLowerCase().split("").sort().join("");
}
