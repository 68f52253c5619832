/** Profiles of charging: what they set, and what beside them is refused. */

import { once } from "node:events";
import test, { type ExecutionContext } from "ava";
import { meet, stageOf } from "../../../hosts/node/ev/scenes.js";
import {
  type ConnectOptions,
  connect,
  createContext,
  createServer,
  type ProfileName,
  type ServerOptions,
} from "../../../hosts/node/index.js";
import { settle } from "../../../hosts/node/socket/options.js";
import { cipherSuite, namedGroup, signatureScheme, version } from "../../../src/wire/index.js";
import { pairOf } from "./pairs.js";

const c = cipherSuite;
const g = namedGroup;
const s = signatureScheme;
const p256 = pairOf("p256");
const p521 = pairOf("p521");
const ed448 = pairOf("ed448");
const own = (pair: typeof p256) => ({ cert: pair.cert, key: pair.key });

const vehicle2: ConnectOptions = { profile: "iso15118-2", ca: p256.ca, port: 1, host: "fe80::1%lo" };
const vehicle20: ConnectOptions = { profile: "iso15118-20", ca: p521.ca, ...own(ed448), port: 1 };
const charger2: ServerOptions = { profile: "iso15118-2", ...own(p256) };
const charger20: ServerOptions = { profile: "iso15118-20", ...own(p521), ca: ed448.ca };

test("what a vehicle speaks", (t) => {
  t.like(settle(vehicle2).core, {
    minVersion: version.tls12,
    maxVersion: version.tls12,
    suites: [
      c.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
      c.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
      c.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ],
    groups: [g.secp256r1],
    schemes: [s.ecdsa_secp256r1_sha256],
    ocsp: { stapling: "v2-multi", policy: "chain" },
  });
  t.like(settle(vehicle20).core, {
    minVersion: version.tls13,
    maxVersion: version.tls13,
    suites: [c.TLS_AES_256_GCM_SHA384, c.TLS_CHACHA20_POLY1305_SHA256],
    groups: [g.secp521r1, g.x448],
    schemes: [s.ecdsa_secp521r1_sha512, s.ed448],
    ocsp: { stapling: "v1", policy: "chain" },
  });
  for (const options of [vehicle2, vehicle20]) t.true(settle(options).verify);
});

test("what is given within the standard counts", (t) => {
  const { core } = settle({ ...vehicle20, groups: ["X448"], ocsp: { policy: "leaf", skew: 5 } });
  t.deepEqual(core.groups, [g.x448]);
  t.like(core.ocsp, { stapling: "v1", policy: "leaf", skew: 5 });
  const context = createContext({ profile: "iso15118-2", ca: p256.ca });
  t.is(settle({ context, port: 1 }).core.maxVersion, version.tls12);
  t.is(settle({ context, port: 1 }).charging?.name, "iso15118-2");
  t.is(settle({ ...vehicle2, servername: "charger.example" }).charging, undefined);
  t.is(settle({ ...vehicle2, servername: "charger.example" }).core.serverName, "charger.example");
});

const refusedAtVehicles: [ConnectOptions, RegExp][] = [
  [
    { ...vehicle2, profile: "iso15118" as ProfileName },
    /profile: iso15118 is none of iso15118-2, iso15118-20/,
  ],
  [{ ...vehicle2, minVersion: "TLSv1.3" }, /minVersion: profile iso15118-2: it is TLS 1\.2/],
  [{ ...vehicle2, maxVersion: "TLSv1.3" }, /maxVersion: profile iso15118-2/],
  [{ ...vehicle20, minVersion: "TLSv1.2" }, /minVersion: profile iso15118-20: it is TLS 1\.3/],
  [{ ...vehicle20, maxVersion: "TLSv1.2" }, /maxVersion: profile iso15118-20/],
  [{ ...vehicle2, groups: ["X25519"] }, /groups: profile iso15118-2: it has P-256/],
  [{ ...vehicle20, groups: ["P-521", "P-256"] }, /groups: profile iso15118-20: it has P-521 and X448/],
  [{ ...vehicle2, ocsp: { stapling: "off" } }, /ocsp\.stapling: .* "v2-multi"/],
  [{ ...vehicle2, ocsp: { stapling: "v1" } }, /ocsp\.stapling: .* "v2-multi"/],
  [{ ...vehicle20, ocsp: { stapling: "off" } }, /ocsp\.stapling: .* "v1"/],
  [{ ...vehicle2, rejectUnauthorized: false }, /rejectUnauthorized: profile iso15118-2/],
  [{ ...vehicle20, rejectUnauthorized: false }, /rejectUnauthorized: profile iso15118-20/],
  [{ ...vehicle2, ca: undefined }, /ca: .* give the V2G roots/],
  [{ ...vehicle20, ca: undefined }, /ca: .* give the V2G roots/],
  [{ ...vehicle20, cert: undefined, key: undefined }, /cert: .* give the vehicle's certificate/],
  [{ ...vehicle20, ...own(p256) }, /key: .* P-521, or of Ed448/],
  [{ ...vehicle2, ...own(p521) }, /key: .* P-256/],
  [{ ...vehicle2, session: Buffer.alloc(1) }, /session/],
];
for (const [i, [options, message]] of refusedAtVehicles.entries())
  test(`a vehicle's options that contradict the standard are refused, ${i}`, (t) => {
    t.throws(() => connect(options), { instanceOf: RangeError, message, code: "ERR_TLSTAPLE_OPTION_VALUE" });
  });

const refusedAtChargers: [ServerOptions, RegExp][] = [
  [{ ...charger2, minVersion: "TLSv1.3" }, /minVersion: profile iso15118-2/],
  [{ ...charger20, maxVersion: "TLSv1.2" }, /maxVersion: profile iso15118-20/],
  [{ ...charger2, groups: ["P-384"] }, /groups: profile iso15118-2/],
  [{ ...charger2, requestCert: true }, /requestCert: .* no certificate in TLS/],
  [{ ...charger20, requestCert: false }, /requestCert: .* must show a certificate/],
  [{ ...charger20, requestCert: "optional" }, /requestCert: .* must show a certificate/],
  [{ ...charger20, rejectUnauthorized: false }, /rejectUnauthorized/],
  [{ ...charger20, ca: undefined }, /ca: .* root CAs of vehicles/],
  [{ ...charger2, stapler: "off" }, /stapler: .* chargers staple/],
  [{ ...charger20, stapleChain: false }, /stapleChain: .* each certificate/],
  [{ ...charger2, ...own(p521) }, /key: .* P-256/],
  [{ ...charger20, ...own(p256) }, /key: .* P-521, or of Ed448/],
];
for (const [i, [options, message]] of refusedAtChargers.entries())
  test(`a charger's options that contradict the standard are refused, ${i}`, (t) => {
    t.throws(() => createServer(options), {
      instanceOf: RangeError,
      message,
      code: "ERR_TLSTAPLE_OPTION_VALUE",
    });
  });

test("a charger's options within the standard are taken", (t) => {
  for (const options of [charger2, charger20, { ...charger2, stapler: "off" as const, staples: [] }])
    t.notThrows(() => createServer(options).close());
});

/** What becomes of a good vehicle, with other options, at a good charger. */
async function at(t: ExecutionContext, profile: ProfileName, more: ConnectOptions): Promise<string> {
  const stage = await stageOf(profile);
  t.teardown(() => stage.close());
  return (await meet(stage, stage.scenes[0], more)).got;
}

test("a client of other suites, groups or signatures finds nothing in common with a charger", async (t) => {
  const plain: ConnectOptions = { profile: undefined, servername: "localhost" };
  t.is(await at(t, "iso15118-20", { ...plain, groups: ["X25519", "P-256"] }), "PEER_ALERT");
  t.is(await at(t, "iso15118-2", { ...plain, minVersion: "TLSv1.3" }), "PEER_ALERT");
  t.is(await at(t, "iso15118-2", { ...plain, groups: ["X25519", "P-384"] }), "PEER_ALERT");
});

test("with servername a charger's certificate must have the name, whatever its domainComponent", async (t) => {
  t.is(await at(t, "iso15118-2", { servername: "localhost" }), "CERT_NAME_MISMATCH");
});

test("no session is told of without servername, as one would take the charger for verified by name", async (t) => {
  const stage = await stageOf("iso15118-2");
  t.teardown(() => stage.close());
  const { got, socket } = await meet(stage, stage.scenes[0]);
  t.is(got, "Charger North");
  t.is(socket.getSession(), undefined);
  t.is(socket.servername, undefined);
});

test("an application's own check comes on top", async (t) => {
  const checkServerIdentity = () => new Error("not this one");
  const own = await at(t, "iso15118-2", { checkServerIdentity });
  t.is(own, "Error: not this one");
});

test("what the server hears is what the profile says, byte for byte in its lists", async (t) => {
  const stage = await stageOf("iso15118-20");
  t.teardown(() => stage.close());
  const { socket } = await meet(stage, stage.scenes[0]);
  t.is(socket.getCipher()!.name, "TLS_AES_256_GCM_SHA384");
  t.is(socket.getEphemeralKeyInfo()!.name, "secp521r1");
  if (!socket.destroyed) await once(socket, "close");
});
