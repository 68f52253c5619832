import { createRequire } from "node:module";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type Answer, type Call, Decoder, encode, HEADER, type Objects, pack } from "./remote-protocol.js";

/** Lends Node's modules to programs in XS. */
export async function lendModules(): Promise<{ port: number; close(): void }> {
  const server: Server = createServer((socket) => new Session(socket));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

const require = createRequire(import.meta.url);

type Functions = Record<string, (...args: unknown[]) => unknown>;

/** One program's calls. */
class Session {
  private readonly objects: object[] = [];
  private readonly numbers = new Map<object, number>();
  private readonly kinds = new Set<string>();
  private pending = Buffer.alloc(0);

  constructor(socket: Socket) {
    socket.setNoDelay(true);
    socket.write(Buffer.of(0));
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes: Buffer) => {
      this.pending = Buffer.concat([this.pending, bytes]);
      for (let answer = this.next(); answer; answer = this.next()) socket.write(answer);
    });
  }

  private next(): Uint8Array | undefined {
    const { pending } = this;
    if (pending.length < HEADER) return undefined;
    const bytesAt = HEADER + pending.readUInt32BE(0);
    const end = bytesAt + pending.readUInt32BE(4);
    if (pending.length < end) return undefined;
    this.pending = pending.subarray(end);
    const call = JSON.parse(pending.toString("utf8", HEADER, bytesAt));
    const blobs: Uint8Array[] = [];
    const answer = this.perform(call, pending.subarray(bytesAt, end), blobs);
    return pack(Buffer.from(JSON.stringify(answer)), blobs);
  }

  private perform({ on, name, how, args }: Call, bytes: Buffer, blobs: Uint8Array[]): Answer {
    try {
      const decoder = new Decoder(bytes, this.protocol);
      const values = args.map((arg) => decoder.decode(arg));
      const target = (typeof on === "string" ? require(on) : this.objects[on]) as Functions;
      return { value: encode(apply(target, name, how, values), blobs, this.protocol) };
    } catch (error) {
      const { name: type, message, code } = error as Error & { code?: string };
      return { error: { name: type, message, code } };
    }
  }

  private readonly protocol: Objects = {
    encode: (object) => this.handOut(object),
    decode: ({ object }) => this.objects[object],
    bytes: (bytes) => Buffer.from(bytes),
  };

  private handOut(object: object) {
    const known = this.numbers.get(object);
    const number = known ?? this.objects.push(object) - 1;
    this.numbers.set(object, number);
    const kind = object.constructor.name;
    if (this.kinds.has(kind)) return { object: number, kind };
    this.kinds.add(kind);
    return { object: number, kind, getters: gettersOf(object) };
  }
}

function apply(target: Functions, name: string, how: Call["how"], args: unknown[]): unknown {
  if (how === "get") return target[name];
  return how === "call" ? target[name](...args) : Reflect.construct(target[name], args);
}

/** The names of what is read without a call. */
function gettersOf(object: object): string[] {
  const names: string[] = [];
  for (let at = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at))
    for (const [name, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (get || (value !== undefined && typeof value !== "function")) names.push(name);
  return names;
}
