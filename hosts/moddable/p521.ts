/**
 * Module `tlstaple/p521`: the socket with keys and exchanges on P-521, for boards with PSA Crypto, whose Mbed TLS must have
 * the curve. An application that includes our `manifest_p521.json` has it.
 */

import { platformWithP521 } from "./curve521.js";
import type { SocketOptions } from "./options.js";
import { TLSSocket as Socket } from "./socket.js";
import { platform } from "./tls.js";

const withCurve = platformWithP521(platform);

/** As the one of `embedded:io/socket/tcp/tls`. */
export default class TLSSocket extends Socket {
  constructor(options: SocketOptions) {
    super(options, withCurve);
  }
}
