/**
 * What remote.ts in XS and remote-server.ts in Node say to each other: a header of two lengths, JSON,
 * and the arrays of bytes that the JSON mentions, one behind the other.
 */

export const HEADER = 8;

export type Value =
  | null
  | boolean
  | number
  | string
  | { readonly nothing: true }
  /** The length of the next array of bytes. */
  | { readonly bytes: number }
  | { readonly big: string }
  | { readonly list: readonly Value[] }
  | { readonly record: Readonly<Record<string, Value>> }
  /** An object of Node's; the names of its class's getters come with the first of that class. */
  | { readonly object: number; readonly kind?: string; readonly getters?: readonly string[] };

export interface Call {
  /** A module's name, or an object's number. */
  readonly on: string | number;
  readonly name: string;
  readonly how: "call" | "construct" | "get";
  readonly args: readonly Value[];
}

export type Answer =
  | { readonly value: Value }
  | { readonly error: { readonly name: string; readonly message: string; readonly code?: string } };

/** What is particular to a side: how it hands out objects of Node's, and finds them. */
export interface Objects {
  encode(object: object): Value;
  decode(value: { object: number; kind?: string; getters?: readonly string[] }): unknown;
  /** Bytes as the side likes them. */
  bytes(bytes: Uint8Array): unknown;
}

/** Writes a value; its bytes go into `blobs`. */
export function encode(value: unknown, blobs: Uint8Array[], objects: Objects): Value {
  if (value === undefined) return { nothing: true };
  if (value === null || ["boolean", "number", "string"].includes(typeof value)) return value as Value;
  if (typeof value === "bigint") return { big: `${value}` };
  if (value instanceof Uint8Array) return { bytes: blobs[blobs.push(value) - 1].length };
  if (Array.isArray(value)) return { list: value.map((item) => encode(item, blobs, objects)) };
  if (!isRecord(value)) return objects.encode(value as object);
  const entries = Object.entries(value).map(([name, item]) => [name, encode(item, blobs, objects)]);
  return { record: Object.fromEntries(entries) };
}

function isRecord(value: unknown): value is object {
  const prototype = Object.getPrototypeOf(value);
  return typeof value === "object" && (prototype === Object.prototype || prototype === null);
}

/** Reads values, whose bytes stand in `blobs` one behind the other. */
export class Decoder {
  private at = 0;
  private readonly blobs: Uint8Array;
  private readonly objects: Objects;

  constructor(blobs: Uint8Array, objects: Objects) {
    this.blobs = blobs;
    this.objects = objects;
  }

  decode(value: Value): unknown {
    if (typeof value !== "object" || value === null) return value;
    if ("nothing" in value) return undefined;
    if ("bytes" in value) return this.take(value.bytes);
    if ("big" in value) return BigInt(value.big);
    if ("list" in value) return value.list.map((item) => this.decode(item));
    if ("object" in value) return this.objects.decode(value);
    return Object.fromEntries(Object.entries(value.record).map(([name, item]) => [name, this.decode(item)]));
  }

  private take(length: number): unknown {
    this.at += length;
    return this.objects.bytes(this.blobs.slice(this.at - length, this.at));
  }
}

/** The bytes of what was encoded, header and all. */
export function pack(json: Uint8Array, blobs: readonly Uint8Array[]): Uint8Array {
  const size = blobs.reduce((sum, blob) => sum + blob.length, 0);
  const bytes = new Uint8Array(HEADER + json.length + size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, json.length);
  view.setUint32(4, size);
  bytes.set(json, HEADER);
  let at = HEADER + json.length;
  for (const blob of blobs) {
    bytes.set(blob, at);
    at += blob.length;
  }
  return bytes;
}
