/**
 * What a test in Node and server.ts in XS say to each other: frames as remote-protocol.ts packs them, of JSON
 * and the arrays that it mentions. XS would take seconds over those as text: a client's memory goes both ways.
 */

export type Argument =
  | number
  | string
  | boolean
  /** One of `arrays`: two arguments may be the same one. */
  | { readonly array: number }
  | { readonly fields: Readonly<Record<string, Argument>> };

export interface Call {
  /** The object's number: 0, or one that an answer named. */
  readonly on: number;
  readonly method: string;
  readonly args: readonly Argument[];
  /** The lengths of the arrays that follow. */
  readonly arrays: readonly number[];
}

/** What the call left in the arrays follows it. */
export interface Answer {
  readonly value?: unknown;
  readonly object?: number;
  readonly error?: { readonly name: string; readonly message: string };
}

/** The arrays that stand one behind the other. */
export function split(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return bytes.subarray(at - length, at);
  });
}
