import { NOW } from "../../certs/fixtures.js";
import { provider as nodeProvider } from "../../hosts/node/provider.js";
import type { Provider, Verification } from "../../src/crypto/provider.js";
import { Certificate, type PkiTables } from "../../src/pki/certificate.js";
import { everything } from "../../src/pki/everything.js";
import { Staple } from "../../src/pki/ocsp.js";
import type { Authority } from "../../src/pki/path.js";
import { defaultOcsp, type OcspPolicy } from "../../src/pki/policy.js";
import { Store } from "../../src/pki/store.js";
import { faultName, isFault } from "../../src/wire/fault.js";
import { given } from "../../src/wire/given.js";
import { keep, stapleVerifier } from "./kit.js";

/** The client's defaults. */
export const policy: OcspPolicy = defaultOcsp;

/** What a response is measured by, where that is not `policy`. */
export type Measure = Partial<Omit<OcspPolicy, "nonce">> & {
  nonce?: Uint8Array;
  /** A response without the nonce counts too. */
  mayLackNonce?: boolean;
};

/** Judges responses about one certificate, as a handshake would, and counts the signatures verified. */
export class Judge {
  store: Store;
  staple = new Staple();
  private readonly provider: Provider;
  private readonly pki: PkiTables;
  private readonly size: number;
  private readonly subject: Certificate;
  private readonly issuer: Authority;
  private signatures = 0;

  constructor(subject: Buffer, issuer: Buffer, size = 8192, provider = nodeProvider, pki = everything) {
    this.provider = this.counting(provider);
    this.pki = pki;
    this.size = size;
    this.store = new Store(new Uint8Array(size));
    this.subject = parsed(subject);
    this.issuer = parsed(issuer);
  }

  /** The number of signatures that each call of settle() verified. Throws the fault of a response that fails. */
  settle(der: Buffer | undefined, { nonce, mayLackNonce, ...options }: Measure = {}, at = NOW): number[] {
    const steps: number[] = [];
    const measure = { ...policy, ...given(options), nonce: mayLackNonce && ("if-present" as const) };
    this.run(der, measure, at, steps, nonce);
    return steps;
  }

  steps(der: Buffer): number[] {
    const steps: number[] = [];
    caught(() => this.run(der, policy, NOW, steps));
    return steps;
  }

  /** "good" or the fault's name; what is thrown and is no fault goes on. */
  verdict(der: Buffer | undefined, options: Measure = {}, at = NOW): string {
    return caught(() => this.settle(der, options, at));
  }

  private run(
    der: Buffer | undefined,
    policy: OcspPolicy,
    at: number,
    steps: number[],
    nonce?: Uint8Array,
  ): void {
    this.store = new Store(new Uint8Array(this.size));
    this.staple = new Staple();
    const options = { provider: this.provider, pki: this.pki, ocsp: policy };
    const verifier = stapleVerifier(options, this.store);
    verifier.nonce = nonce;
    if (der) this.staple.take(this.store, der, 0, der.length);
    for (let settled = false; !settled; ) {
      if (steps.length > 50) throw new Error("settle() does not come to an end");
      this.signatures = 0;
      try {
        settled = verifier.settle(this.staple, this.subject, this.issuer, at);
      } finally {
        steps.push(this.signatures);
      }
    }
  }

  private counting(provider: Provider): Provider {
    const verification = (scheme: number): Verification => {
      const inner = provider.verification(scheme);
      return {
        update: (bytes, start, end) => inner.update(bytes, start, end),
        end: () => inner.end(),
        digest: (out, at) => inner.digest(out, at),
        settle: (key, signature, start, end) => {
          this.signatures++;
          return inner.settle(key, signature, start, end);
        },
      };
    };
    return { ...provider, verification };
  }
}

/** "good", or the name of the fault that is thrown. */
export function caught(act: () => unknown): string {
  try {
    act();
    return "good";
  } catch (error) {
    if (isFault(error)) return faultName(error);
    throw error;
  }
}

function parsed(der: Buffer): Certificate {
  const certificate = new Certificate();
  keep(certificate, new Store(new Uint8Array(8192)), der);
  return certificate;
}
