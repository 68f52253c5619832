/** The longest public key that every handshake has room for, P-384's uncompressed point: more than two keys and IVs. */
const MAX_SHARE = 97;

/** Bytes of a key schedule's own: `scheduleSize12`, as `scheduleSize13` is less. */
const MAX_SCHEDULE = 230;

/** Bytes of a random, and of the session id that makes TLS 1.3 look like a resumption. */
export const RANDOM = 32;

/**
 * Where a handshake's randoms, secrets and hashes lie in its `memory`: one array instead of a dozen, each of which
 * would cost seven slots.
 */
export const at = Object.freeze({
  clientRandom: 0,
  serverRandom: 32,
  /** legacy_session_id of the ClientHello. */
  sessionId: 64,
  /** The traffic secrets in force: the peer's, and our own. */
  inSecret: 96,
  outSecret: 144,
  /** TLS 1.3: the client's application secret, until its Finished is through; then what tickets are made of. */
  applicationSecret: 192,
  resumptionSecret: 192,
  /** The (EC)DHE secret, up to 66 bytes of P-521, for as long as it takes to derive from it: before those above. */
  shared: 192,
  /** For what an application exports: TLS 1.3's exporter_master_secret, TLS 1.2's master secret. */
  exporterSecret: 240,
  hash: 288,
  verifyData: 336,
  /** The key schedule's own. */
  schedule: 384,
  /** The peer's ephemeral public key; once the secret is agreed on, a traffic key, or TLS 1.2's key_block. */
  peerShare: 384 + MAX_SCHEDULE,
  keys: 384 + MAX_SCHEDULE,
  /** Where a handshake's memory ends, unless it may get a longer public key. */
  end: 384 + MAX_SCHEDULE + MAX_SHARE,
});
