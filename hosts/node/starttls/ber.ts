import { type Dialogue, starttlsError } from "./dialogue.js";

/** A value in BER, in definite form as LDAP has it (RFC 4511 5.1). */
interface Value {
  readonly tag: number;
  readonly content: Buffer;
}

const SEQUENCE = 0x30;
/** Octets of one value that are read at most. */
const MOST = 4096;

/** What the next value that the server says is made of: a SEQUENCE. */
export async function readSequence(dialogue: Dialogue): Promise<Value[]> {
  const [tag, first] = await dialogue.bytes(2);
  if (tag !== SEQUENCE) throw malformed();
  const length = first < 0x80 ? first : lengthIn(await dialogue.bytes(Math.min(first & 0x7f, 4)), first);
  if (length > MOST) throw malformed();
  return split(await dialogue.bytes(length));
}

/** The values that another one is made of. */
export function split(content: Buffer): Value[] {
  const values: Value[] = [];
  for (let at = 0; at < content.length; ) {
    const first = content[at + 1];
    const start = at + 2 + (first < 0x80 ? 0 : first & 0x7f);
    const end = start + (first < 0x80 ? first : lengthIn(content.subarray(at + 2, start), first));
    if (!(end <= content.length)) throw malformed();
    values.push({ tag: content[at], content: content.subarray(start, end) });
    at = end;
  }
  return values;
}

/** The long form of a length, X.690 8.1.3.5; too much for anything, where it has no octets or many. */
function lengthIn(octets: Buffer, first: number): number {
  const fits = octets.length > 0 && octets.length <= 4 && octets.length === (first & 0x7f);
  return fits ? octets.readUIntBE(0, octets.length) : Number.POSITIVE_INFINITY;
}

function malformed(): Error {
  return starttlsError("the answer is no LDAP message");
}
