import test from "ava";
import { NOW } from "../../certs/fixtures.js";
import { provider } from "../../hosts/node/provider.js";
import { type ClientOptions, configure, trustAnchor, version } from "../../src/client/index.js";
import { extensionType } from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { host, root, rows, script } from "../peers/default-staples.js";
import { identity } from "../peers/identity.js";
import { Link, trust } from "./link.js";

/** What the client does where nobody says what it shall do. */

const least: ClientOptions = {
  provider,
  serverName: host,
  trust: [trustAnchor(root.der)],
  clock: () => NOW,
};

test("each default", (t) => {
  t.like(configure(least), {
    clockFloor: Date.parse("2026-01-01T00:00:00Z") / 1000,
    verify: true,
    minVersion: version.tls12,
    maxVersion: version.tls13,
    groups: provider.groups,
    schemes: provider.schemes,
    alpn: [],
    requireEms: false,
    maxCertificates: 8,
    recordSizeLimit: undefined,
    maxFragmentLength: undefined,
    identity: undefined,
    resumption: undefined,
    buffers: { input: 16645 + 8192, output: 4096, store: 8192 },
    ocsp: {
      stapling: "v1",
      alsoV1: false,
      policy: "if-present",
      mustStaple: true,
      nonce: false,
      skew: 900,
      maxAge: undefined,
      allowMissingNextUpdate: false,
      responders: [],
    },
  });
});

for (const [name, only] of Object.entries(version)) {
  for (const [title, staple, fault] of rows)
    test(`${name}: ${title}`, (t) => {
      const { client } = new Link({ ...script, version: only, staples: [staple] }, least).run();
      t.is(named(client.fault), fault);
      t.is(client.established, fault === undefined);
    });

  test(`${name}: must-staple is honoured`, (t) => {
    const demanding = { ...identity("p256", "must-staple"), version: only };
    const { client } = new Link(demanding, { ...least, trust, serverName: "localhost" }).run();
    t.is(named(client.fault), "OCSP_STAPLE_MISSING");
  });

  test(`${name}: chain and name are verified`, (t) => {
    const faultOf = (options: Partial<ClientOptions>) =>
      named(new Link({ ...script, version: only }, { ...least, ...options }).run().client.fault);
    t.is(faultOf({ trust: [] }), "CERT_UNKNOWN_ISSUER");
    t.is(faultOf({ serverName: "localhost" }), "CERT_NAME_MISMATCH");
    t.is(faultOf({}), undefined);
  });

  test(`${name}: no clock before 2026 is believed`, (t) => {
    const faultOf = (now: number) => {
      const { client } = new Link({ ...script, version: only }, { ...least, clock: () => now }).run();
      return named(client.fault);
    };
    t.is(faultOf(Date.parse("2025-12-31T23:59:59Z") / 1000), "NO_CLOCK");
    t.not(faultOf(Date.parse("2026-01-01T00:00:00Z") / 1000), "NO_CLOCK");
  });
}

test("status_request without a nonce is asked for, status_request_v2 is not", (t) => {
  const { puppet } = new Link(script, least).run();
  const asked = puppet.seen.hellos[0].extensions;
  const request = asked.find(({ type }) => type === extensionType.status_request);
  // CertificateStatusType ocsp, no responder_id_list, no request_extensions
  t.deepEqual([...request!.data], [1, 0, 0, 0, 0]);
  t.false(asked.some(({ type }) => type === extensionType.status_request_v2));
});
