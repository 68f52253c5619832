import test from "ava";
import type { Issued } from "../../certs/certificate.js";
import { generalizedTime } from "../../certs/der.js";
import { extendedKeyUsage, generalName, nameConstraints, purpose } from "../../certs/extensions.js";
import { credential, NOW } from "../../certs/fixtures.js";
import { certId, certStatus, ocspResponse, type Single, singleResponse } from "../../certs/response.js";
import { provider, signer } from "../../hosts/node/provider.js";
import {
  type ClientOptions,
  type Provider,
  SignatureMemory,
  trustAnchor,
  version,
} from "../../src/client/index.js";
import { Link, trust } from "../client/link.js";
import { named } from "../faults.js";
import { flip } from "../peers/bytes.js";
import { identity, servers } from "../peers/identity.js";
import type { Script } from "../peers/script.js";
import { authority, host, intermediate, keys, leaf, root, server } from "../pki/kit.js";
import { settling } from "../pki/settling.js";
import { Pair } from "../server/pair.js";

/** What is left to be verified in a handshake when signatures are remembered, and what is not left out. */

/** A provider that counts, and a memory of what it verified. */
class Counted {
  verified = 0;
  readonly provider: Provider;
  readonly memory: SignatureMemory;

  constructor(count = 8) {
    this.provider = settling(provider, () => this.verified++);
    this.memory = new SignatureMemory(this.provider, count);
  }

  get options() {
    return { provider: this.provider, remembered: this.memory };
  }

  /** The fault of one more handshake, and how many signatures the provider verified in it. */
  handshake(
    script: Script,
    options: Partial<ClientOptions> = {},
  ): [fault: string | undefined, verified: number] {
    const before = this.verified;
    const { client } = new Link(script, { ...trusting, ...this.options, ...options }).run();
    if (!client.fault && !client.established) throw new Error("it is not at its end");
    return [named(client.fault), this.verified - before];
  }
}

const trusting = { serverName: host, trust: [trustAnchor(root.der)] };
const responder = server(intermediate, {
  subject: "responder",
  key: keys.other,
  extensions: { signing: extendedKeyUsage(purpose.ocspSigning) },
});

/** By a delegate of the CA. */
function staple({ serial }: Issued, differently: Partial<Single> = {}): Buffer {
  const responses = [singleResponse({ certId: certId(intermediate, serial), ...differently })];
  return ocspResponse({ signer: responder, certificates: [responder.der], responses });
}

const good: Script = {
  chain: [leaf.der, intermediate.der],
  key: keys.leaf.secret,
  staples: [staple(leaf)],
};
const revoked = staple(leaf, { status: certStatus.revoked("2026-01-01T00:00:00Z") });
const DAY = 86400;

for (const [name, only] of Object.entries(version)) {
  const script = { ...good, version: only };

  test(`${name}: of five signatures the second handshake verifies one, its own`, (t) => {
    const counted = new Counted();
    t.deepEqual(counted.handshake(script), [undefined, 5]);
    for (let i = 0; i < 3; i++) t.deepEqual(counted.handshake(script), [undefined, 1]);
  });

  test(`${name}: without a memory it is five each time`, (t) => {
    const counted = new Counted();
    for (let i = 0; i < 2; i++)
      t.deepEqual(counted.handshake(script, { remembered: undefined }), [undefined, 5]);
  });

  test(`${name}: a new staple of the same delegate costs one more, and nothing is gone`, (t) => {
    const counted = new Counted();
    counted.handshake(script);
    const newer = staple(leaf, { nextUpdate: generalizedTime("2040-01-01T00:00:00Z") });
    t.deepEqual(counted.handshake({ ...script, staples: [newer] }), [undefined, 2]);
    t.deepEqual(counted.handshake(script), [undefined, 1]);
  });

  test(`${name}: the handshake's own signature is never remembered`, (t) => {
    const counted = new Counted();
    counted.handshake(script);
    const { bytes } = counted.memory;
    t.true(bytes.subarray(96, 128).some((byte) => byte !== 0));
    t.deepEqual(bytes.subarray(128), new Uint8Array(128), "four entries");
    const impostor = { ...script, key: keys.other.secret };
    t.deepEqual(counted.handshake(impostor), ["HANDSHAKE_SIGNATURE", 1]);
  });

  test(`${name}: what is signed is judged anew in each handshake`, (t) => {
    const stranger = authority("stranger", undefined, { key: keys.other });
    const rows: [title: string, script: Partial<Script>, options: Partial<ClientOptions>, fault: string][] = [
      ["another name", {}, { serverName: "another.test" }, "CERT_NAME_MISMATCH"],
      ["another root", {}, { trust: [trustAnchor(stranger.der)] }, "CERT_UNKNOWN_ISSUER"],
      ["a revoked certificate", { staples: [revoked] }, {}, "OCSP_CERT_REVOKED"],
      ["after its end", { staples: [] }, { clock: () => NOW + 9000 * DAY }, "CERT_EXPIRED"],
      ["an old staple", {}, { ocsp: { maxAge: 1, skew: 0 }, clock: () => NOW + DAY }, "OCSP_EXPIRED"],
      ["no staple", { staples: [] }, { ocsp: { policy: "leaf" } }, "OCSP_STAPLE_MISSING"],
      ["one for the leaf alone", {}, { ocsp: { policy: "chain" } }, "OCSP_STAPLE_MISSING"],
      [
        "another's staple",
        { staples: [staple(server(intermediate, { serial: 77 }))] },
        {},
        "OCSP_WRONG_CERT",
      ],
      ["no nonce", {}, { ocsp: { nonce: true } }, "OCSP_NONCE"],
      ["no clock", {}, { clock: () => undefined }, "NO_CLOCK"],
    ];
    for (const [title, differently, options, fault] of rows) {
      const counted = new Counted();
      t.deepEqual(counted.handshake(script), [undefined, 5], title);
      const again = () => counted.handshake({ ...script, ...differently }, options);
      t.is(again()[0], fault, title);
      const [refusal, verified] = again();
      t.is(refusal, fault, title);
      t.true(verified <= 1, `${title}: all but the handshake's own is known by now`);
      t.deepEqual(counted.handshake(script), [undefined, 1], title);
    }
  });

  test(`${name}: name constraints hold each time`, (t) => {
    const limits = nameConstraints([], [generalName(host)]);
    const limited = authority("limited", root, { extensions: { limits } });
    const chain = [server(limited).der, limited.der];
    const counted = new Counted();
    const fault = "CERT_NAME_CONSTRAINTS";
    for (let i = 0; i < 2; i++) t.is(counted.handshake({ ...script, chain, staples: [] })[0], fault);
    const anchored = { trust: [trustAnchor(limited.der)] };
    t.is(counted.handshake({ ...script, chain, staples: [] }, anchored)[0], fault, "of an anchor too");
  });

  test(`${name}: a signature with a changed bit is refused, and stays so`, (t) => {
    const counted = new Counted();
    counted.handshake(script);
    const bent = [flip(leaf.der, leaf.der.length - 1), intermediate.der];
    for (let i = 0; i < 2; i++) t.is(counted.handshake({ ...script, chain: bent })[0], "CERT_SIGNATURE");
    const [der] = good.staples!;
    const certificates = der!.length - responder.der.length;
    const bentStaple = flip(der!, certificates - 20);
    for (let i = 0; i < 2; i++)
      t.is(counted.handshake({ ...script, staples: [bentStaple] })[0], "OCSP_SIGNATURE");
    t.deepEqual(counted.handshake(script), [undefined, 1]);
  });

  test(`${name}: a memory that is too small costs what it lacks, and refuses nobody`, (t) => {
    const counted = new Counted(1);
    for (let i = 0; i < 3; i++) t.deepEqual(counted.handshake(script), [undefined, 5]);
  });

  test(`${name}: a server remembers its clients' certificates`, (t) => {
    const counted = new Counted();
    const { chain, key } = identity("client", "p256");
    const client = {
      identity: { certificates: chain, signer: signer(key) },
      minVersion: only,
      maxVersion: only,
    };
    const demand = {
      clientAuth: "require",
      trust: [trustAnchor(credential("client", "ca").chain[0])],
      ...counted.options,
    } as const;
    const verified: number[] = [];
    for (let i = 0; i < 2; i++) {
      counted.verified = 0;
      const pair = new Pair(demand, client).run();
      t.true(pair.server.end.established);
      verified.push(counted.verified);
    }
    t.is(verified[1], 1);
    t.true(verified[0] > 1);
  });
}

for (const kind of ["p256", "p384", "ed25519", "rsa"] as const)
  test(`a chain with a leaf of kind ${kind}`, (t) => {
    const counted = new Counted();
    const options = { serverName: "localhost", trust };
    const [fault, verified] = counted.handshake(servers[kind], options);
    t.is(fault, undefined);
    t.true(verified > 2);
    t.deepEqual(counted.handshake(servers[kind], options), [undefined, 1]);
  });
