/** Module `embedded:io/socket/tcp/tls`: the socket on the Moddable SDK. */

import Resource from "Resource";
import Timer from "timer";
import { caIndex } from "tlstaple/caIndex";
import { clientCertificates, readIdentity } from "tlstaple/clientCertificates";
import { withDefaults } from "tlstaple/config";
import { nameConstraints } from "tlstaple/nameConstraints";
import { readPem } from "tlstaple/pem";
import { provider, signer } from "tlstaple/provider";
import { cache, Keeper, resumption } from "tlstaple/resumption";
import { rsa } from "tlstaple/rsa";
import { statusV2 } from "tlstaple/statusV2";
import { words } from "tlstaple/texts";
import { tls12 } from "tlstaple/tls12";
import { remember } from "tlstaple/verifiedSignatures";
import { features } from "../../src/client/index.js";
import type { TlsError } from "../../src/wire/index.js";
import { assemble, readCredentials, type SocketOptions } from "./options.js";
import type { ByteBuffer, Platform } from "./platform.js";
import { Registered } from "./registered.js";
import { tell } from "./report.js";
import { TLSSocket as Socket } from "./socket.js";

export type {
  Credential,
  OcspSettings,
  ProtocolVersion,
  SecureOptions,
  SocketOptions,
} from "./options.js";
export type { ByteBuffer, Session, SessionCache, SignatureStore, TlsError, WriteOptions } from "./socket.js";

/** One more than the highest number of a CA among the SDK's certificates, `ca0.der` and so on. */
const SDK_CERTIFICATES = 256;

/** What system time begins with on a device is long before the core's `clockFloor`: no date is checked by it. */
function clock(): number {
  return Math.floor(Date.now() / 1000);
}

function resource(name: string): ByteBuffer | undefined {
  return Resource.exists(name) ? new Resource(name) : undefined;
}

/** For the module that takes the place of the SDK's `ssl/cert`. */
export const registered = new Registered();

/** What was registered, and those of the SDK's CA certificates that the application's manifest lists. */
function anchors(first: number): ByteBuffer[] {
  const found = registered.all.slice();
  for (let i = first; i < SDK_CERTIFICATES; i++) {
    const der = resource(`ca${i}.der`);
    if (der !== undefined) found.push(der);
  }
  return found;
}

function report(error: TlsError): void {
  trace(tell(error));
}

/** The system, for the other modules of ours. */
export const platform: Platform = Object.freeze({
  timers: Timer,
  provider,
  features: features({ tls12, statusV2, clientCertificates, resumption, nameConstraints, rsa }),
  readPem,
  readCredentials,
  readIdentity,
  signer,
  clock,
  cache,
  Keeper,
  remember,
  resource,
  anchors,
  caIndex,
  assemble,
  withDefaults,
  words,
  report,
});

/** A TLS 1.3 and 1.2 client socket with OCSP stapling, as ECMA-419 and the SDK's clients use it. */
export default class TLSSocket extends Socket {
  /** @throws what the socket's constructor does. It is traced too: the SDK's clients keep it to themselves */
  constructor(options: SocketOptions) {
    try {
      super(options, platform);
    } catch (error) {
      trace(`${error}\n`);
      throw error;
    }
  }
}
