import { KeySchedule12, keyBlock, masterSize, verifyDataSize } from "../crypto/keys12.js";
import type { KeyKind } from "../crypto/provider.js";
import { AAD, Protection12 } from "../record/protection12.js";
import { expect, faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { namedGroup, handshakeType as on } from "../wire/registry.js";
import { equalSecret, secretBytes, type Writer } from "../wire/writer.js";
import type { Handshake } from "./handshake.js";
import { agree, dropKeyPair } from "./keyexchange.js";
import { at } from "./memory.js";
import { clientSide } from "./sides.js";
import type { SharedState } from "./states.js";

/** What both roles do in TLS 1.2, RFC 5246. */

export const NAMED_CURVE = 3;

/** The group whose curve a key is on, or 0 for a kind of key that is on none of them. */
export function groupOf(kind: KeyKind): number {
  if (kind === "p256") return namedGroup.secp256r1;
  if (kind === "p384") return namedGroup.secp384r1;
  return kind === "p521" ? namedGroup.secp521r1 : 0;
}

/** ECPointFormatList, RFC 8422 5.1.2: uncompressed(0), the only format there is. */
export function writePointFormats(_: Handshake, w: Writer): void {
  w.u8(1);
  w.u8(0);
}

/** It must have uncompressed(0). */
export function readPointFormats(_: Handshake, r: Reader): void {
  const list = r.enter8();
  let uncompressed = false;
  while (r.left > 0) if (r.u8() === 0) uncompressed = true;
  r.leave(list);
  expect(uncompressed, faults.ILLEGAL_PARAMETER);
}

// Keys, RFC 5246 6.3 and 8.1

export function schedule12(s: Handshake): KeySchedule12 {
  return s.keys12!;
}

function newSchedule(s: Handshake): KeySchedule12 {
  s.keys12 = new KeySchedule12(s.config.provider, s.suiteInForce.hash, s.memory, at.schedule);
  return s.keys12;
}

/** RFC 7627 section 4, with a transcript up to the ClientKeyExchange, or RFC 5246 8.1 with a peer that lacks it. */
export function deriveMasterSecret(s: Handshake): void {
  const keys = newSchedule(s);
  const end = at.shared + agree(s);
  dropKeyPair(s);
  s.digest();
  if (s.extendedMasterSecret) keys.sessionMasterSecret(at.shared, end, at.hash);
  else keys.masterSecret(at.shared, end, at.clientRandom);
  s.erase(at.shared, end);
  deriveKeys(s);
}

/** The master secret of the session that is resumed; the keys are new, as the randoms are. */
export function restoreMasterSecret(s: Handshake, secret: Uint8Array): void {
  s.memory.set(secret, newSchedule(s).master);
  deriveKeys(s);
}

/** The key_block, RFC 5246 6.3: both directions' keys wait for their ChangeCipherSpec. */
function deriveKeys(s: Handshake): void {
  const { key, salt } = s.suiteInForce.aead;
  const keys = schedule12(s);
  s.log("CLIENT_RANDOM", keys.master, masterSize);
  keyBlock(keys, at.clientRandom, at.keys, 2 * (key + salt));
  const aad = new Uint8Array(AAD);
  const own = s.own === clientSide ? 0 : 1;
  s.outProtection = protection(s, own, aad);
  s.inProtection = protection(s, 1 - own, aad);
  s.erase(at.keys, at.end);
}

/**
 * The keys that the client (0) or the server (1) writes with. What is not derived of a nonce stands in each record
 * (RFC 5288 section 3).
 */
function protection(s: Handshake, side: number, aad: Uint8Array): Protection12 {
  const { name, key, salt, records } = s.suiteInForce.aead;
  const keyAt = at.keys + side * key;
  const ivAt = at.keys + 2 * key + side * salt;
  const iv = secretBytes(12);
  iv.set(s.memory.subarray(ivAt, ivAt + salt));
  const aead = s.config.provider.aead(name, s.memory, keyAt, keyAt + key);
  return new Protection12(aead, iv, records, salt < iv.length, aad);
}

// ChangeCipherSpec and Finished, RFC 5246 7.1 and 7.4.9

/** Writes the verify_data of a side over the transcript so far at `at.verifyData`. */
function computeFinished(s: Handshake, label: string): void {
  s.digest();
  schedule12(s).verifyData(label, at.hash, at.verifyData);
}

/** ChangeCipherSpec, and our Finished under the keys that begin there. */
export function changeAndFinish(s: Handshake): void {
  const { engine, outProtection } = s;
  if (outProtection === undefined) throw faults.INTERNAL_ERROR;
  engine.sendChangeCipherSpec();
  engine.sendUnder(outProtection);
  s.outProtection = undefined;
  computeFinished(s, s.own.finished);
  const w = engine.begin(on.finished);
  w.copy(s.memory, at.verifyData, at.verifyData + verifyDataSize);
  engine.send();
}

export function receiveChangeCipherSpec(s: Handshake): SharedState {
  if (s.inProtection === undefined) throw faults.INTERNAL_ERROR;
  s.engine.receiveUnder(s.inProtection);
  s.inProtection = undefined;
  return "WAIT_FINISHED";
}

export function readFinished12(s: Handshake): void {
  const r = s.engine.reader;
  if (r.left !== verifyDataSize) throw faults.DECODE_ERROR;
  computeFinished(s, s.peer.finished);
  if (!equalSecret(s.memory, at.verifyData, r.bytes, r.skip(verifyDataSize), verifyDataSize))
    throw faults.FINISHED_MISMATCH;
}

export function connect12(s: Handshake): SharedState {
  s.establish();
  return forgetMaster(s);
}

/** Nothing more is derived of the master secret: there are no new keys without a new handshake. */
export function forgetMaster(s: Handshake): SharedState {
  schedule12(s).eraseMaster();
  s.keys12 = undefined;
  return "CONNECTED";
}
