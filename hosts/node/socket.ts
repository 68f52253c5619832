import { TlsClient } from "../../src/client/index.js";
import { type ConnectOptions, type Settings, settle } from "./options.js";
import { type Parts, SecureSocket } from "./secure-socket.js";
import { adopt, openTcp } from "./transport.js";

/**
 * A TLS client connection with the manners of node:tls's. `connect` makes them.
 *
 * Events: `connect` (TCP), `secureConnect`, `data`, `end`, `error` (a TlsError or the transport's own),
 * `close`, `timeout`, `keylog` (a line of SSLKEYLOGFILE).
 */
export class TLSSocket extends SecureSocket<TlsClient> {
  /** The name that was verified, and sent as SNI when it is a DNS name. */
  readonly servername: string | undefined;
  private readonly verify: boolean;

  /**
   * @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION`
   */
  constructor(options: ConnectOptions) {
    const settings = settle(options);
    super(partsOf(options, settings));
    this.servername = settings.core.serverName;
    this.verify = settings.core.verify === true;
    if (options.timeout !== undefined) this.setTimeout(options.timeout);
  }

  isSessionReused(): boolean {
    return false;
  }

  protected override announce(): void {
    this.authorized = this.verify;
    if (!this.authorized)
      this.authorizationError = new Error("rejectUnauthorized is false: nothing was verified");
    this.emit("secureConnect");
  }
}

function partsOf(options: ConnectOptions, settings: Settings): Parts<TlsClient> {
  const { allowHalfOpen = false, highWaterMark, onCipher, onMessage, signal, socket } = options;
  const { handshakeTimeout, roots } = settings;
  return {
    stream: { allowHalfOpen, highWaterMark, signal },
    core: (reports) => new TlsClient({ ...settings.core, ...reports }),
    transport: ({ cipherIn }, received) =>
      socket ? adopt(socket, cipherIn, received, onCipher) : openTcp(options, cipherIn, received, onCipher),
    roots,
    handshakeTimeout,
    onMessage,
    onCipher,
  };
}
