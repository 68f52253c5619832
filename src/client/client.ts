import { arenaOf } from "../handshake/arena.js";
import { Endpoint } from "../handshake/endpoint.js";
import type { Features } from "./feature.js";
import { ClientHandshake } from "./handshake.js";
import { type ClientOptions, configure } from "./options.js";

/** One connection's client, made of the features that it is given. */
export class BareClient extends Endpoint<ClientHandshake> {
  /**
   * All memory for bytes is taken here, `arena` if given; nothing is allocated for a record or message later.
   * Throws RangeError or TypeError for options that can't be.
   */
  constructor(options: ClientOptions, features: Features, arena?: Uint8Array) {
    const config = configure(options, features);
    super(new ClientHandshake(config, arenaOf(config.buffers, arena)));
  }

  /** The server resumed the session that was offered: it sent no certificate, and no staple. */
  get resumed(): boolean {
    return this.handshake.resumed;
  }
}
