/** Module `tlstaple/crl`: servers judged by CRLs. An application has it that includes our `manifest_crl.json`. */

import type { OcspRequirement } from "../../src/client/index.js";
import { type CrlSource, Crls, type CrlVerdict, withCrlExtensions } from "../../src/pki/index.js";
import { crlWords } from "../../src/wire/index.js";
import { bytesOf } from "./bytes.js";
import type { CrlLists } from "./options.js";
import type { ByteBuffer, Platform } from "./platform.js";

export type { CrlVerdict };

/** A CRL in DER: in a buffer or resource, the name of a resource, or what reads it from elsewhere, such as a file in flash. */
export type CrlList = ByteBuffer | string | CrlReading;

export interface CrlReading {
  /** Bytes of the list from `offset` on, as many as are at hand, `most` at most; none where it ends. */
  read(offset: number, most: number): ByteBuffer | null | undefined;
}

export interface CrlSettings {
  /**
   * Which certificates need a list of their CA that vouches for them: "chain", the default, each below the root; "leaf" the
   * server's own. A list that is there is always looked at.
   */
  readonly policy?: OcspRequirement;
  /** Bytes of a list that are read in one step, 2,048 by default: no element of it may be longer. */
  readonly window?: number;
}

/** For `secure.crl`: what any number of sockets judge their servers by. Nothing of a list is kept but what `given` holds. */
export default class CertificateRevocationLists implements CrlLists {
  private readonly given: readonly CrlList[];
  private readonly settings: CrlSettings;
  private crls: Crls | undefined;
  /** The platform that `over` was given last, and what it made of it. */
  private system: Platform | undefined;
  private platform: Platform | undefined;

  constructor(given: CrlList | readonly CrlList[], settings: CrlSettings = {}) {
    this.given = Array.isArray(given) ? given : [given as CrlList];
    this.settings = settings;
  }

  /** What became of the server that was judged last: a verdict for each certificate below the root, its own first. */
  get verdicts(): readonly CrlVerdict[] {
    return this.crls?.verdicts ?? [];
  }

  /**
   * The same platform, whose errors have words for CRLs, and whose certificates tell their distribution points.
   * @throws TypeError for a resource that there is not, RangeError for settings that can't be
   */
  over(platform: Platform): Platform {
    const { policy, window } = this.settings;
    this.crls ??= new Crls(
      this.given.map((each) => sourceOf(platform, each)),
      policy,
      window,
    );
    if (this.platform === undefined || this.system !== platform) {
      this.system = platform;
      this.platform = platformWithCrls(platform);
    }
    return this.platform;
  }

  readonly step: CrlLists["step"] = (path, options, now) => this.crls!.step(path, options, now);
}

function sourceOf(platform: Platform, given: CrlList): CrlSource {
  const data = typeof given === "string" ? platform.resource(given) : given;
  if (data === undefined) throw new TypeError(`secure.crl: there is no resource ${given}`);
  return "read" in data ? reading(data) : bytesOf(data);
}

function reading(from: CrlReading): CrlSource {
  return { read: (offset, most) => bytesOf(from.read(offset, most) ?? new ArrayBuffer(0)) };
}

function platformWithCrls(platform: Platform): Platform {
  const { features, words } = platform;
  return Object.freeze(
    Object.assign({}, platform, {
      words: crlWords(words),
      features: Object.freeze(Object.assign({}, features, { pki: withCrlExtensions(features.pki) })),
    }),
  );
}
