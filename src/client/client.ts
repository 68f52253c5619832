import { arenaOf } from "../handshake/arena.js";
import { Endpoint } from "../handshake/endpoint.js";
import type { Features } from "./feature.js";
import { ClientHandshake } from "./handshake.js";
import { type ClientOptions, configure } from "./options.js";

/**
 * What BareClient is made of, for a host that counts each byte of flash: it has the handshake's state in its own hands, and
 * the engine's buffers. Throws as BareClient's constructor.
 */
export function clientHandshake(
  options: ClientOptions,
  features: Features,
  arena?: Uint8Array,
): ClientHandshake {
  const config = configure(options, features);
  const bytes = arenaOf(config.buffers, arena);
  return new ClientHandshake(config, bytes);
}

/** One connection's client, made of the features that it is given. */
export class BareClient extends Endpoint<ClientHandshake> {
  /**
   * All memory for bytes is taken here, `arena` if given; nothing is allocated for a record or message later.
   * Throws RangeError or TypeError for options that can't be.
   */
  constructor(options: ClientOptions, features: Features, arena?: Uint8Array) {
    super(clientHandshake(options, features, arena));
  }

  /** The server resumed the session that was offered: it sent no certificate, and no staple. */
  get resumed(): boolean {
    return this.handshake.resumed;
  }
}
