import { sha256 } from "../crypto/digest.js";
import type { Provider } from "../crypto/provider.js";
import { findSuite, hashSize } from "../crypto/suites.js";
import { requirements, staplings } from "../pki/policy.js";
import { writeU32 } from "../record/protection.js";
import { isFault } from "../wire/fault.js";
import { none, Reader } from "../wire/reader.js";
import { version } from "../wire/registry.js";
import { copySecret, equalBytes, secretBytes, Writer } from "../wire/writer.js";
import type { Session } from "./session.js";

/** Sessions of another format are none. Those before 3, of Node, were JSON. */
const FORMAT = 3;
/** Bytes of the fields that are always as long, of the lengths of the others, and of the hash of it all. */
const FIXED = 12 + 4 * 6;
const LENGTHS = 7;
const HASH = hashSize.sha256;
/** RFC 5246 8.1. */
const MASTER_SECRET = 48;

const flag = Object.freeze({ MUST_STAPLE: 1, MISSING_NEXT_UPDATE: 2 });

/** A session as bytes that can be kept; they hold its secret. The SHA-256 at their end tells damage, not forgery. */
export function encodeSession(provider: Provider, session: Session): Uint8Array {
  const { secret, ticket, anchor, policy, demanded } = session;
  const { stapling, responders } = demanded;
  const serverName = session.serverName ?? "";
  const lengths =
    secret.length + ticket.length + serverName.length + (anchor?.length ?? 0) + responders.length;
  const w = new Writer(secretBytes(FIXED + LENGTHS + HASH + lengths));
  w.u8(FORMAT);
  w.u16(session.version);
  w.u16(session.suite);
  w.u8(requirements.indexOf(policy));
  w.u8(staplings.indexOf(stapling));
  w.u8(
    (session.mustStaple ? flag.MUST_STAPLE : 0) |
      (demanded.allowMissingNextUpdate ? flag.MISSING_NEXT_UPDATE : 0),
  );
  writeU32(w.bytes, w.skip(4), session.ageAdd);
  writeSeconds(w, session.receivedAt);
  writeSeconds(w, session.until);
  writeSeconds(w, session.verifiedAt);
  writeSeconds(w, demanded.skew);
  const secretMark = w.begin8();
  w.copy(secret);
  w.finish8(secretMark);
  const ticketMark = w.begin16();
  w.copy(ticket);
  w.finish16(ticketMark);
  const nameMark = w.begin8();
  w.ascii(serverName);
  w.finish8(nameMark);
  const anchorMark = w.begin8();
  if (anchor) w.copy(anchor);
  w.finish8(anchorMark);
  const respondersMark = w.begin16();
  w.copy(responders);
  w.finish16(respondersMark);
  const hash = provider.hash("sha256");
  hash.update(w.bytes, 0, w.at);
  hash.digest(w.bytes, w.at);
  return w.bytes;
}

/** Milliseconds in 48 bits, of which `u24` takes the last 24; longer than that is for ever. */
function writeSeconds(w: Writer, seconds: number): void {
  const milliseconds = Math.min(Math.round(seconds * 1000), 2 ** 48 - 1);
  w.u24(milliseconds / 2 ** 24);
  w.u24(milliseconds);
}

function readSeconds(r: Reader): number {
  const high = r.u24();
  return (high * 2 ** 24 + r.u24()) / 1000;
}

/** The session that `encodeSession` made these bytes of, or undefined for any others: damaged, cut, of another release. */
export function decodeSession(provider: Provider, bytes: Uint8Array): Session | undefined {
  const end = bytes.length - HASH;
  if (end < FIXED + LENGTHS || bytes[0] !== FORMAT) return undefined;
  if (!equalBytes(sha256(provider, bytes, 0, end), 0, HASH, bytes, end, bytes.length)) return undefined;
  try {
    const session = read(new Reader(bytes, 1, end));
    return isSound(session) ? session : undefined;
  } catch (thrown) {
    // Lengths may say too much, though the hash is right
    if (isFault(thrown)) return undefined;
    throw thrown;
  }
}

function read(r: Reader): Session {
  const protocol = r.u16();
  const suite = r.u16();
  const policy = requirements[r.u8()];
  const stapling = staplings[r.u8()];
  const flags = r.u8();
  const ageAdd = r.u32();
  const receivedAt = readSeconds(r);
  const until = readSeconds(r);
  const verifiedAt = readSeconds(r);
  const skew = readSeconds(r);
  const secret = take(r, r.u8());
  const ticket = take(r, r.u16());
  const serverName = readName(r, r.u8());
  const anchor = take(r, r.u8());
  const responders = take(r, r.u16());
  r.finish();
  return Object.freeze({
    version: protocol,
    suite,
    secret,
    ticket,
    ageAdd,
    receivedAt,
    until,
    verifiedAt,
    serverName,
    anchor: anchor.length > 0 ? anchor : undefined,
    policy,
    mustStaple: (flags & flag.MUST_STAPLE) !== 0,
    demanded: {
      stapling,
      skew,
      allowMissingNextUpdate: (flags & flag.MISSING_NEXT_UPDATE) !== 0,
      responders,
    },
  });
}

/** The next `n` bytes, copied. */
function take(r: Reader, n: number): Uint8Array {
  const start = r.skip(n);
  return n > 0 ? copySecret(r.bytes, start, r.at) : none;
}

function readName(r: Reader, n: number): string | undefined {
  let name = "";
  for (const end = r.at + n; r.at < end; ) name += String.fromCharCode(r.u8());
  return name || undefined;
}

/** Whether each field is one that a session can have. */
function isSound(session: Session): boolean {
  const { secret, ticket, anchor, policy, demanded } = session;
  const { stapling, responders } = demanded;
  const suite = findSuite(session.suite);
  if (suite === undefined || suite.version !== session.version || ticket.length === 0) return false;
  const size = suite.version === version.tls13 ? hashSize[suite.hash] : MASTER_SECRET;
  const hashes = (anchor === undefined || anchor.length === HASH) && responders.length % HASH === 0;
  const judged = policy !== undefined && stapling !== undefined;
  return secret.length === size && hashes && judged;
}
