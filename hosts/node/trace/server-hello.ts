import { cipherSuite } from "../../../src/client/index.js";
import type { Reader } from "../../../src/wire/index.js";
import { type Extension, numbered, readBytes, readExtensions, readVector8 } from "./fields.js";

/** The random that makes a ServerHello a HelloRetryRequest, RFC 8446 4.1.3. */
const RETRY = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";

/** ServerHello, RFC 8446 4.1.3. */
interface ServerHello {
  readonly retry: boolean;
  readonly suite: string;
  readonly extensions: Extension[];
}

/** @throws DECODE_ERROR */
export function readServerHello(r: Reader): ServerHello {
  r.skip(2);
  const retry = readBytes(r, 32).toString("hex") === RETRY;
  readVector8(r);
  const suite = numbered(cipherSuite, r.u16());
  r.u8();
  return { retry, suite, extensions: readExtensions(r) };
}
