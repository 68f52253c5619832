/** An application on the socket that writes down all that happens to it. */

import type { Platform } from "../../../hosts/moddable/platform.js";
import type { SecureOptions, SocketOptions, TlsError } from "../../../hosts/moddable/socket.js";
import { TLSSocket } from "../../../hosts/moddable/socket.js";
import type { ClientHandshake } from "../../../src/client/handshake.js";
import type { Provider } from "../../../src/crypto/provider.js";
import { FakeTimers, type Quirks, type Server, Wire } from "./fake.js";
import { platform, server } from "./peer.js";

type Callbacks = Pick<SocketOptions, "onReadable" | "onWritable" | "onError">;

export interface Setup extends Partial<Omit<SocketOptions, "secure" | "TCP">> {
  readonly script?: Parameters<typeof server>[0];
  /** What is at the other end, instead of a server that follows the script. */
  readonly peer?: Server;
  readonly quirks?: Partial<Quirks>;
  readonly secure?: SecureOptions;
  readonly platform?: Partial<Platform>;
}

export class App {
  readonly timers = new FakeTimers();
  readonly server: ReturnType<typeof server>;
  readonly wire: Wire;
  readonly socket: TLSSocket;
  /** "writable", "readable 5", "error OCSP_CERT_REVOKED", "end". */
  readonly events: string[] = [];
  /** What the callbacks' last counts were. */
  writable = 0;
  readable = 0;
  received: number[] = [];
  errors: (TlsError | undefined)[] = [];
  /** What the system heard. */
  reports: TlsError[] = [];
  readonly platform: Platform;
  /** Keys that the provider holds. */
  keys = 0;
  /** Called for each costly step of cryptography. */
  onCost: () => void = () => undefined;
  /** Callbacks of a test's own, in addition. */
  readonly own: { -readonly [K in keyof Callbacks]: Callbacks[K] };

  constructor(setup: Setup = {}) {
    const { script, peer, quirks, secure, platform: special, ...more } = setup;
    const { onReadable, onWritable, onError, ...rest } = more;
    this.own = { onReadable, onWritable, onError };
    this.server = server(script);
    this.wire = new Wire(peer ?? this.server, this.timers, quirks);
    const usual = platform(this.timers);
    const provider = counted(usual.provider, this);
    this.platform = { ...usual, provider, report: (error) => this.reports.push(error), ...special };
    const options = { ...this.options(), TCP: { io: this.wire.io }, secure, ...rest };
    this.socket = new TLSSocket(options, this.platform);
  }

  /** What the socket's connection is made of, until it is over. */
  get client(): ClientHandshake {
    return (this.socket as unknown as { client: ClientHandshake }).client;
  }

  /** Connects, and shakes hands. */
  open(): this {
    this.wire.connect().run();
    return this;
  }

  /** Bytes from the server. */
  arrive(bytes: Uint8Array): this {
    this.wire.arrive(bytes).run();
    return this;
  }

  /** The events since the last call. */
  news(): string[] {
    return this.events.splice(0);
  }

  private options(): Omit<SocketOptions, "TCP"> {
    const app = this;
    return {
      address: "127.0.0.1",
      host: "localhost",
      port: 443,
      onReadable(count) {
        app.events.push(`readable ${count}`);
        app.readable = count;
        if (app.own.onReadable) app.own.onReadable.call(this, count);
        else app.take(this.read());
      },
      onWritable(count) {
        app.events.push("writable");
        app.writable = count;
        app.own.onWritable?.call(this, count);
      },
      onError(error) {
        app.events.push(error ? `error ${error.code}` : "end");
        app.errors.push(error);
        app.own.onError?.call(this, error);
      },
    };
  }

  take(data: ArrayBuffer | number | undefined): void {
    if (typeof data === "number") this.received.push(data);
    else if (data) this.received.push(...new Uint8Array(data));
  }

  get text(): string {
    return String.fromCharCode(...this.received);
  }
}

/** A provider that tells of each operation with a public or private key, and counts the keys of ciphers. */
function counted(provider: Provider, app: App): Provider {
  const count = () => app.onCost();
  return {
    ...provider,
    aead(algorithm, key, start, end) {
      const aead = provider.aead(algorithm, key, start, end);
      const { dispose } = aead;
      app.keys++;
      aead.dispose = () => {
        if (aead.dispose === dispose) return;
        app.keys--;
        aead.dispose = dispose;
        aead.dispose();
      };
      return aead;
    },
    exchange(group) {
      const exchange = provider.exchange(group);
      return {
        publicKey: (out, at) => exchange.publicKey(out, at),
        agree(peer, start, end, out, at) {
          count();
          return exchange.agree(peer, start, end, out, at);
        },
        dispose: () => exchange.dispose(),
      };
    },
    verification(scheme) {
      const verification = provider.verification(scheme);
      return {
        update: (bytes, start, end) => verification.update(bytes, start, end),
        end: () => verification.end(),
        digest: (out, at) => verification.digest(out, at),
        settle(key, signature, start, end) {
          count();
          return verification.settle(key, signature, start, end);
        },
      };
    },
  };
}

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** So many bytes that tell their place. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
}
