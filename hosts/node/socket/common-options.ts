/** Options that `connect` and `createServer` share: how they are read, and what the core gets. */

import type { BufferSizes, ClientOptions } from "../../../src/client/index.js";
import { type Crls, type OcspRequirement, requirements } from "../../../src/pki/index.js";
import { type CrlList, crlsOf, readCrls } from "../common/crl.js";
import { coded, typeError, valueError } from "../common/errors.js";
import {
  boolean,
  clockFunction,
  cryptoProvider,
  groups,
  type Layer,
  milliseconds,
  nested,
  number,
  oneOf,
  protocols,
  protocolVersion,
  type Read,
  readResponders,
  readRoots,
} from "../common/read.js";
import { provider } from "../provider.js";
import { lookupSchema } from "./inquiry.js";
import { readVerifiedSignatures, sharedMemories } from "./verified-signatures.js";

export type ProtocolVersion = "TLSv1.2" | "TLSv1.3";

/** Of two numbers the buffer begins with the first, and grows up to the second. */
const inputSize: Read<BufferSizes["input"]> = (value, name) => {
  if (!Array.isArray(value)) return number(value, name);
  if (value.length !== 2) throw typeError(name, "a number, or an array of two");
  return [number(value[0], name), number(value[1], name)];
};

/** Options that the core has under the same name and in the same form. */
const sameSchema = {
  requireEms: boolean,
  recordSizeLimit: number,
  clock: clockFunction,
  provider: cryptoProvider,
  buffers: nested({ input: inputSize, output: number, store: number }),
};

export interface CommonOptions extends Partial<Pick<ClientOptions, keyof typeof sameSchema>> {
  /** Application protocols, best first: names, or bytes with each behind its length (RFC 7301 3.1). */
  readonly ALPNProtocols?: readonly string[] | readonly Uint8Array[] | Uint8Array;
  /** Groups of the key exchange, best first: "X25519", "P-256", "P-384", which is the default; "P-521", "X448", "X25519MLKEM768". */
  readonly groups?: readonly string[];
  readonly minVersion?: ProtocolVersion;
  readonly maxVersion?: ProtocolVersion;
  /** Milliseconds from the connection to the end of the handshake; 10,000 by default, 0 for no limit. */
  readonly handshakeTimeout?: number;
  /**
   * How many signatures of certificates and staples that were verified are remembered, up to 4,096, so that they need not be
   * verified again; 256 by default, in one memory for the whole process. Another number: in one for each context or server.
   * 0: none.
   */
  readonly verifiedSignatures?: number;
  /**
   * CRLs, as in node:tls: every certificate of the peer's path but the root must then be vouched for by a list that its own
   * CA has signed, and that is current. No session is resumed then.
   */
  readonly crl?: CrlList;
  /** With `crl`, which certificates need a list: all, with "chain", the default. One that is there is always looked at. */
  readonly crlPolicy?: OcspRequirement;
}

/** How they are read, and those whose meaning each side has to say. */
export const commonSchema = {
  ...sameSchema,
  ALPNProtocols: protocols,
  groups,
  minVersion: protocolVersion,
  maxVersion: protocolVersion,
  handshakeTimeout: milliseconds,
  verifiedSignatures: readVerifiedSignatures,
  rejectUnauthorized: boolean,
  ca: readRoots,
  crl: readCrls,
  crlPolicy: oneOf(...requirements),
};

/** The same for the fields of `ocsp`. */
export const commonOcspSchema = {
  policy: oneOf(...requirements),
  skew: number,
  maxAge: number,
  allowMissingNextUpdate: boolean,
  responders: readResponders,
  ...lookupSchema,
};

/** The core's options but for its anchors: what it calls otherwise is renamed, and all that is not the socket's own passed on. */
export function commonCore<L extends Layer<typeof commonSchema>>(layer: L) {
  const {
    ALPNProtocols,
    ca,
    crl,
    crlPolicy,
    handshakeTimeout,
    rejectUnauthorized,
    verifiedSignatures,
    ...same
  } = layer;
  return {
    provider,
    clock: () => Math.floor(Date.now() / 1000),
    ...same,
    alpn: ALPNProtocols,
    verify: rejectUnauthorized,
    remembered: verifiedSignatures ?? sharedMemories,
  };
}

/** Makes what judges a connection's certificates by CRLs, of those that were given. */
export function crlsFrom({ crl, crlPolicy }: Layer<typeof commonSchema>): (() => Crls) | undefined {
  if (crl) return () => crlsOf(crl, crlPolicy);
  if (crlPolicy) throw valueError("crlPolicy", "only with crl");
  return undefined;
}

/** Has the core check ranges and what options demand of each other, and returns all that it works with. */
export function configured<C>(configure: () => C): C {
  try {
    return configure();
  } catch (error) {
    throw coded(error as RangeError, "ERR_TLSTAPLE_OPTION_VALUE");
  }
}
