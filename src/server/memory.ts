import { scheduleSize12 } from "../crypto/keys12.js";
import { scheduleSize13 } from "../crypto/keys13.js";

/** The longest public key of a group, P-384's uncompressed point: more than two keys and IVs. */
const MAX_SHARE = 97;

/** Bytes of a random. */
export const RANDOM = 32;

/** Where the session's randoms, secrets and hashes lie in its `memory`. */
export const at = Object.freeze({
  clientRandom: 0,
  serverRandom: 32,
  /** What the client's ClientHello has as legacy_session_id. */
  sessionId: 64,
  clientSecret: 96,
  serverSecret: 144,
  /** TLS 1.3: the client's application secret, until its Finished has come. */
  applicationSecret: 192,
  /** TLS 1.3: resumption_master_secret, then the PSK of the ticket. */
  resumption: 240,
  /** The (EC)DHE secret, for as long as it takes to derive from it. */
  shared: 288,
  hash: 336,
  verifyData: 384,
  /** The client's ephemeral public key; once the secret is agreed on, a traffic key, or TLS 1.2's key_block. */
  peerShare: 432,
  keys: 432,
  /** The key schedule's own. */
  schedule: 432 + MAX_SHARE,
  end: 432 + MAX_SHARE + Math.max(scheduleSize12, scheduleSize13),
});
