/** Module `securesocket`: the SDK's classic SecureSocket, on the Moddable SDK. */

import TCP from "embedded:io/socket/tcp";
// biome-ignore lint/style/useNodejsImportProtocol: the SDK's
import net from "net";
import string from "tlstaple/string";
import { type ClassicOptions, type ClassicPlatform, SecureSocket as Socket } from "./classic.js";
import type { Platform } from "./platform.js";
import { platform } from "./tls.js";

export type { ClassicOptions, ClassicSecureOptions, Item, ReadType } from "./classic.js";

/** The SDK's module `net`: that of Node's types is another. */
const Net = net as unknown as Pick<ClassicPlatform, "resolve">;

const classic = Object.freeze({
  __proto__: platform,
  TCP,
  resolve: (host, found) => Net.resolve(host, found),
  string,
  encode: (text) => ArrayBuffer.fromString(text),
} as Omit<ClassicPlatform, keyof Platform> & { __proto__: Platform }) as unknown as ClassicPlatform;

/** A TLS 1.3 and 1.2 client socket with OCSP stapling, as the SDK's classic clients use it. */
export default class SecureSocket extends Socket {
  constructor(options: ClassicOptions) {
    super(options, classic);
  }
}
