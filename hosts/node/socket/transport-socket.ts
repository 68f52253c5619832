import type { AddressInfo, Server, Socket } from "node:net";
import { Duplex } from "node:stream";
import { milliseconds } from "../common/read.js";
import type { Transport } from "./transport.js";

/** Newer releases of Node take more than the first two, or all of them in an object. */
type KeepAlive = [enable?: boolean | object, initialDelay?: number, interval?: number, count?: number];

/** A stream over a transport, with what a net.Socket has besides: addresses, counts, the idle timer. */
export abstract class TransportSocket extends Duplex {
  /** Milliseconds without traffic until the event `timeout`; 0 for never. */
  timeout = 0;

  protected abstract readonly transport: Transport;
  private idleTimer: NodeJS.Timeout | undefined;
  private owner: Server | null = null;

  /** The server that made it, or that of HTTP which it was handed to. */
  get server(): Server | null {
    return this.owner;
  }

  set server(server: Server | null) {
    if (this.owner && server) handOn(this.owner, server);
    this.owner = server;
  }

  /** Whether the transport is not connected yet. */
  get connecting(): boolean {
    return this.transport.connecting === true;
  }

  /** Whether it is not connected yet, or no more. */
  get pending(): boolean {
    return this.connecting || this.destroyed;
  }

  get readyState(): "opening" | "open" | "readOnly" | "writeOnly" | "closed" {
    if (this.connecting) return "opening";
    if (this.readable) return this.writable ? "open" : "readOnly";
    return this.writable ? "writeOnly" : "closed";
  }

  get remoteAddress(): string | undefined {
    return this.transport.remoteAddress;
  }

  get remoteFamily(): string | undefined {
    return this.transport.remoteFamily;
  }

  get remotePort(): number | undefined {
    return this.transport.remotePort;
  }

  get localAddress(): string | undefined {
    return this.transport.localAddress;
  }

  get localFamily(): string | undefined {
    return this.transport.localFamily;
  }

  get localPort(): number | undefined {
    return this.transport.localPort;
  }

  get bytesRead(): number {
    return this.transport.bytesRead ?? 0;
  }

  get bytesWritten(): number {
    return this.transport.bytesWritten ?? 0;
  }

  /** As `writableLength`: net.Socket has it. */
  get bufferSize(): number {
    return this.writableLength;
  }

  /** Addresses that were tried, where a host has several. */
  get autoSelectFamilyAttemptedAddresses(): string[] {
    return this.transport.autoSelectFamilyAttemptedAddresses ?? [];
  }

  address(): AddressInfo | Record<string, never> {
    return (this.transport.address?.() as AddressInfo | undefined) ?? {};
  }

  setNoDelay(noDelay?: boolean): this {
    this.transport.setNoDelay?.(noDelay);
    return this;
  }

  setKeepAlive(...how: KeepAlive): this {
    this.transport.setKeepAlive?.(...(how as Parameters<Socket["setKeepAlive"]>));
    return this;
  }

  /** The IP header's type of service; 0 where the transport or this Node can't tell. */
  getTypeOfService(): number {
    return this.transport.getTypeOfService?.() ?? 0;
  }

  setTypeOfService(tos: number): this {
    this.transport.setTypeOfService?.(tos);
    return this;
  }

  ref(): this {
    this.transport.ref?.();
    return this;
  }

  unref(): this {
    this.transport.unref?.();
    return this;
  }

  /** Emits `timeout` after so many milliseconds without traffic; 0 for never. Closing is up to the listener. */
  setTimeout(timeout: number, listener?: () => void): this {
    this.timeout = milliseconds(timeout, "timeout");
    clearTimeout(this.idleTimer);
    const runs = timeout > 0 && !this.destroyed;
    this.idleTimer = runs ? setTimeout(() => this.emit("timeout"), timeout).unref() : undefined;
    if (listener && timeout > 0) this.once("timeout", listener);
    else if (listener) this.removeListener("timeout", listener);
    return this;
  }

  /**
   * The connection is begun when the socket is made: what this does, whatever its arguments, is to tell again by `connect`
   * that it stands. Libraries call it that are given a socket as their stream, such as pg.
   */
  connect(..._where: unknown[]): this {
    if (!this.pending) process.nextTick(() => this.emit("connect"));
    return this;
  }

  /** Closes at once, TCP by a reset. */
  resetAndDestroy(): this {
    this.transport.resetAndDestroy?.();
    return this.destroy();
  }

  /** Ends, and closes as soon as all is sent, whether the server ends too or not. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** There was traffic. */
  protected busy(): void {
    this.idleTimer?.refresh();
  }

  protected stopIdling(): void {
    clearTimeout(this.idleTimer);
    this.idleTimer = undefined;
  }
}

/**
 * An HTTP/2 server that speaks HTTP/1 as well notes with which classes at the server of the socket, and in Node 20 and 22
 * looks for them at itself: for node:tls both are one. HTTP/1 tells us that it is another one here, by taking its place.
 */
function handOn(from: Server, to: Server): void {
  for (const symbol of Object.getOwnPropertySymbols(from))
    if (/^(?:IncomingMessage|ServerResponse)$/.test(symbol.description ?? "") && !(symbol in to))
      Object.assign(to, { [symbol]: from[symbol as keyof Server] });
}
