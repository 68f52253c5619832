import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "ava";
import { distinguishedName, type Issued, issue } from "../../certs/certificate.js";
import {
  type ChainCase,
  chainCases,
  credential,
  fixtureFile,
  lenientCases,
  NOW,
  type OcspCase,
  ocspCases,
  stapleFile,
} from "../../certs/fixtures.js";
import { authorityExtensions } from "../../certs/good.js";
import { newKey, readKey } from "../../certs/keys.js";
import { provider } from "../../hosts/node/provider.js";
import {
  type ClientOptions,
  type Provider,
  responder,
  TlsClient,
  trustAnchor,
  version,
  wants,
} from "../../src/client/index.js";
import type { Nonce } from "../../src/pki/policy.js";
import { named } from "../faults.js";
import { Puppet, type Seen } from "../peers/puppet.js";
import type { Script } from "../peers/script.js";

// Every bad chain and every bad response, and the good ones, over real handshakes in both versions.

interface Outcome {
  /** The fault's name, or "good" when the handshake is done. */
  verdict: string;
  /** What the server heard of it. */
  alert: number | undefined;
  seen: Seen;
  client: TlsClient;
}

/** Runs a handshake in memory to its end. */
function handshake(script: Script, options: Partial<ClientOptions>): Outcome {
  const puppet = new Puppet(script);
  const client = new TlsClient({ provider, clock: () => NOW, trust: [], serverName: "any.test", ...options });
  for (let turns = 0; turns < 10000; turns++) {
    if (client.wants & wants.WORK) client.work();
    else if (client.wants & wants.WRITE) exchange(client, puppet);
    else break;
  }
  const verdict =
    named(client.fault) ?? (client.established && puppet.open ? "good" : `stuck in ${client.state}`);
  return { verdict, alert: puppet.ended, seen: puppet.seen, client };
}

function exchange({ cipherIn, cipherOut }: TlsClient, puppet: Puppet): void {
  const sent = cipherOut.bytes.slice(cipherOut.start, cipherOut.end);
  cipherOut.advance(sent.length);
  const answer = puppet.feed(sent);
  cipherIn.bytes.set(answer, cipherIn.start);
  cipherIn.advance(answer.length);
}

const privateKey = (file: string) => createPrivateKey(readFileSync(file));

/** The leaf's key, or any, if the puppet can't sign with it: such a leaf is refused before its signature. */
function signingKey(file: string): KeyObject {
  const key = privateKey(file);
  const { namedCurve } = key.asymmetricKeyDetails ?? {};
  const unusable =
    key.asymmetricKeyType === "ed448" || namedCurve === "secp521r1" || namedCurve === "secp256k1";
  return unusable ? privateKey(credential("p256", "server1").keyFile) : key;
}

const versions = [
  ["TLS 1.2", version.tls12],
  ["TLS 1.3", version.tls13],
] as const;

const largeBuffers = { input: 65536, store: 32768 };

/** What the client can tell an attacker's server is its alert, and nothing else. */
function silent(seen: Seen): boolean {
  return seen.data.length === 0 && !seen.messages.includes(20);
}

function runChain(row: ChainCase, protocol: number): Outcome {
  return handshake(
    { chain: [...row.chain], key: signingKey(row.keyFile), version: protocol },
    {
      trust: row.anchors.map((der) => trustAnchor(der)),
      serverName: row.name ?? "leaf.tlstaple.test",
      buffers: largeBuffers,
    },
  );
}

// Without a name to ask for, a row tells about the path alone, which test/pki/matrix.test.ts looks at
for (const row of chainCases().filter(({ name }) => name !== undefined)) {
  for (const [title, protocol] of versions) {
    test(`${title}: chain ${row.id} is ${row.expected}`, (t) => {
      const { verdict, alert, seen } = runChain(row, protocol);
      t.is(verdict, row.expected);
      t.is(alert, row.alert);
      if (verdict !== "good") t.true(silent(seen));
    });
  }
}

/** Draws the case's nonce instead of a random one; it is the only draw of its kind in a handshake. */
function withNonce(nonce: Buffer | undefined): Provider {
  if (nonce === undefined) return provider;
  let draws = 0;
  return {
    ...provider,
    random(bytes, start, end) {
      provider.random(bytes, start, end);
      if (++draws === 2) bytes.set(nonce, start);
    },
  };
}

/** The response as a staple of the certificate that it is about, which the server must be able to speak for. */
function runStaple(row: OcspCase, protocol: number, nonce: Nonce = true): Outcome {
  return handshake(
    {
      chain: [row.subject],
      key: privateKey(row.subjectFile.replace(/\.pem$/, "-key.pem")),
      staples: [row.response],
      version: protocol,
    },
    {
      provider: withNonce(row.nonce),
      trust: [trustAnchor(row.issuer)],
      serverName: row.subjectFile.includes("server3") ? "server3.tlstaple.test" : "server1.tlstaple.test",
      clock: () => row.at,
      clockFloor: 0,
      buffers: largeBuffers,
      ocsp: {
        policy: "leaf",
        skew: row.skew,
        maxAge: row.maxAge,
        allowMissingNextUpdate: row.allowMissingNextUpdate,
        responders: row.responders.map((der) => responder(der)),
        nonce: row.nonce !== undefined && nonce,
      },
    },
  );
}

for (const row of ocspCases().filter(({ subjectFile }) => /good\/\w+\/server/.test(subjectFile))) {
  for (const [title, protocol] of versions) {
    test(`${title}: response ${row.id} is ${row.expected}`, (t) => {
      const { verdict, alert, seen, client } = runStaple(row, protocol);
      t.is(verdict, row.expected);
      t.is(alert, row.alert);
      // An empty response is no CertificateStatus at all, which ends the handshake before there is a path
      t.is(client.verdicts.length, row.response.length > 0 ? 1 : 0);
      if (verdict === "good") t.is(client.verdicts[0].status, "good");
      else t.true(silent(seen));
    });
  }
}

for (const row of lenientCases()) {
  for (const [title, protocol] of versions) {
    test(`${title}: response ${row.id} is ${row.expected} where a nonce need not be present`, (t) => {
      const { verdict, alert } = runStaple(row, protocol, "if-present");
      t.is(verdict, row.expected);
      t.is(alert, row.alert);
    });
  }
}

for (const [title, protocol] of versions) {
  const { chain, keyFile } = credential("p256", "server1");
  const root = credential("p256", "root").chain[0];
  const good = { chain: [...chain], key: privateKey(keyFile), version: protocol };
  const options = { trust: [trustAnchor(root)], serverName: "server1.tlstaple.test" };
  const staple = readFileSync(fixtureFile("ocsp/by-delegate.der"));

  test(`${title}: without a staple, policy "leaf" refuses and "if-present" does not`, (t) => {
    t.is(handshake(good, options).verdict, "good");
    t.is(handshake(good, { ...options, ocsp: { stapling: "off" } }).verdict, "good");
    const { verdict, alert, client } = handshake(good, { ...options, ocsp: { policy: "leaf" } });
    t.is(verdict, "OCSP_STAPLE_MISSING");
    t.is(alert, 113);
    t.is(client.verdicts[0].status, "none");
  });

  test(`${title}: policy "chain" wants a staple for the intermediate too`, (t) => {
    const stapled = { ...good, staples: [staple] };
    t.is(handshake(stapled, { ...options, ocsp: { policy: "leaf" } }).verdict, "good");
    t.is(handshake(stapled, { ...options, ocsp: { policy: "chain" } }).verdict, "OCSP_STAPLE_MISSING");
  });

  test(`${title}: a staple that is present is checked whatever the policy`, (t) => {
    const forged = Buffer.from(staple);
    forged[forged.length >> 1] ^= 1;
    const { verdict, alert } = handshake({ ...good, staples: [forged] }, options);
    t.regex(verdict, /^OCSP_/);
    t.is(alert, 113);
  });

  test(`${title}: a must-staple certificate needs its staple, unless that is switched off`, (t) => {
    const server = credential("p256", "must-staple");
    const script = { chain: [...server.chain], key: privateKey(server.keyFile), version: protocol };
    const named = { ...options, serverName: "must-staple.tlstaple.test" };
    t.is(handshake(script, named).verdict, "OCSP_STAPLE_MISSING");
    t.is(handshake(script, { ...named, ocsp: { mustStaple: false } }).verdict, "good");
    // RFC 7633 4.2.3.1: who does not ask can't complain
    t.is(handshake(script, { ...named, ocsp: { stapling: "off" } }).verdict, "good");
  });

  test(`${title}: without a clock, or with one before the floor, there is no verdict`, (t) => {
    t.is(handshake(good, { ...options, clock: () => undefined }).verdict, "NO_CLOCK");
    t.is(handshake(good, { ...options, clock: () => 0 }).verdict, "NO_CLOCK");
    t.is(handshake(good, { ...options, clock: () => Number.NaN }).verdict, "NO_CLOCK");
    t.is(handshake(good, { ...options, clock: () => 999_999, clockFloor: 1_000_000 }).verdict, "NO_CLOCK");
  });

  test(`${title}: with verification off anything passes, and says so`, (t) => {
    const { verdict, client } = handshake({ ...good, staples: [Buffer.from("bad")] }, { verify: false });
    t.is(verdict, "good");
    t.is(client.verdicts.length, 0);
  });
}

test("TLS 1.3: certificates beyond those that are kept bring staples for nobody", (t) => {
  const { chain, keyFile } = credential("p256", "server1");
  const root = credential("p256", "root").chain[0];
  const long = [...chain, ...new Array(10).fill(root)];
  const kept = 8;
  const staples = new Array(kept).fill(undefined).concat(new Array(5).fill(Buffer.from("bad")));
  staples[0] = readFileSync(fixtureFile("ocsp/by-delegate.der"));
  const script = { chain: long, key: privateKey(keyFile), staples };
  const options = { trust: [trustAnchor(root)], serverName: "server1.tlstaple.test", buffers: largeBuffers };
  t.is(handshake(script, { ...options, ocsp: { policy: "leaf" } }).verdict, "good");
});

test("TLS 1.3: the staple of a root that is sent along is checked, though nobody needs it", (t) => {
  const { chain, keyFile } = credential("p256", "server1");
  const root = credential("p256", "root").chain[0];
  const options = { trust: [trustAnchor(root)], serverName: "server1.tlstaple.test" };
  const outcome = (staple: Buffer) =>
    handshake(
      { chain: [...chain], key: privateKey(keyFile), staples: [undefined, undefined, staple] },
      options,
    );
  const good = outcome(readFileSync(stapleFile("p256", "root")));
  t.is(good.verdict, "good");
  t.deepEqual(
    good.client.verdicts.map(({ status }) => status),
    ["none", "none", "good"],
  );
  t.is(outcome(Buffer.from("bad")).verdict, "OCSP_MALFORMED");
  t.is(outcome(readFileSync(stapleFile("p256", "intermediate1"))).verdict, "OCSP_WRONG_CERT");
});

test("TLS 1.3: who shares a name or a key with the root, and is not it, needs no good staple", (t) => {
  const { chain, keyFile } = credential("p256", "server1");
  const root = credential("p256", "root");
  const key = readKey(readFileSync(root.keyFile, "utf8"));
  const extensions = authorityExtensions(key);
  const strangers = {
    "the root's name": issue(undefined, {
      subject: distinguishedName("root"),
      key: newKey("p256"),
      extensions,
    }),
    "the root's key": issue(undefined, { subject: "another root", key, extensions }),
    neither: issue(undefined, { subject: "another root", key: newKey("p256"), extensions }),
  };
  const edition = issue(undefined, { subject: distinguishedName("root"), key, extensions });
  const options = { trust: [trustAnchor(root.chain[0])], serverName: "server1.tlstaple.test" };
  const outcome = ({ der }: Issued) => {
    const staples = [undefined, undefined, Buffer.from("bad")];
    const script = { chain: [chain[0], chain[1], der], key: privateKey(keyFile), staples };
    const { verdict, client } = handshake(script, options);
    return [verdict, client.verdicts.length];
  };
  for (const [name, stranger] of Object.entries(strangers)) t.deepEqual(outcome(stranger), ["good", 2], name);
  t.deepEqual(outcome(edition), ["OCSP_MALFORMED", 3], "both: another edition of the root");
});

test("TLS 1.3: the whole chain stapled passes policy chain; a revoked intermediate fails with any", (t) => {
  const { chain, keyFile } = credential("p256", "server1");
  const root = credential("p256", "root").chain[0];
  const leaf = readFileSync(fixtureFile("ocsp/by-delegate.der"));
  const intermediate = readFileSync(fixtureFile("ocsp/intermediate.der"));
  const script = { chain: [...chain], key: privateKey(keyFile), staples: [leaf, intermediate] };
  const options = { trust: [trustAnchor(root)], serverName: "server1.tlstaple.test" };
  const { verdict, client } = handshake(script, { ...options, ocsp: { policy: "chain" } });
  t.is(verdict, "good");
  t.deepEqual(
    client.verdicts.map(({ status }) => status),
    ["good", "good"],
  );
  const five = credential("p256", "server5");
  const revoked = readFileSync(fixtureFile("ocsp/intermediate-revoked.der"));
  const bad = { chain: [...five.chain], key: privateKey(five.keyFile), staples: [undefined, revoked] };
  const outcome = handshake(bad, { ...options, serverName: "server5.tlstaple.test" });
  t.is(outcome.verdict, "OCSP_CERT_REVOKED");
  t.is(outcome.alert, 44);
  t.is(outcome.client.verdicts[1].status, "revoked");
});
