import { export12, export13 } from "../crypto/exporter.js";
import { masterSize } from "../crypto/keys12.js";
import { secretLabel } from "../crypto/keys13.js";
import { hashSize } from "../crypto/suites.js";
import { demand } from "../wire/demand.js";
import { version } from "../wire/registry.js";
import type { Handshake } from "./handshake.js";
import { schedule12 } from "./handshake12.js";
import { at, RANDOM } from "./memory.js";

/** Keying material that an application derives from its connection, RFC 8446 7.5 and RFC 5705. */

/** The Master Secret's stage has just begun: keeps exporter_master_secret. The transcript's hash is still that of then. */
export function keepExporterSecret13(s: Handshake): void {
  const keys = s.schedule13;
  keys.derive(secretLabel.exporter, at.hash, at.exporterSecret);
  s.log("EXPORTER_SECRET", at.exporterSecret, keys.size);
}

/** Keeps the master secret, unless it is the kind that must not be exported from (RFC 7627 5.4). */
export function keepExporterSecret12(s: Handshake): void {
  const { master } = schedule12(s);
  if (s.extendedMasterSecret) s.memory.copyWithin(at.exporterSecret, master, master + masterSize);
}

/** Labels with a meaning in TLS itself, RFC 5705 section 4. */
const reserved = Object.freeze([
  "client finished",
  "server finished",
  "master secret",
  "extended master secret",
  "key expansion",
]);

/** "tls13 " stands before it in 255 bytes. */
const MAX_LABEL = 249;
const MAX_CONTEXT = 65535;
/** HKDF-Expand's blocks, and the PRF's for the same. */
const MAX_BLOCKS = 255;

/**
 * `length` bytes that both sides get for this label and context. In TLS 1.2 no context differs from an empty one. Undefined
 * when there is nothing to derive from: before the handshake is done, after the connection's end, and in TLS 1.2 without
 * extended_master_secret. Throws RangeError for a label, context or length that can't be.
 */
export function exportKeyingMaterial(
  s: Handshake,
  length: number,
  label: string,
  context?: Uint8Array,
): Uint8Array | undefined {
  const { memory, config, engine } = s;
  const hash = s.suite?.hash ?? "sha256";
  const most = MAX_BLOCKS * hashSize[hash];
  demand(length > 0 && length <= most && length === Math.floor(length), `length: 1 to ${most} bytes`);
  demand(label.length > 0 && label.length <= MAX_LABEL, `label: 1 to ${MAX_LABEL} characters`);
  demand(!reserved.includes(label), "label: it has a meaning in TLS itself (RFC 5705)");
  demand(context === undefined || context.length <= MAX_CONTEXT, `context: at most ${MAX_CONTEXT} bytes`);
  const tls13 = s.version === version.tls13;
  const size = tls13 ? hashSize[hash] : masterSize;
  const secret = memory.subarray(at.exporterSecret, at.exporterSecret + size);
  if (!engine.established || secret.every((byte) => byte === 0)) return undefined;
  if (tls13) return export13(config.provider, hash, secret, label, context ?? new Uint8Array(0), length);
  const randoms = memory.subarray(at.clientRandom, at.serverRandom + RANDOM);
  return export12(config.provider, hash, secret, randoms, label, context, length);
}
