/** The longest public key of a group: P-384's uncompressed point. */
const MAX_SHARE = 97;

/**
 * Where the session's randoms, secrets and hashes lie in `memory`: one array instead of a dozen, each of which
 * would cost seven slots.
 */
export const at = Object.freeze({
  clientRandom: 0,
  serverRandom: 32,
  sessionId: 64,
  clientSecret: 96,
  serverSecret: 144,
  /** TLS 1.3: the client's application secret, until its Finished is sent. */
  applicationSecret: 192,
  /** The (EC)DHE secret, for as long as it takes to derive from it. */
  shared: 240,
  hash: 288,
  verifyData: 336,
  /** A traffic key, or TLS 1.2's key_block, until the AEAD has it. */
  keys: 384,
  /** The peer's ephemeral public key, P-384's uncompressed point at the longest. */
  peerShare: 384 + 2 * (32 + 12),
  end: 384 + 2 * (32 + 12) + MAX_SHARE,
});

/** RFC 9654 2.1. */
export const NONCE = 32;
/** Bytes of a random, and of the session id that makes TLS 1.3 look like a resumption. */
export const RANDOM = 32;
