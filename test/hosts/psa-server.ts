/** Runs in the XS host: lends its natives over PSA Crypto to a test in Node, which sends a line for each call. */

import { psa as provide, signer } from "../../hosts/psa/index.js";
import { type Answer, type Argument, type Call, fromHex, toHex } from "./psa-protocol.js";

if (!psa) throw new Error("this host was built without PSA Crypto");
const provider = provide(psa, {
  ed25519() {
    throw new Error("the test has its own");
  },
});

/** What has the number 0. */
const root = {
  name: () => provider.name,
  aeads: () => provider.aeads,
  groups: () => provider.groups,
  schemes: () => provider.schemes,
  random: provider.random.bind(provider),
  hash: provider.hash.bind(provider),
  hmac: provider.hmac.bind(provider),
  aead: provider.aead.bind(provider),
  exchange: provider.exchange.bind(provider),
  verification: provider.verification.bind(provider),
  exchangeOf: (group: number, key: Uint8Array) => new psa.Exchange(group, key, 0, key.length),
  signer(der: Uint8Array) {
    const made = signer(psa, der);
    return { schemes: () => made.schemes, begin: made.begin, dispose: made.dispose };
  },
  /** The value of an expression, as text. */
  evaluate: (source: string) => String(new Function(`return ${source}`)()),
};

/** The last few objects, by number; those before them become garbage, which PSA's keys have to bear. */
const objects: (object | undefined)[] = [root];
const maxObjects = 16;

function keep(object: object): number {
  const { length } = objects;
  objects.push(object);
  if (length > maxObjects) objects[length - maxObjects] = undefined;
  return length;
}

type Method = (...args: unknown[]) => unknown;

function perform({ on, method, args, arrays }: Call): Answer {
  const bytes = arrays.map(inside);
  try {
    const target = objects[on] as Record<string, Method>;
    const value = target[method](...args.map((arg) => decode(arg, bytes)));
    const isObject = typeof value === "object" && !Array.isArray(value);
    const result = isObject ? { object: keep(value as object) } : { value };
    return { ...result, arrays: bytes.map(toHex) };
  } catch (error) {
    const { name, message } = error as Error;
    return { error: { name, message }, arrays: bytes.map(toHex) };
  }
}

/** The array as a view inside a larger one, so that an offset lost in C shows. */
function inside(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  const view = new Uint8Array(new ArrayBuffer(bytes.length + 16), 5, bytes.length);
  view.set(bytes);
  return view;
}

function decode(arg: Argument, bytes: Uint8Array[]): unknown {
  if (typeof arg !== "object") return arg;
  if ("array" in arg) return bytes[arg.array];
  return Object.fromEntries(Object.entries(arg.fields).map(([name, field]) => [name, decode(field, bytes)]));
}

// ---- Lines

const chunk = new Uint8Array(65536);
let line: string[] = [];
let answer = new Uint8Array(0);
let sent = 0;

const connection: SocketWatcher = {
  ready(readable: boolean, writable: boolean) {
    if (readable) receive();
    if (writable || answer.length > sent) flush();
  },
};
const socket = host.connect(connection, "127.0.0.1", Number(programArguments[0]));

function receive(): void {
  const n = host.read(socket, chunk, 0, chunk.length);
  if (n === 0) host.close(socket);
  for (let i = 0; i < n; i++) line.push(String.fromCharCode(chunk[i]));
  if (n === 0 || line[line.length - 1] !== "\n") return;
  const text = `${JSON.stringify(perform(JSON.parse(line.join(""))))}\n`;
  line = [];
  answer = Uint8Array.from(text, (character) => character.charCodeAt(0));
  sent = 0;
}

function flush(): void {
  sent += host.send(socket, answer, sent, answer.length);
  host.watch(socket, true, sent < answer.length);
}
