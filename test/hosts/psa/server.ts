/** Runs in the XS host: lends its natives over PSA Crypto to a test in Node, which sends a frame for each call. */

import { readP521Key } from "../../../hosts/moddable/curve521.js";
import { readPrivateKey } from "../../../hosts/moddable/privatekey.js";
import { psa as provide, signer } from "../../../hosts/psa/index.js";
import { fromText, toText } from "../../../hosts/xs/text.js";
import { Line } from "../../xs/line.js";
import { HEADER, pack } from "../../xs/remote-protocol.js";
import { type Answer, type Argument, type Call, split } from "./protocol.js";

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
    const made = signer(psa, provider, readP521Key(der) ?? readPrivateKey(der));
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

function perform({ on, method, args }: Call, bytes: Uint8Array[]): Answer {
  try {
    const target = objects[on] as Record<string, Method>;
    const value = target[method](...args.map((arg) => decode(arg, bytes)));
    const isObject = typeof value === "object" && !Array.isArray(value);
    return isObject ? { object: keep(value as object) } : { value };
  } catch (error) {
    const { name, message } = error as Error;
    return { error: { name, message } };
  }
}

/** The array as a view inside a larger one, so that an offset lost in C shows. */
function inside(bytes: Uint8Array): Uint8Array {
  const view = new Uint8Array(new ArrayBuffer(bytes.length + 16), 5, bytes.length);
  view.set(bytes);
  return view;
}

function decode(arg: Argument, bytes: Uint8Array[]): unknown {
  if (typeof arg !== "object") return arg;
  if ("array" in arg) return bytes[arg.array];
  return Object.fromEntries(Object.entries(arg.fields).map(([name, field]) => [name, decode(field, bytes)]));
}

const line = new Line(Number(programArguments[0]));

for (;;) {
  const header = new DataView(line.receive(HEADER).buffer);
  const call: Call = JSON.parse(toText(line.receive(header.getUint32(0)).buffer as ArrayBuffer));
  const arrays = split(line.receive(header.getUint32(4)), call.arrays).map(inside);
  const answer = perform(call, arrays);
  line.send(pack(fromText(JSON.stringify(answer)), arrays));
}
