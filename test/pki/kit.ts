/** What the tests of paths and certificates share: certificates made on the spot, and a path that is walked. */
import { type Authority, type Issued, issue, type Template } from "../../certs/certificate.js";
import { basicConstraints, keyUsage, subjectAltName } from "../../certs/extensions.js";
import { NOW } from "../../certs/fixtures.js";
import { newKey } from "../../certs/keys.js";
import { provider } from "../../hosts/node/provider.js";
import type { Provider, Verification } from "../../src/crypto/provider.js";
import {
  type Certificate,
  extendedKeyUsage,
  type PkiOptions,
  type PkiTables,
} from "../../src/pki/certificate.js";
import { Der } from "../../src/pki/der.js";
import { everything } from "../../src/pki/everything.js";
import { type StapleOptions, StapleVerifier } from "../../src/pki/ocsp.js";
import { Path, type PathOptions, trustAnchor } from "../../src/pki/path.js";
import { Store } from "../../src/pki/store.js";
import { faultName, isFault } from "../../src/wire/fault.js";

export const host = "leaf.tlstaple.test";

/** One key for each role: making them is what takes time. */
export const keys = Object.freeze({
  root: newKey("p256"),
  ca: newKey("p256"),
  leaf: newKey("p256"),
  other: newKey("p256"),
});

type Differences = Partial<Omit<Template, "extensions">> & {
  extensions?: Record<string, Buffer | undefined>;
};

/** A CA, self-signed when there is no issuer. */
export function authority(subject: string, issuer?: Authority, differences: Differences = {}): Issued {
  const extensions = {
    constraints: basicConstraints(true),
    usage: keyUsage("keyCertSign"),
    ...differences.extensions,
  };
  return issue(issuer, { subject, key: issuer ? keys.ca : keys.root, ...differences, extensions });
}

/** A server's certificate, self-signed when there is no issuer. */
export function server(issuer?: Authority, differences: Differences = {}): Issued {
  const extensions = {
    usage: keyUsage("digitalSignature"),
    names: subjectAltName(host),
    ...differences.extensions,
  };
  return issue(issuer, { subject: "server", key: keys.leaf, ...differences, extensions });
}

export const root = authority("root");
export const intermediate = authority("intermediate", root);
export const leaf = server(intermediate);

/** The name of the fault that is thrown, "good" without one; anything else that is thrown goes on. */
export function verdict(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown;
    return faultName(thrown);
  }
  return "good";
}

export interface WalkOptions extends Partial<Pick<PathOptions, "schemes" | "pki">> {
  name?: string;
  purpose?: number;
  /** What the anchors are read with; the tables of the path by default. */
  anchorTables?: PkiTables;
  anchors?: readonly Uint8Array[];
  now?: number;
  storeSize?: number;
  max?: number;
}

/** A path over certificates, walked to its end, and the signatures that each step verified. */
export class Walk {
  path: Path;
  store: Store;
  readonly steps: number[] = [];
  private readonly now: number;
  private readonly make: () => [Store, Path];

  constructor(options: WalkOptions = {}) {
    const { anchors = [root.der], now = NOW, storeSize = 65536, max = 8 } = options;
    const { schemes = provider.schemes, purpose, pki = everything, anchorTables = pki } = options;
    this.now = now;
    const settings: PathOptions = {
      provider: this.counting(),
      pki,
      trust: anchors.map((der) => trustAnchor(der, anchorTables)),
      serverName: "name" in options ? options.name : host,
      schemes,
      maxCertificates: max,
    };
    this.make = () => {
      const store = new Store(new Uint8Array(storeSize));
      return [store, pathWith(settings, store, purpose)];
    };
    [this.store, this.path] = this.make();
  }

  /** Takes the certificates through one buffer that is overwritten each time, as the engine does. */
  run(chain: readonly Uint8Array[]): this {
    [this.store, this.path] = this.make();
    this.steps.length = 0;
    for (const der of chain) {
      const buffer = Uint8Array.from([0xff, ...der, 0xff]);
      this.path.add(buffer, 1, buffer.length - 1);
      buffer.fill(0xee);
    }
    while (!this.step()) if (this.steps.length > 100) throw new Error("step() does not come to an end");
    return this;
  }

  /** The path as indices into the order sent. */
  get indices(): number[] {
    return Array.from({ length: this.path.length }, (_, i) => this.path.index(i));
  }

  private step(): boolean {
    this.steps.push(0);
    return this.path.step(this.now);
  }

  private counting(): Provider {
    const count = () => this.steps[this.steps.length - 1]++;
    const verification = (scheme: number): Verification => {
      const inner = provider.verification(scheme);
      return {
        update: (bytes, start, end) => inner.update(bytes, start, end),
        end: () => inner.end(),
        digest: (out, at) => inner.digest(out, at),
        settle(key, signature, start, end) {
          count();
          return inner.settle(key, signature, start, end);
        },
      };
    };
    return { ...provider, verification };
  }
}

/** The verdict on a chain. */
export function judge(chain: readonly (Issued | Uint8Array)[], options: WalkOptions = {}): string {
  const ders = chain.map((each) => (each instanceof Uint8Array ? each : each.der));
  return verdict(() => new Walk(options).run(ders));
}

/** A path to a server, unless for another purpose. */
export function pathWith(
  options: PathOptions,
  store: Store,
  purpose: number = extendedKeyUsage.serverAuth,
): Path {
  return new Path(options, store, purpose, new Der());
}

/** What judges staples, with room for a digest of its own. */
export function stapleVerifier(options: StapleOptions, store: Store): StapleVerifier {
  return new StapleVerifier(options, store, new Uint8Array(32), 0, new Der());
}

/** Reads and keeps a certificate, as a path does. */
export function keep(
  certificate: Certificate,
  store: Store,
  der: Uint8Array,
  options: PkiOptions = { provider, pki: everything },
): void {
  certificate.read(options.pki, der, 0, der.length);
  certificate.keep(options, store);
}
