import { type ClientOptions, configure } from "../../../src/client/index.js";
import {
  extendedKeyUsage,
  type OcspRequirement,
  requirements,
  Store,
  type Verdict,
  Verifier,
} from "../../../src/pki/index.js";
import { type Fault, isFault } from "../../../src/wire/index.js";
import type { Root } from "../common/read.js";
import { settle } from "../socket/options.js";
import type { Target, Visit } from "./visit.js";

/** What a client with one policy says to what a server sent. */
export interface Opinion {
  /** Why it would refuse the server. */
  readonly fault: Fault | undefined;
  /** For each certificate of the path, as far as it was found, the server's own first. */
  readonly verdicts: readonly Verdict[];
  /** DER, from the server's own certificate to the root; empty where there is no path. */
  readonly path: readonly Buffer[];
  /** Bytes of `buffers.store` that a client needs for it. */
  readonly store: number;
}

export type Opinions = Readonly<Record<OcspRequirement, Opinion>>;

/** Judges visits as the clients of tlstaple do, devices too: by the same verifier. */
export class Judge {
  private readonly options: ClientOptions;
  private readonly roots: readonly Root[];

  /** @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION` */
  constructor({ starttls, ...target }: Target) {
    const { core, roots } = settle(target);
    this.options = core;
    this.roots = roots;
  }

  /** What clients of each policy say. */
  judge(visit: Visit): Opinions {
    const opinions = requirements.map((policy) => [policy, this.opinion(visit, policy)]);
    return Object.fromEntries(opinions);
  }

  private opinion({ certificates, staples, way }: Visit, policy: OcspRequirement): Opinion {
    const { options } = this;
    // As a whole: the defaults of what is configured are inherited, so that a copy would lack them, `verify` too
    const config = configure({ ...options, ocsp: { ...options.ocsp, stapling: way.stapling, policy } });
    const store = new Store(new Uint8Array(config.buffers.store));
    const verifier = new Verifier(config, extendedKeyUsage.serverAuth, store, new Uint8Array(32), 0);
    const fault = caught(() => {
      for (const der of certificates) verifier.add(der, 0, der.length);
      staples.forEach((der, i) => void (der && verifier.staple(i, der, 0, der.length)));
      while (!verifier.step(config.clock()));
    });
    const verdicts = verifier.verdicts(fault);
    return { fault, verdicts, path: this.pathOf(verifier, certificates), store: store.needed };
  }

  private pathOf({ path }: Verifier, certificates: readonly Buffer[]): Buffer[] {
    const found = Array.from({ length: path.length }, (_, i) => certificates[path.index(i)]);
    const root = this.roots.find(({ anchor }) => anchor === path.anchor)?.certificate.raw;
    return root && !found.at(-1)?.equals(root) ? [...found, root] : found;
  }
}

function caught(run: () => void): Fault | undefined {
  try {
    run();
    return undefined;
  } catch (fault) {
    if (isFault(fault)) return fault;
    throw fault;
  }
}
