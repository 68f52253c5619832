import type { ExecutionContext } from "ava";
import { faults, version } from "../../src/client/index.js";
import { contentType } from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { concat } from "../peers/bytes.js";
import { mutate } from "./mutate.js";
import { type Outcome, play } from "./play.js";
import { Random, steps, thorough, times } from "./random.js";
import type { Recording } from "./recording.js";

/** Attacks on recorded connections: one side gets other bytes than the other sent. */

interface Part {
  readonly start: number;
  readonly end: number;
  readonly type: number;
}

/** The records, and at the end perhaps a piece of one. */
function parts(bytes: Buffer): Part[] {
  const found: Part[] = [];
  for (let at = 0; at < bytes.length; at = found[found.length - 1].end) {
    const whole = at + 5 <= bytes.length ? at + 5 + bytes.readUInt16BE(at + 3) : bytes.length;
    found.push({ start: at, end: Math.min(whole, bytes.length), type: bytes[at] });
  }
  return found;
}

const { change_cipher_spec, handshake } = contentType;

/** The records without protection: in TLS 1.2 up to the ChangeCipherSpec, in TLS 1.3 told by their type. */
function clear(bytes: Buffer, protocol: number): Part[] {
  const all = parts(bytes);
  if (protocol === version.tls13)
    return all.filter(({ type }) => type === handshake || type === change_cipher_spec);
  return all.slice(0, 1 + all.findIndex(({ type }) => type === change_cipher_spec));
}

/**
 * Where a byte stands that means nothing: the second byte of legacy_record_version in records without
 * protection, which "MUST be ignored for all purposes" (RFC 8446 5.1); TLS 1.2 servers too have sent 0x0301 there.
 * Everything else is in the transcript, in additional data or under a tag, or frames what is.
 */
function meaningless(bytes: Buffer, protocol: number): number[] {
  return clear(bytes, protocol).map(({ start }) => start + 2);
}

/** What is left of a stream without all that means nothing; a ChangeCipherSpec of TLS 1.3 is such (RFC 8446 D.4). */
function meaning(bytes: Buffer, protocol: number): Buffer {
  const copy = Buffer.from(bytes);
  for (const at of meaningless(copy, protocol)) copy[at] = 3;
  const kept = parts(copy).filter((part) => !(protocol === version.tls13 && isChange(copy, part)));
  return concat(...kept.map(({ start, end }) => copy.subarray(start, end)));
}

function isChange(bytes: Buffer, { start, end, type }: Part): boolean {
  return type === change_cipher_spec && end - start === 6 && bytes[end - 1] === 1;
}

function succeeded({ fault, data, closedByPeer }: Outcome, recording: Recording): boolean {
  return fault === undefined && closedByPeer && data.equals(recording.data);
}

/** Whatever became of it, no data came out that the server had not sent, in order, from its first byte on. */
function isPrefix({ data }: Outcome, recording: Recording): boolean {
  return recording.data.subarray(0, data.length).equals(data);
}

/** Any pieces that the transport may make of the stream. */
export function anyBoundary(t: ExecutionContext, recording: Recording): void {
  const { bytes } = recording;
  const random = new Random(t);
  const ways: ((left: number) => number)[] = [() => 1, () => 2, () => random.between(1, 30)];
  for (const cut of steps(bytes.length, 5))
    ways.push((left) => (left > bytes.length - cut ? left - (bytes.length - cut) : left));
  for (const [i, way] of ways.entries()) {
    const client = recording.subject();
    const outcome = play(client, bytes, way);
    if (!succeeded(outcome, recording)) t.fail(`way ${i}: ${named(outcome.fault)}`);
  }
  t.true(!thorough || ways.length > 50);
}

/** Every byte in the clear changed, and many of those under keys: refused, but for the bytes that mean nothing. */
export function everyByte(t: ExecutionContext, recording: Recording, protocol: number): void {
  const { bytes } = recording;
  const random = new Random(t);
  const open = clear(bytes, protocol).flatMap(({ start, end }) =>
    [...Array(end - start).keys()].map((i) => start + i),
  );
  const positions = [...new Set([...open, ...steps(bytes.length, 4)])].sort((a, b) => a - b);
  const ignored = positions.filter((at) => {
    const mutant = Buffer.from(bytes);
    mutant[at] ^= random.between(1, 255);
    const client = recording.subject();
    const outcome = play(client, mutant);
    if (!isPrefix(outcome, recording)) t.fail(`byte ${at}: forged data`);
    return succeeded(outcome, recording);
  });
  t.deepEqual(ignored, meaningless(bytes, protocol));
}

/** The stream cut anywhere: without the server's close_notify that is never taken for the end. */
export function everyCut(t: ExecutionContext, recording: Recording): void {
  const { bytes } = recording;
  for (const n of steps(bytes.length, 3)) {
    const client = recording.subject();
    const outcome = play(client, bytes.subarray(0, n));
    if (outcome.fault !== faults.TRUNCATED) t.fail(`${n} bytes: ${named(outcome.fault)}`);
    if (!isPrefix(outcome, recording)) t.fail(`${n} bytes: forged data`);
  }
  t.pass();
}

/** Anything done to the stream: a fault, or it still means the same. */
export function anyMutation(t: ExecutionContext, recording: Recording, protocol: number, n: number): void {
  const random = new Random(t);
  const original = meaning(recording.bytes, protocol);
  const seen = new Set<string>();
  for (let i = 0; i < times(n); i++) {
    const mutant = mutate(recording.bytes, random);
    const client = recording.subject();
    const outcome = play(client, mutant, () => random.between(1, 4000));
    const same = succeeded(outcome, recording);
    if (!same && outcome.fault === undefined) t.fail(`mutant ${i}: success with other data`);
    if (same && !meaning(mutant, protocol).equals(original)) t.fail(`mutant ${i} is taken for the original`);
    if (!isPrefix(outcome, recording)) t.fail(`mutant ${i}: forged data`);
    seen.add(named(outcome.fault) ?? "success");
  }
  t.log(`${times(n)} mutants: ${[...seen].sort().join(", ")}`);
  t.true(!thorough || seen.size > 5);
}
