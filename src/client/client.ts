import { Endpoint } from "../handshake/endpoint.js";
import { arenaOf } from "../handshake/options.js";
import type { Path } from "../pki/chain.js";
import { type Verdict, verdictOn } from "../pki/verdict.js";
import { stapleAt } from "./authenticate.js";
import type { Features } from "./feature.js";
import { type ClientOptions, configure } from "./options.js";
import { ClientSession } from "./session.js";

/** One connection's client, made of the features that it is given. */
export class BareClient extends Endpoint<ClientSession> {
  /**
   * All memory for bytes is taken here, `arena` if given; nothing is allocated for a record or message later.
   * Throws RangeError or TypeError for options that can't be.
   */
  constructor(options: ClientOptions, features: Features, arena?: Uint8Array) {
    const config = configure(options, features);
    super(new ClientSession(config, arenaOf(config.buffers, arena)));
  }

  /** The server resumed the session that was offered: it sent no certificate, and no staple. */
  get resumed(): boolean {
    return this.session.resumed;
  }

  /** The server's certificates, and the path to the anchor once it is found. */
  get path(): Path {
    return this.session.path;
  }

  /**
   * One verdict for each certificate of the path, the server's first, and for a trust anchor that came with a
   * staple. Empty before the path is found.
   */
  get verdicts(): readonly Verdict[] {
    const { path, pathFound, stapleIndex, engine } = this.session;
    const verdicts: Verdict[] = [];
    for (let i = 0; pathFound && i < path.lengthWithAnchor; i++) {
      const staple = stapleAt(this.session, i);
      if (i < path.length || staple.present) verdicts.push(verdictOn(staple, i, stapleIndex, engine.fault));
    }
    return verdicts;
  }
}
