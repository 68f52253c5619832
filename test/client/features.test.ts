import test from "ava";
import { signer } from "../../hosts/node/provider.js";
import {
  BareClient,
  type ClientOptions,
  clientCertificates,
  everything,
  features,
  nameConstraints,
  resumption,
  rsa,
  statusV2,
  tls12,
  version,
} from "../../src/client/index.js";
import { named } from "../faults.js";
import { identity, servers } from "../peers/identity.js";
import type { Script } from "../peers/script.js";
import { defaults, Link } from "./link.js";

/** A client that is made of less: what is left out can't be asked for, and nothing passes that needs it. */

const parts = { tls12, statusV2, clientCertificates, resumption, nameConstraints, rsa };

/** Everything but one. */
const without = (name: keyof typeof parts) => features({ ...parts, [name]: undefined });

const own = identity("client", "p256");
const identityOf = { certificates: own.chain, signer: signer(own.key) };

const asked: [keyof typeof parts, Partial<ClientOptions>, RegExp][] = [
  ["tls12", { minVersion: version.tls12 }, /^tlstaple: minVersion: .*without TLS 1\.2$/],
  ["tls12", { maxVersion: version.tls12 }, /without TLS 1\.2$/],
  ["statusV2", { ocsp: { stapling: "v2" } }, /^tlstaple: ocsp\.stapling: .*without status_request_v2$/],
  ["statusV2", { ocsp: { stapling: "v2-multi" } }, /without status_request_v2$/],
  ["clientCertificates", { identity: identityOf }, /^tlstaple: identity: .*without client certificates$/],
  ["resumption", { onSession: () => {} }, /^tlstaple: onSession: .*without resumption$/],
];

for (const [name, options, message] of asked)
  test(`without ${name}: ${JSON.stringify(options.ocsp ?? Object.keys(options))} is refused`, (t) => {
    const make = (from: typeof everything) => new BareClient({ ...defaults, ...options }, from);
    t.notThrows(() => make(everything));
    t.throws(() => make(without(name)), { instanceOf: RangeError, message });
  });

const meet = (script: Script, from: typeof everything, options: Partial<ClientOptions> = {}) =>
  new Link(script, { ...options, features: from }).run();

test("without tls12 nothing of TLS 1.2 is offered, and a server that has nothing else is refused", (t) => {
  const { client, puppet } = meet(
    { ...servers.p256, version: version.tls12, suite: 0xc02b },
    without("tls12"),
  );
  t.is(named(client.fault), "PROTOCOL_VERSION");
  t.deepEqual(
    puppet.seen.hellos[0].suites.filter((id) => id >> 8 !== 0x13),
    [],
  );
  t.is(named(meet({ ...servers.p256, version: version.tls13 }, without("tls12")).client.fault), undefined);
});

test("without clientCertificates a server that asks for one is sent none", (t) => {
  for (const only of [version.tls12, version.tls13])
    for (const required of [false, true]) {
      const script = { ...servers.p256, version: only, request: { schemes: [0x0403], required } };
      const go = () => meet(script, without("clientCertificates")).client;
      if (required) t.throws(go, { message: "the client breaks a rule: a client certificate is there" });
      else t.true(go().established);
    }
});

test("without rsa a server with an RSA key is refused, and none of its schemes is offered", (t) => {
  const script = { ...servers.rsa, version: version.tls13, scheme: 0x0804 };
  const { client, puppet } = meet(script, without("rsa"));
  t.is(named(client.fault), "CERT_KEY");
  const others = [0x0403, 0x0807, 0x0503, 0x0603, 0x0808];
  t.deepEqual(
    puppet.seen.hellos[0].schemes,
    others.filter((id) => defaults.provider.schemes.includes(id)),
  );
  t.is(named(meet(script, everything).client.fault), undefined);
});

test("without resumption a session that is offered is refused", (t) => {
  const session = {} as NonNullable<ClientOptions["session"]>;
  t.throws(() => new BareClient({ ...defaults, session }, without("resumption")), {
    message: /^tlstaple: session: .*without resumption$/,
  });
});

test("made of nothing but the base, a client speaks TLS 1.3", (t) => {
  const { client } = meet({ ...servers.p256, version: version.tls13 }, features({}));
  t.is(named(client.fault), undefined);
  t.true(client.established);
  t.is(client.version, version.tls13);
});
