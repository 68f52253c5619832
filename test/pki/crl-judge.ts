/** A peer's path before CRLs, as a Verifier judges it. */
import type { Issued } from "../../certs/certificate.js";
import { NOW } from "../../certs/fixtures.js";
import { provider as nodeProvider } from "../../hosts/node/provider.js";
import type { Provider, Verification } from "../../src/crypto/provider.js";
import { extendedKeyUsage } from "../../src/pki/certificate.js";
import { type CrlSource, Crls } from "../../src/pki/crls.js";
import { everything } from "../../src/pki/everything.js";
import { trustAnchor } from "../../src/pki/path.js";
import { defaultOcsp, type OcspRequirement } from "../../src/pki/policy.js";
import { Store } from "../../src/pki/store.js";
import { Verifier, type VerifierOptions } from "../../src/pki/verifier.js";
import { host, verdict } from "./kit.js";

export interface Settings extends Partial<Omit<VerifierOptions, "crl">> {
  policy?: OcspRequirement;
  window?: number;
  now?: number;
  root: Buffer;
}

/** What became of a chain with these lists: "good", or a fault's name. */
export class CrlJudge {
  readonly verdict: string;
  readonly crls: Crls;
  readonly verifier: Verifier;
  /** Signatures that were verified in each step. */
  readonly steps: number[] = [];

  constructor(chain: readonly Issued[], lists: readonly CrlSource[], settings: Settings) {
    const { policy, window, now = NOW, root, provider = nodeProvider, ...options } = settings;
    this.crls = new Crls(lists, policy, window);
    const all: VerifierOptions = {
      provider: this.counting(provider),
      pki: everything,
      trust: [trustAnchor(root, everything)],
      serverName: host,
      schemes: provider.schemes,
      maxCertificates: 8,
      verify: true,
      clockFloor: 0,
      ocsp: defaultOcsp,
      ...options,
      crl: this.crls,
    };
    const store = new Store(new Uint8Array(65536));
    this.verifier = new Verifier(all, extendedKeyUsage.serverAuth, store, new Uint8Array(40), 8);
    this.verdict = verdict(() => {
      for (const { der } of chain) this.verifier.add(Uint8Array.from(der), 0, der.length);
      do this.steps.push(0);
      while (!this.verifier.step(now));
    });
  }

  /** The statuses of its verdicts. */
  get statuses(): string[] {
    return this.crls.verdicts.map(({ status }) => status);
  }

  private counting(inner: Provider): Provider {
    const count = () => this.steps[this.steps.length - 1]++;
    const counted = (verification: Verification): Verification => ({
      update: (bytes, start, end) => verification.update(bytes, start, end),
      end: () => verification.end(),
      digest: (out, at) => verification.digest(out, at),
      settle(key, signature, start, end) {
        count();
        return verification.settle(key, signature, start, end);
      },
    });
    return { ...inner, verification: (scheme) => counted(inner.verification(scheme)) };
  }
}
