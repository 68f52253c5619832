/** The lines of JSON between a test in Node and psa-server.ts in XS. */

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
  /** In hex. */
  readonly arrays: readonly string[];
}

export interface Answer {
  readonly value?: unknown;
  readonly object?: number;
  readonly error?: { readonly name: string; readonly message: string };
  /** What the call left in the arrays. */
  readonly arrays: readonly string[];
}

const digits = "0123456789abcdef";

export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += digits[bytes[i] >> 4] + digits[bytes[i] & 15];
  return text;
}

export function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length >> 1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
