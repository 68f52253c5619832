// Compiled against the typings of ECMA-419's sockets, the SDK's or those in npm, beside ours: what those let an application
// do with a socket, ours lets it do.

import TCP, { type Options as TCPOptions } from "embedded:io/socket/tcp";
import type Standard from "embedded:io/socket/tcp/tls";
import type { Options } from "embedded:io/socket/tcp/tls";
import TLSSocket, { type SocketOptions } from "tlstaple/tls";

/** What the constructor gets, but for callbacks, whose `this` is the socket. */
type Given = Omit<Extract<Options, { port: number }>, "onReadable" | "onWritable" | "onError">;
declare const given: Given & { readonly secure: object };
declare const standard: Standard;
declare const tcp: TCP;
declare const read: Parameters<Standard["read"]>[0];
declare const written: Parameters<Standard["write"]>[0] | Parameters<TCP["write"]>[0];

const socket = new TLSSocket({ ...given, TCP: { io: TCP } });

/** Callbacks that look at no more than a number, as theirs do. */
const callbacks: Pick<SocketOptions, "onReadable" | "onWritable" | "onError"> = {
  onReadable(bytes) {
    const count: Parameters<NonNullable<TCPOptions["onReadable"]>>[0] = bytes;
    this.read(count);
  },
  onWritable(bytes) {
    const count: Parameters<NonNullable<TCPOptions["onWritable"]>>[0] = bytes;
    this.write(new ArrayBuffer(count));
  },
  onError() {
    this.close();
  },
};

// Whatever theirs take, ours takes; and what ours gives beside what theirs do is a number or nothing
const data: ReturnType<Standard["read"]> | ReturnType<TCP["read"]> | number | undefined = socket.read(read);
const room: ReturnType<Standard["write"]> = socket.write(written);
socket.format = tcp.format;
const format: typeof tcp.format & typeof standard.format = socket.format;
const remote: [typeof tcp.remoteAddress, typeof tcp.remotePort] = [socket.remoteAddress, socket.remotePort];
const closed: ReturnType<TCP["close"]> = socket.close();

export { callbacks, closed, data, format, remote, room };
