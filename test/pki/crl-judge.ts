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
    this.verifier = verifierWith(this.crls, root, { ...options, provider: this.counting(provider) });
    this.verdict = verdict(() => {
      addAll(this.verifier, chain);
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

function verifierWith(crl: Crls, root: Buffer, options: Partial<VerifierOptions>): Verifier {
  const { provider = nodeProvider } = options;
  const all: VerifierOptions = {
    provider,
    pki: everything,
    trust: [trustAnchor(root, everything)],
    serverName: host,
    schemes: provider.schemes,
    maxCertificates: 8,
    verify: true,
    clockFloor: 0,
    ocsp: defaultOcsp,
    ...options,
    crl,
  };
  const store = new Store(new Uint8Array(65536));
  return new Verifier(all, extendedKeyUsage.serverAuth, store, new Uint8Array(40), 8);
}

function addAll(verifier: Verifier, chain: readonly Issued[]): void {
  for (const { der } of chain) verifier.add(Uint8Array.from(der), 0, der.length);
}

/** The verdicts on several chains below one root, each a step further in turn, with lists that they share. */
export function interleaved(crls: Crls, root: Buffer, chains: readonly (readonly Issued[])[]): string[] {
  const found: (string | undefined)[] = chains.map(() => undefined);
  const verifiers = chains.map((chain) => {
    const verifier = verifierWith(crls, root, {});
    addAll(verifier, chain);
    return verifier;
  });
  while (found.includes(undefined))
    for (const [i, verifier] of verifiers.entries()) found[i] ??= next(verifier);
  return found.map(String);
}

/** What one step makes of it; undefined while there is more to do. */
function next(verifier: Verifier): string | undefined {
  let done = false;
  const said = verdict(() => {
    done = verifier.step(NOW);
  });
  return done || said !== "good" ? said : undefined;
}
