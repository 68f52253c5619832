/**
 * Node's own modules, in XS: each call goes to Node and back, while XS waits. So node:crypto stays what tests
 * compare with, and what their servers are made of.
 */

import { fromText, toText } from "../../hosts/xs/text.js";
import { Line } from "./line.js";
import {
  type Answer,
  type Call,
  Decoder,
  encode,
  HEADER,
  type Objects,
  pack,
  type Value,
} from "./remote-protocol.js";
import { readJob } from "./suite-job.js";

const line = new Line(readJob().port);
const numbers = new WeakMap<object, number>();
const getters = new Map<string, readonly string[]>();

const objects: Objects = {
  encode(object) {
    if (object instanceof URL) return object.href;
    const number = numbers.get(object);
    if (number === undefined) throw new TypeError("this can't be sent to Node");
    return { object: number };
  },
  decode({ object, kind = "", getters: names }) {
    if (names) getters.set(kind, names);
    return stub(object, getters.get(kind) ?? []);
  },
  bytes: (bytes) => Buffer.from(bytes.buffer as ArrayBuffer),
};

function ask(call: Omit<Call, "args">, args: readonly unknown[]): unknown {
  const blobs: Uint8Array[] = [];
  const values = args.map((arg) => encode(arg, blobs, objects));
  line.send(pack(fromText(JSON.stringify({ ...call, args: values })), blobs));
  const header = new DataView(line.receive(HEADER).buffer);
  const answer: Answer = JSON.parse(toText(line.receive(header.getUint32(0)).buffer as ArrayBuffer));
  const bytes = line.receive(header.getUint32(4));
  if ("error" in answer) throw toError(answer.error);
  return new Decoder(bytes, objects).decode(answer.value as Value);
}

function toError({ name, message, code }: { name: string; message: string; code?: string }): Error {
  const type = { RangeError, TypeError, SyntaxError }[name] ?? Error;
  return Object.assign(new type(message), code === undefined ? {} : { code });
}

/** An object of Node's. The class tells it from a plain object. */
class Remote {}

function stub(on: number, names: readonly string[]): object {
  const get = (_: object, name: string | symbol) => {
    if (typeof name === "symbol" || name === "then" || name === "toJSON") return undefined;
    if (names.includes(name)) return ask({ on, name, how: "get" }, []);
    return (...args: unknown[]) => ask({ on, name, how: "call" }, args);
  };
  const made = new Proxy(new Remote(), { get });
  numbers.set(made, on);
  return made;
}

/** A function or class of a module of Node's. */
export function remote(module: string, name: string): unknown {
  return function (this: unknown, ...args: unknown[]) {
    return ask({ on: module, name, how: new.target ? "construct" : "call" }, args);
  };
}
