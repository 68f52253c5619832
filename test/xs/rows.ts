import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  type ChainCase,
  chainCases,
  credential,
  type Edition,
  lenientCases,
  NOW,
  type OcspCase,
  ocspCases,
  stapleFile,
} from "../../certs/fixtures.js";
import { alert, alertOf, type FaultName, faults, version } from "../../src/client/index.js";
import type { Nonce } from "../../src/pki/policy.js";
import { namedGroup } from "../../src/wire/registry.js";
import { flip } from "../peers/bytes.js";
import { identity } from "../peers/identity.js";
import { type Script, steps } from "../peers/script.js";
import type { Meeting, Row } from "./handshake.js";

const buffers = { input: 8192, output: 1024, store: 8192 };
const versions = [
  ["TLS 1.2", version.tls12],
  ["TLS 1.3", version.tls13],
] as const;

/** Every chain and every response of certs/ that a server can send, in both versions. */
export function fixtureRows(): Row[] {
  return versions.flatMap(([title, protocol]) => [
    ...chains.map((row) => chainRow(`${title}: chain ${row.id}`, row, protocol)),
    ...responses.map((row) => responseRow(`${title}: response ${row.id}`, row, protocol)),
    ...lenientCases().map((row) =>
      responseRow(`${title}: response ${row.id}, nonce if present`, row, protocol, "if-present"),
    ),
  ]);
}

const chains = chainCases().filter(({ name }) => name !== undefined);
const responses = ocspCases().filter(({ subjectFile }) => /good\/\w+\/server/.test(subjectFile));

const privateKey = (file: string) => createPrivateKey(readFileSync(file));

/** The leaf's key, or any, if the puppet can't sign with it: such a leaf is refused before its signature. */
function signingKey(file: string): KeyObject {
  const key = privateKey(file);
  const { namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  const unusable = key.asymmetricKeyType === "ed448" || ["secp521r1", "secp256k1"].includes(namedCurve);
  return unusable ? privateKey(credential("p256", "server1").keyFile) : key;
}

/** A server that keeps to the limit that the client asks for, whose buffers are small. */
const limited = { recordSizeLimit: 16385 };

function chainRow(title: string, row: ChainCase, protocol: number): Row {
  const signedByEdwards = /^issuer-ed(25519|448)$/.test(row.id);
  return {
    title,
    script: { chain: [...row.chain], key: signingKey(row.keyFile), version: protocol, ...limited },
    client: { trust: row.anchors, serverName: row.name!, clock: NOW, version: protocol, buffers },
    ...(signedByEdwards ? refusal("CERT_SIGNATURE_ALGORITHM") : row),
  };
}

function responseRow(title: string, row: OcspCase, protocol: number, nonceMode: Nonce = true): Row {
  const { skew, maxAge, allowMissingNextUpdate, nonce } = row;
  const key = privateKey(row.subjectFile.replace(/\.pem$/, "-key.pem"));
  return {
    title,
    script: { chain: [row.subject], key, staples: [row.response], version: protocol, ...limited },
    client: {
      trust: [row.issuer],
      serverName: row.subjectFile.includes("server3") ? "server3.tlstaple.test" : "server1.tlstaple.test",
      clock: row.at,
      version: protocol,
      buffers,
      ocsp: { policy: "leaf", skew, maxAge, allowMissingNextUpdate, nonce: nonce !== undefined && nonceMode },
      responders: row.responders,
      nonce: nonce?.toString("hex"),
    },
    ...expectationOf(row),
  };
}

type Expectation = Pick<Row, "expected" | "alert" | "late">;

/** Some responses are larger than the buffer, and PSA Crypto knows neither Ed25519 nor Ed448. */
function expectationOf(row: OcspCase): Expectation {
  if (row.response.length > buffers.input) return refusal("BUFFER_TOO_SMALL");
  return row.id === "delegate-ed25519" ? refusal("OCSP_SIGNATURE_ALGORITHM") : row;
}

const refusal = (name: FaultName): Expectation => ({
  expected: name,
  alert: alertOf(faults[name]),
});

// ---- One client for many connections

const staple = (name: string) => readFileSync(stapleFile("p256", name));
const server1 = { ...identity("p256", "server1"), staples: [staple("server1")] };
const strange = chains.find(({ expected }) => expected === "CERT_UNKNOWN_ISSUER")!;
/** The server's messages that carry its signature: ServerKeyExchange and CertificateVerify. */
const signed = [12, 15];
const FINISHED = 20;

/** Servers that a client meets which trusts the root of `p256` and demands a staple. */
const servers: Record<string, { script: Script } & Expectation> = {
  good: { script: server1, expected: "good", alert: undefined },
  revoked: {
    script: { ...identity("p256", "server2"), staples: [staple("server2")] },
    ...refusal("OCSP_CERT_REVOKED"),
  },
  "no staple": { script: { ...server1, staples: [] }, ...refusal("OCSP_STAPLE_MISSING") },
  "another's staple": {
    script: { ...server1, staples: [staple("server2")] },
    ...refusal("OCSP_WRONG_CERT"),
  },
  "unknown root": {
    script: { chain: [...strange.chain], key: signingKey(strange.keyFile) },
    ...refusal("CERT_UNKNOWN_ISSUER"),
  },
  "bad signature": {
    script: { ...server1, mutate: (type, message) => (signed.includes(type) ? flip(message) : message) },
    ...refusal("HANDSHAKE_SIGNATURE"),
  },
  "bad Finished": {
    script: { ...server1, mutate: (type, message) => (type === FINISHED ? flip(message) : message) },
    ...refusal("FINISHED_MISMATCH"),
    late: true,
  },
  "bad record": {
    script: {
      ...server1,
      tamper: (record, { content }) => (content[0] === FINISHED ? flip(record) : record),
    },
    ...refusal("BAD_RECORD_MAC"),
    late: true,
  },
  "fatal alert": {
    script: { ...server1, plan: (plan) => [plan[0], steps.alert(2, alert.handshake_failure)] },
    expected: "PEER_ALERT",
    alert: undefined,
  },
  "broken connection": {
    script: { ...server1, plan: (plan) => [plan[0], { name: "break", run: breakOff }] },
    expected: "TRUNCATED",
    alert: undefined,
  },
};

function breakOff(): void {
  throw new Error("the server breaks off");
}

/** So many connections in each version, one after the other in the same arena. */
export function repeatedRows(count: number): Row[] {
  const names = Object.keys(servers);
  return versions.flatMap(([title, protocol]) =>
    Array.from({ length: count }, (_, i): Row => {
      const name = names[i % names.length];
      const { script, ...expectation } = servers[name];
      return {
        title: `${title}: one arena, connection ${i}: ${name}`,
        script: { ...script, version: protocol, ...limited },
        client: { ...demanding, version: protocol, ...(i > 0 && { again: true }) },
        ...expectation,
      };
    }),
  );
}

const demanding: Omit<Meeting["client"], "version"> = {
  trust: [identity("p256", "root").chain[0]],
  serverName: "localhost",
  clock: NOW,
  buffers,
  ocsp: { policy: "leaf" },
};

// ---- One of each

/** The servers whose certificates are good, by their key; P-384 is the key exchange's too there. */
const keys: Record<string, { edition: Edition; name: string; revoked?: string; group?: number }> = {
  "P-256": { edition: "p256", name: "server1", revoked: "server2" },
  "P-384": { edition: "p256", name: "p384", group: namedGroup.secp384r1 },
  RSA: { edition: "rsa", name: "server1", revoked: "server2" },
};

/** With each kind of key and in each version: a good staple, a revoked one, and none. */
export function essentialRows(): Row[] {
  return versions.flatMap(([title, protocol]) =>
    Object.entries(keys).flatMap(([key, { edition, name, revoked, group }]) => {
      const row = (what: string, holder: string, stapled: boolean, expectation: Expectation): Row => ({
        title: `${title}, ${key}: ${what}`,
        script: {
          ...identity(edition, holder),
          staples: stapled ? [readFileSync(stapleFile(edition, holder))] : [],
          version: protocol,
          group,
          retry: protocol === version.tls13 && group !== undefined ? { group } : undefined,
          ...limited,
        },
        client: { ...demanding, trust: [identity(edition, "root").chain[0]], version: protocol },
        ...expectation,
      });
      const good = row("good", name, true, { expected: "good", alert: undefined });
      const missing = row("no staple", name, false, refusal("OCSP_STAPLE_MISSING"));
      if (revoked === undefined) return [good, missing];
      return [good, row("revoked", revoked, true, refusal("OCSP_CERT_REVOKED")), missing];
    }),
  );
}
