import test from "ava";
import type { Issued } from "../../certs/certificate.js";
import { extendedKeyUsage, mustStaple, purpose, subjectAltName } from "../../certs/extensions.js";
import { NOW } from "../../certs/fixtures.js";
import { certId, certStatus, ocspResponse, singleResponse } from "../../certs/response.js";
import { provider } from "../../hosts/node/provider.js";
import type { Provider, Verification } from "../../src/crypto/provider.js";
import { Certificate, extendedKeyUsage as eku, type Remembered } from "../../src/pki/certificate.js";
import { everything } from "../../src/pki/everything.js";
import { trustAnchor } from "../../src/pki/path.js";
import { defaultClientOcsp, defaultOcsp, type StaplePolicy } from "../../src/pki/policy.js";
import { Store } from "../../src/pki/store.js";
import { answers, judge, Verifier, type VerifierOptions } from "../../src/pki/verifier.js";
import { authority, host, keys, root, server, verdict } from "./kit.js";

/** The judge of a peer. What it makes of paths and of responses is the business of their own tests. */

const ca = authority("intermediate", root);
const leaf = server(ca);
const chain = [leaf, ca];
const revoked = certStatus.revoked("2026-01-01T00:00:00Z");

/** What a CA says of a certificate, by itself or by a delegate of its own. */
function says(
  issuer: Issued,
  { serial }: Issued,
  parts: { status?: Buffer; delegated?: boolean } = {},
): Buffer {
  const { status, delegated } = parts;
  const responses = [singleResponse({ certId: certId(issuer, serial), ...(status && { status }) })];
  if (!delegated) return ocspResponse({ signer: issuer, responses });
  const extensions = { signing: extendedKeyUsage(purpose.ocspSigning) };
  const signer = server(issuer, { subject: "responder", key: keys.other, extensions });
  return ocspResponse({ signer, certificates: [signer.der], responses });
}

const forLeaf = says(ca, leaf);
const forCa = says(root, ca);

interface Settings extends Partial<Omit<VerifierOptions, "ocsp">> {
  ocsp?: Partial<StaplePolicy>;
  purpose?: number;
  now?: number | undefined;
  storeSize?: number;
}

const sides: Record<string, Settings> = {
  "a server": { purpose: eku.serverAuth, serverName: host },
  "a client": {
    purpose: eku.clientAuth,
    serverName: undefined,
    ocsp: { ...defaultClientOcsp, stapling: "v1" },
  },
};

/** A Verifier, and what became of it. */
class Judged {
  readonly verifier: Verifier;
  /** What ended it: "good", or a fault. */
  readonly verdict: string;
  /** Signatures that were settled in each step. */
  readonly steps: number[] = [];
  private readonly now: number | undefined;

  constructor(
    sent: readonly (Issued | Buffer)[],
    staples: readonly (Buffer | undefined)[],
    settings: Settings,
  ) {
    const { purpose: use = eku.serverAuth, ocsp, storeSize = 65536, ...options } = settings;
    this.now = "now" in settings ? settings.now : NOW;
    const all: VerifierOptions = {
      provider: this.counting(provider),
      pki: everything,
      trust: [trustAnchor(root.der, everything)],
      serverName: host,
      schemes: provider.schemes,
      maxCertificates: 8,
      verify: true,
      clockFloor: 0,
      ...options,
      ocsp: { ...defaultOcsp, ...ocsp },
    };
    const store = new Store(new Uint8Array(storeSize));
    this.verifier = new Verifier(all, use, store, new Uint8Array(40), 8);
    this.verdict = verdict(() => this.run(sent, staples));
  }

  /** The statuses of its verdicts; the fault that ended it stands with the one that it is about. */
  get statuses(): string[] {
    return this.verifier.verdicts(undefined).map(({ status }) => status);
  }

  /** All in one buffer that is overwritten each time, as the engine does. */
  private run(sent: readonly (Issued | Buffer)[], staples: readonly (Buffer | undefined)[]): void {
    sent.forEach((each, i) => {
      const der = Buffer.isBuffer(each) ? each : each.der;
      const bytes = Uint8Array.from([0xff, ...der, 0xff]);
      this.verifier.add(bytes, 1, bytes.length - 1);
      bytes.fill(0xee);
      const staple = staples[i];
      if (staple === undefined) return;
      const response = Uint8Array.from([0xff, ...staple, 0xff]);
      this.verifier.staple(i, response, 1, response.length - 1);
      response.fill(0xee);
    });
    do this.steps.push(0);
    while (!this.verifier.step(this.now));
  }

  private counting(inner: Provider): Provider {
    const count = () => this.steps[this.steps.length - 1]++;
    return { ...inner, verification: (scheme) => counted(inner.verification(scheme), count) };
  }
}

/** The same verification, and a call for each time that it is settled. */
function counted(inner: Verification, count: () => void): Verification {
  return {
    update: (bytes, start, end) => inner.update(bytes, start, end),
    end: () => inner.end(),
    digest: (out, at) => inner.digest(out, at),
    settle(key, signature, start, end) {
      count();
      return inner.settle(key, signature, start, end);
    },
  };
}

for (const [side, settings] of Object.entries(sides)) {
  const judged = (
    sent: readonly (Issued | Buffer)[],
    staples: readonly (Buffer | undefined)[] = [],
    more: Settings = {},
  ) => new Judged(sent, staples, { ...settings, ...more, ocsp: { ...settings.ocsp, ...more.ocsp } });

  test(`${side}: a step verifies one signature at most, the path before the staples`, (t) => {
    t.deepEqual(judged(chain).steps, [1, 1, 0, 0]);
    t.deepEqual(judged(chain, [forLeaf, forCa]).steps, [1, 1, 0, 1, 0, 1]);
    const byDelegates = [says(ca, leaf, { delegated: true }), says(root, ca, { delegated: true })];
    const { steps, verdict } = judged(chain, byDelegates);
    t.deepEqual([steps, verdict], [[1, 1, 0, 1, 1, 0, 1, 1], "good"]);
  });

  test(`${side}: verdicts`, (t) => {
    t.deepEqual(judged(chain).statuses, ["none", "none"]);
    t.deepEqual(judged(chain, [forLeaf]).statuses, ["good", "none"]);
    t.deepEqual(judged(chain, [forLeaf, forCa]).statuses, ["good", "good"]);
    t.deepEqual(
      judged([leaf, root, ca], [forLeaf, undefined, forCa]).statuses,
      ["good", "good"],
      "in any order",
    );
    const bad = judged(chain, [says(ca, leaf, { status: revoked }), forCa]);
    t.is(bad.verdict, "OCSP_CERT_REVOKED");
    t.deepEqual(bad.statuses, ["unchecked", "unchecked"], "nothing but the fault tells that one was refused");
  });

  test(`${side}: the order of faults: the path's, then those of the staples, from the leaf up`, (t) => {
    const stranger = authority("root", undefined, { key: keys.other });
    const lost = judged([server(stranger)], [Buffer.from("junk")], { ocsp: { policy: "chain" } });
    t.is(lost.verdict, "CERT_SIGNATURE");
    t.deepEqual(lost.statuses, []);
    t.is(
      judged(chain, [undefined, Buffer.from("junk")], { ocsp: { policy: "chain" } }).verdict,
      "OCSP_STAPLE_MISSING",
    );
    t.is(judged(chain, [Buffer.from("junk"), says(root, ca, { status: revoked })]).verdict, "OCSP_MALFORMED");
    t.is(judged(chain, [forLeaf, says(root, ca, { status: revoked })]).verdict, "OCSP_CERT_REVOKED");
    t.is(
      judged(chain, [says(ca, leaf, { status: certStatus.unknown }), undefined]).verdict,
      "OCSP_CERT_UNKNOWN",
    );
    t.is(
      judged([leaf], [forLeaf]).verdict,
      "CERT_UNKNOWN_ISSUER",
      "without its issuer no staple is looked at",
    );
  });

  test(`${side}: which certificates need a staple`, (t) => {
    const missing = "OCSP_STAPLE_MISSING";
    const verdicts = (policy: StaplePolicy["policy"]) =>
      [[], [forLeaf], [undefined, forCa], [forLeaf, forCa]].map(
        (staples) => judged(chain, staples, { ocsp: { policy } }).verdict,
      );
    t.deepEqual(verdicts("if-present"), ["good", "good", "good", "good"]);
    t.deepEqual(verdicts("leaf"), [missing, "good", missing, "good"]);
    t.deepEqual(verdicts("chain"), [missing, missing, missing, "good"]);
    const off = judged(chain, [], { ocsp: { policy: "chain", stapling: "off" } });
    t.is(off.verdict, "good", "nobody was asked");
  });

  test(`${side}: an anchor that was sent along needs no staple, and one that came with it counts`, (t) => {
    const ocsp = { policy: "chain" } as const;
    const sent = [leaf, ca, root];
    const staples = [forLeaf, forCa];
    const good = judged(sent, staples, { ocsp });
    t.deepEqual([good.verdict, good.statuses], ["good", ["good", "good"]]);
    const all = judged(sent, [...staples, says(root, root)], { ocsp });
    t.deepEqual([all.verdict, all.statuses], ["good", ["good", "good", "good"]]);
    t.is(
      judged(sent, [...staples, says(root, root, { status: revoked })], { ocsp }).verdict,
      "OCSP_CERT_REVOKED",
    );
    t.is(judged(sent, [...staples, Buffer.from("junk")], { ocsp }).verdict, "OCSP_MALFORMED");
    const other = authority("other");
    t.is(
      judged([leaf, ca, other], [...staples, Buffer.from("junk")], { ocsp }).verdict,
      "good",
      "off the path",
    );
  });

  test(`${side}: a clock that is not set, or before its floor, is none`, (t) => {
    for (const now of [undefined, Number.NaN, NOW - 1])
      t.is(judged(chain, [], { now, clockFloor: NOW }).verdict, "NO_CLOCK");
    t.is(judged(chain, [], { clockFloor: NOW }).verdict, "good");
    t.is(judged(chain, [], { now: undefined, verify: false }).verdict, "good", "nor is one needed");
  });

  test(`${side}: without verification all is taken that can be read`, (t) => {
    const off = judged([server(undefined)], [Buffer.alloc(100_000, 1)], { verify: false });
    t.deepEqual([off.verdict, off.steps, off.statuses], ["good", [0], []]);
    t.true(off.verifier.leaf instanceof Certificate);
    t.is(off.verifier.leaf.key.kind, "p256");
    t.is(judged([Buffer.from("junk")], [], { verify: false }).verdict, "CERT_MALFORMED");
  });

  test(`${side}: lists that are too long`, (t) => {
    const many = (n: number) => [leaf, ca, ...Array.from({ length: n - 2 }, () => ca)];
    const most = judged(many(64), [forLeaf], { maxCertificates: 2 });
    t.deepEqual([most.verdict, most.verifier.sent, most.verifier.path.rows.length], ["good", 64, 2]);
    t.is(judged(many(65), [forLeaf], { maxCertificates: 2 }).verdict, "CERT_CHAIN_TOO_LONG");
    const first = { maxCertificates: 1, trust: [trustAnchor(ca.der, everything)] };
    const beyond = judged(chain, [forLeaf, forCa], first);
    t.deepEqual([beyond.verdict, beyond.statuses], ["good", ["good"]]);
    const { needed } = judged([leaf], [forLeaf], first).verifier.store;
    t.is(beyond.verifier.store.needed, needed, "the staple of one that is not kept is nobody's");
  });

  test(`${side}: no certificate at all, and no room for a staple`, (t) => {
    t.is(judged([]).verdict, "NO_PEER_CERT");
    const kept = judged(chain).verifier.store.needed;
    t.is(judged([leaf], [forLeaf], { storeSize: kept / 2 + 10 }).verdict, "STORE_TOO_SMALL");
  });

  test(`${side}: every signature of certificates, responses and delegates is settled by what remembers them`, (t) => {
    let settled = 0;
    const remembered: Remembered = {
      settle(_provider, _scheme, verification, ...what) {
        settled++;
        return verification.settle(...what);
      },
    };
    const all = judged(chain, [says(ca, leaf, { delegated: true }), forCa], { remembered });
    t.is(all.verdict, "good");
    const counts = all.steps.reduce((sum, count) => sum + count, 0);
    t.deepEqual([settled, counts], [5, 5]);
  });
}

test("a server must serve for that, under the name wanted; a client for its own purpose, under any", (t) => {
  const forServers = server(root, { extensions: { eku: extendedKeyUsage(purpose.serverAuth) } });
  const forClients = server(root, { extensions: { eku: extendedKeyUsage(purpose.clientAuth) } });
  const another = server(root, { extensions: { names: subjectAltName("another.test") } });
  const verdicts = (settings: Settings) =>
    [forServers, forClients, another].map((each) => new Judged([each], [], settings).verdict);
  t.deepEqual(verdicts(sides["a server"]), ["good", "CERT_EXTENDED_KEY_USAGE", "CERT_NAME_MISMATCH"]);
  t.deepEqual(verdicts(sides["a client"]), ["CERT_EXTENDED_KEY_USAGE", "good", "good"]);
});

test("a certificate's own demand for a staple counts for those who honour it", (t) => {
  const demanding = server(root, { extensions: { feature: mustStaple() } });
  const met = (settings: Settings, ...staples: Buffer[]) =>
    new Judged([demanding], staples, settings).verdict;
  const { "a server": ofServer, "a client": ofClient } = sides;
  t.is(met(ofServer), "OCSP_STAPLE_MISSING");
  t.is(met(ofServer, says(root, demanding)), "good");
  t.is(met({ ...ofServer, ocsp: { stapling: "off" } }), "good");
  t.is(met({ ...ofServer, ocsp: { mustStaple: false } }), "good");
  t.is(met({ ...ofClient, ocsp: { ...ofClient.ocsp, mustStaple: undefined } }), "good", "a server does not");
});

test("a verdict says what ended it, and of whom", (t) => {
  const { verifier } = new Judged(chain, [forLeaf, says(root, ca, { status: revoked })], {});
  const fault = t.throws(() => verifier.step(NOW), { any: true }) as never;
  const [first, second] = verifier.verdicts(fault);
  t.is(first.status, "good");
  t.false("fault" in first);
  t.is(second.status, "revoked");
  t.is(second.fault, fault);
  t.is(second.revokedAt, Date.parse("2026-01-01T00:00:00Z") / 1000);
  t.is(first.responder, "byName");
});

test("a nonce is there for those that want one", (t) => {
  const nonceOf = (nonce: StaplePolicy["nonce"]) => new Judged([], [], { ocsp: { nonce } }).verifier.nonce;
  t.is(nonceOf(false), undefined);
  t.is(nonceOf("if-present")?.length, 32);
  t.is(nonceOf(true)?.length, 32);
  t.is(new Judged(chain, [forLeaf], { ocsp: { nonce: true } }).verdict, "OCSP_NONCE");
  t.is(new Judged(chain, [forLeaf], { ocsp: { nonce: "if-present" } }).verdict, "good");
});

test("one response about one certificate", (t) => {
  const read = ({ der }: Issued) => {
    const certificate = new Certificate();
    certificate.read(everything, der, 0, der.length);
    return certificate;
  };
  const subject = { certificate: read(leaf), issuer: read(ca) };
  const options = { provider, pki: everything, ocsp: defaultOcsp };
  const made = (response: Buffer, nonce?: Uint8Array) => judge(response, subject, options, NOW, nonce);
  const good = made(forLeaf);
  t.deepEqual(
    [good.fault, good.staple.status, good.signerUntil, answers(good)],
    [undefined, "good", Infinity, true],
  );
  const byDelegate = made(says(ca, leaf, { delegated: true }));
  t.is(byDelegate.staple.status, "good");
  t.is(byDelegate.signerUntil, read(leaf).notAfter);
  const bad = made(says(ca, leaf, { status: revoked }));
  t.is(
    verdict(() => {
      throw bad.fault;
    }),
    "OCSP_CERT_REVOKED",
  );
  t.true(answers(bad));
  t.false(answers(made(says(ca, leaf, { status: certStatus.unknown }))));
  t.false(answers(made(Buffer.from("junk"))));
  t.truthy(made(forLeaf, Buffer.alloc(32)).fault);
});
