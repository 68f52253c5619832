import test from "ava";
import { mustStaple } from "../../certs/extensions.js";
import { fixture } from "../../certs/fixtures.js";
import { certId, ocspResponse, singleResponse } from "../../certs/response.js";
import { provider } from "../../hosts/node/provider.js";
import { type ClientOptions, trustAnchor, version } from "../../src/client/index.js";
import { Link } from "../client/link.js";
import { named } from "../faults.js";
import { identity, servers } from "../peers/identity.js";
import type { Script } from "../peers/script.js";
import { authority, host, root, server } from "../pki/kit.js";
import { settling } from "../pki/settling.js";

/** Which certificates need a staple: by our policy, or by their own demand (RFC 7633). */

const [leaf, intermediate] = ["server1", "intermediate1"].map((name) =>
  fixture(`good/p256/${name}-ocsp.der`),
);
const none = undefined;
const demanding = identity("p256", "must-staple");
const missing = "OCSP_STAPLE_MISSING";

type Ocsp = ClientOptions["ocsp"];
type Row = readonly [ocsp: Ocsp, staples: (Buffer | undefined)[], fault: string | undefined];

/** In both versions; TLS 1.2 has a staple for the leaf alone. */
const rows: Record<string, Row> = {
  "if-present: none": [{ policy: "if-present" }, [], none],
  "if-present: one": [{ policy: "if-present" }, [leaf], none],
  "leaf: none": [{ policy: "leaf" }, [], missing],
  "leaf: one": [{ policy: "leaf" }, [leaf], none],
  "chain: none": [{ policy: "chain" }, [], missing],
  "chain: the leaf's alone": [{ policy: "chain" }, [leaf], missing],
};

/** The server sends its root as well, which needs no staple: it is the anchor. */
const rows13: Record<string, Row> = {
  "leaf: the intermediate's alone": [{ policy: "leaf" }, [none, intermediate], missing],
  "chain: both": [{ policy: "chain" }, [leaf, intermediate], none],
  "chain: the intermediate's alone": [{ policy: "chain" }, [none, intermediate], missing],
};

const rowsDemanding: Record<string, Row> = {
  "must-staple: none": [{}, [], missing],
  "must-staple: one": [{}, [fixture("good/p256/must-staple-ocsp.der")], none],
  "must-staple, which we don't honour: none": [{ mustStaple: false }, [], none],
  "must-staple, and we ask for no staples: none": [{ stapling: "off" }, [], none],
};

function declare(name: string, rows: Record<string, Row>, script: Script): void {
  for (const [title, [ocsp, staples, fault]] of Object.entries(rows))
    test(`${name}, ${title}`, (t) => {
      const { client } = new Link({ ...script, staples }, { ocsp }).run();
      t.is(named(client.fault), fault);
      t.is(client.established, fault === undefined);
    });
}

for (const [name, only] of Object.entries(version)) {
  declare(name, rows, { ...servers.p256, version: only });
  declare(name, rowsDemanding, { ...demanding, version: only });
}
declare("tls13", rows13, servers.p256);

test("a CA's must-staple binds the server below it, and nobody else", (t) => {
  const ca = authority("demanding", root, { extensions: { feature: mustStaple() } });
  const { der, key, serial } = server(ca);
  const staple = ocspResponse({ signer: ca, responses: [singleResponse({ certId: certId(ca, serial) })] });
  for (const only of Object.values(version)) {
    const script = { chain: [der, ca.der], key: key.secret, version: only };
    const met = (staples: Buffer[], ocsp: Ocsp = {}) => {
      const options = { serverName: host, trust: [trustAnchor(root.der)], ocsp };
      const { client } = new Link({ ...script, staples }, options).run();
      return [named(client.fault), client.verdicts.map(({ status }) => status)];
    };
    t.deepEqual(met([]), ["OCSP_STAPLE_MISSING", ["none", "none"]]);
    t.deepEqual(met([staple]), [undefined, ["good", "none"]]);
    t.deepEqual(met([], { mustStaple: false }), [undefined, ["none", "none"]]);
    t.deepEqual(met([], { stapling: "off" }), [undefined, ["none", "none"]]);
  }
});

test("the staple of a certificate beyond those that are kept is nobody's", (t) => {
  const staples = [leaf, intermediate, Buffer.from("for the root")];
  const options = { maxCertificates: 2, ocsp: { policy: "chain" } } as const;
  const { client } = new Link({ ...servers.p256, staples }, options).run();
  t.is(client.fault, undefined);
});

test("without verification staples are read, not kept", (t) => {
  for (const only of Object.values(version)) {
    const script = { ...servers.p256, version: only, staples: [Buffer.alloc(9000, 1)] };
    const { client } = new Link(script, { verify: false }).run();
    t.is(client.fault, undefined);
    const empty = new Link({ ...script, staples: [Buffer.alloc(0)] }, { verify: false }).run();
    t.is(named(empty.client.fault), "OCSP_MALFORMED");
  }
});

// ---- Verdicts

const garbage = Buffer.from("garbage");
const revokedChain = identity("p256", "server5");
const revokedStaples = ["server5", "intermediate3"].map((name) => fixture(`good/p256/${name}-ocsp.der`));

const verdicts: Record<string, [script: Partial<Script>, ocsp: Ocsp, statuses: string[], fault?: string]> = {
  "all good": [{ staples: [leaf, intermediate] }, {}, ["good", "good"]],
  "one good": [{ staples: [leaf] }, {}, ["good", "none"]],
  "none at all": [{}, {}, ["none", "none"]],
  "a revoked intermediate": [
    { ...revokedChain, staples: revokedStaples },
    {},
    ["good", "revoked"],
    "OCSP_CERT_REVOKED",
  ],
  "a bad one, and one that is not looked at": [
    { staples: [garbage, intermediate] },
    {},
    ["bad", "unchecked"],
    "OCSP_MALFORMED",
  ],
  "the second one bad": [{ staples: [leaf, leaf] }, {}, ["good", "bad"], "OCSP_WRONG_CERT"],
  "one missing, and one that is not looked at": [
    { staples: [none, intermediate] },
    { policy: "leaf" },
    ["none", "unchecked"],
    missing,
  ],
  "both missing": [{}, { policy: "chain" }, ["none", "none"], missing],
};

for (const [title, [script, ocsp, statuses, fault]] of Object.entries(verdicts))
  test(`verdicts: ${title}`, (t) => {
    const { client } = new Link({ ...servers.p256, ...script }, { ocsp }).run();
    t.is(named(client.fault), fault);
    t.deepEqual(
      client.verdicts.map(({ status }) => status),
      statuses,
    );
    const faults = client.verdicts.map((verdict) => named(verdict.fault));
    const at = statuses.findIndex((status) => status === "revoked" || status === "bad" || fault === missing);
    t.deepEqual(
      faults,
      statuses.map((_, i) => (i === at ? fault : undefined)),
    );
  });

test("a verdict tells what the response says", (t) => {
  const { client } = new Link({ ...revokedChain, staples: revokedStaples }).run();
  const [good, revoked] = client.verdicts;
  t.is(good.revokedAt, Number.NaN);
  t.is(good.revocationReason, -1);
  t.true(good.thisUpdate > 0 && good.nextUpdate > good.thisUpdate && good.producedAt > 0);
  t.true(good.delegated);
  t.true(revoked.revokedAt > 0);
});

test("no verdict before the path is found, nor without verification", (t) => {
  const script = { ...servers.p256, staples: [leaf] };
  t.deepEqual(new Link(script, { trust: [] }).run().client.verdicts, []);
  t.deepEqual(new Link(script, { verify: false }).run().client.verdicts, []);
});

test("signatures of certificates and staples are settled by what remembers them, the handshake's own is not", (t) => {
  for (const [only, staples, count] of [
    [version.tls12, [leaf], 4],
    [version.tls13, [leaf, intermediate], 6],
  ] as const) {
    let all = 0;
    let remembered = 0;
    const counting = settling(provider, () => all++);
    const memory: ClientOptions["remembered"] = {
      settle(_provider, _scheme, verification, ...what) {
        remembered++;
        return verification.settle(...what);
      },
    };
    const script = { ...servers.p256, version: only, staples: [...staples] };
    const { client } = new Link(script, { provider: counting, remembered: memory }).run();
    t.true(client.established);
    t.deepEqual([remembered, all], [count, count + 1]);
  }
});
