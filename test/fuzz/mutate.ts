import { concat, none } from "../peers/bytes.js";
import type { Random } from "./random.js";

/** Bytes that are an edge to somebody: of a length, a type, a sign. */
const edges = [0, 1, 2, 3, 0x14, 0x16, 0x17, 0x30, 0x7f, 0x80, 0x81, 0xfe, 0xff];

type Mutation = (bytes: Buffer, at: number, random: Random) => Buffer;

/** The bytes with `n` from `at` replaced. */
function replaced(bytes: Buffer, at: number, n: number, by: Uint8Array): Buffer {
  return concat(bytes.subarray(0, at), by, bytes.subarray(at + n));
}

const mutations: Mutation[] = [
  (bytes, at, random) => replaced(bytes, at, 1, Buffer.from([bytes[at] ^ random.between(1, 255)])),
  (bytes, at, random) => replaced(bytes, at, 1, Buffer.from([bytes[at] ^ (1 << random.below(8))])),
  (bytes, at, random) => replaced(bytes, at, 1, Buffer.from([random.pick(edges)])),
  (bytes, at, random) => replaced(bytes, at, random.between(1, 8), none),
  (bytes, at, random) => replaced(bytes, at, 0, random.bytes(random.between(1, 8))),
  (bytes, at, random) => replaced(bytes, at, random.between(1, 200), none),
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at, random) => {
    const from = random.below(bytes.length);
    return replaced(bytes, at, 0, bytes.subarray(from, from + random.between(1, 200)));
  },
  (bytes, at, random) => {
    const from = random.below(bytes.length);
    const piece = bytes.subarray(from, from + random.between(1, 40));
    return replaced(bytes, at, piece.length, piece);
  },
];

/** The bytes with one to three changes of any kind. They may come out the same. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let mutant = bytes;
  for (let i = random.pick([1, 1, 1, 2, 3]); i > 0; i--)
    if (mutant.length > 0) mutant = random.pick(mutations)(mutant, random.below(mutant.length), random);
  return mutant;
}
