/** The options of Stapler and StapleCache. */

import type { X509Certificate } from "node:crypto";
import type { OcspPolicy } from "../../../src/pki/index.js";
import { typeError, valueError } from "../common/errors.js";
import type { Certificates } from "../common/pem.js";
import {
  boolean,
  callback,
  certificates,
  milliseconds,
  nested,
  number,
  type Read,
  readResponders,
  type SchemaOf,
} from "../common/read.js";
import { type KeyValueStore, keyValueStore } from "../common/store.js";
import type { FetchOptions, OcspFetch } from "./http.js";

export interface StaplerOptions {
  /** The responder to ask, in place of those that the certificates name. */
  readonly overrideUrl?: string;
  /** Certificates of CAs that are not in the chains, so that the issuer of each certificate is known. */
  readonly issuers?: Certificates;
  /** Certificates of responders that are trusted though no CA delegated them. */
  readonly responders?: Certificates;
  /** Where staples survive a restart, and are shared by many servers, so that one of them asks for all: a Keyv, a FileStore. */
  readonly store?: KeyValueStore;
  /** Fetches in place of HTTP. */
  readonly fetch?: OcspFetch;
  /** False: always POST; else GET where the URL stays within 255 bytes. */
  readonly get?: boolean;
  /** Milliseconds for one request to one responder; 5,000 by default. */
  readonly timeout?: number;
  /** Milliseconds that a handshake waits for a first response; 3,000 by default. */
  readonly wait?: number;
  /** Requests with clients' nonces that may be under way at once; 20 by default. Beyond that, what is kept is stapled. */
  readonly noncesAtOnce?: number;
  /** How many of them may begin within a second; 50 by default. */
  readonly noncesPerSecond?: number;
  /** Milliseconds that a handshake waits for them; 2,000 by default. */
  readonly nonceWait?: number;
  /** The largest response; 65,536 by default. */
  readonly maxBytes?: number;
  /** How many certificates are known at a time; 1,000 by default. */
  readonly maxEntries?: number;
  /** Seconds by which a responder's clock may be ahead; 60 by default. */
  readonly skew?: number;
  /** Seconds after thisUpdate from which a response is stale, nextUpdate or not. */
  readonly maxAge?: number;
  /** Take responses without nextUpdate, for `maxAge` or an hour. */
  readonly allowMissingNextUpdate?: boolean;
  /** Seconds since 1970. */
  readonly clock?: () => number;
  /** A number from 0 up to 1, for the jitter; Math.random by default. */
  readonly random?: () => number;
}

/** The options as they were read, with what was left out filled in. */
export interface Settings {
  readonly issuers: readonly X509Certificate[];
  readonly policy: OcspPolicy;
  readonly fetching: FetchOptions & { readonly overrideUrl?: string; readonly maxBytes: number };
  readonly store: KeyValueStore | undefined;
  readonly wait: number;
  readonly noncesAtOnce: number;
  readonly noncesPerSecond: number;
  readonly nonceWait: number;
  readonly maxEntries: number;
  readonly clock: () => number;
  readonly random: () => number;
}

/** @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION` */
export function readSettings(options: StaplerOptions): Settings {
  const read = nested(schema)(options, "stapler");
  const { overrideUrl, fetch, get, timeout, maxBytes = 65536 } = read;
  const { skew = 60, maxAge, allowMissingNextUpdate = false, responders = [] } = read;
  return {
    issuers: read.issuers ?? [],
    policy: { skew, maxAge, allowMissingNextUpdate, responders },
    fetching: { overrideUrl, fetch, get, timeout, maxBytes },
    store: read.store,
    wait: read.wait ?? 3000,
    noncesAtOnce: read.noncesAtOnce ?? 20,
    noncesPerSecond: read.noncesPerSecond ?? 50,
    nonceWait: read.nonceWait ?? 2000,
    maxEntries: read.maxEntries ?? 1000,
    clock: read.clock ?? (() => Date.now() / 1000),
    random: read.random ?? Math.random,
  };
}

/** A URL that can be asked. */
export const responderUrl: Read<string> = (value, name) => {
  if (typeof value !== "string") throw typeError(name, "a string");
  if (!URL.canParse(value) || !/^https?:/i.test(value))
    throw valueError(name, `${value} is no http or https URL`);
  return value;
};

const positive: Read<number> = (value, name) => {
  if (number(value, name) === 0) throw valueError(name, "it must be at least 1");
  return value as number;
};

const schema = {
  overrideUrl: responderUrl,
  issuers: certificates,
  responders: readResponders,
  store: keyValueStore,
  fetch: callback<OcspFetch>(),
  get: boolean,
  timeout: milliseconds,
  wait: milliseconds,
  noncesAtOnce: number,
  noncesPerSecond: number,
  nonceWait: milliseconds,
  maxBytes: positive,
  maxEntries: positive,
  skew: number,
  maxAge: number,
  allowMissingNextUpdate: boolean,
  clock: callback<() => number>(),
  random: callback<() => number>(),
} satisfies SchemaOf<StaplerOptions>;
