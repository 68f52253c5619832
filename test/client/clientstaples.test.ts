import test, { type ExecutionContext } from "ava";
import type { Issued } from "../../certs/certificate.js";
import { generalizedTime } from "../../certs/der.js";
import { extendedKeyUsage, mustStaple as mustStapleExtension, purpose } from "../../certs/extensions.js";
import { NOW } from "../../certs/fixtures.js";
import { certId, certStatus, ocspResponse, type Single, singleResponse } from "../../certs/response.js";
import { signer } from "../../hosts/node/provider.js";
import {
  type AskStaples,
  type ClientOptions,
  everything,
  exporting,
  type Identity,
  type Staples,
  stapling,
  trustAnchor,
} from "../../src/client/index.js";
import type { ServerOptions } from "../../src/server/index.js";
import { alertOf, type FaultName, faults } from "../../src/wire/fault.js";
import { alert, extensionType, handshakeType, version } from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { servers } from "../peers/identity.js";
import { authority, intermediate, server as issued, root } from "../pki/kit.js";
import { Pair, selection, staples } from "../server/pair.js";
import { Link } from "./link.js";

/** A client that staples for its own certificates, and our server, which judges that: RFC 8446 4.4.2.1. */

const forClients = { purposes: extendedKeyUsage(purpose.clientAuth) };
const leaf = issued(intermediate, { subject: "client", extensions: forClients });
const other = issued(intermediate, { subject: "another", extensions: forClients });
const identityOf = ({ der, key }: Issued, ...others: Issued[]): Identity => ({
  certificates: [der, ...others.map((each) => each.der)],
  signer: signer(key.secret),
});

const time = (seconds: number) => generalizedTime(new Date(seconds * 1000).toISOString());

/** A response from the issuer about a certificate, good for an hour around NOW unless it is said otherwise. */
function staple({ serial }: Issued, issuer: Issued, single: Partial<Single> = {}): Buffer {
  const times = { thisUpdate: time(NOW - 1800), nextUpdate: time(NOW + 1800) };
  const responses = [singleResponse({ certId: certId(issuer, serial), ...times, ...single })];
  return ocspResponse({ signer: issuer, responses, producedAt: time(NOW - 1800) });
}

const own = staple(leaf, intermediate);
const next = staple(intermediate, root);

const asks: Partial<ServerOptions> = {
  clientAuth: "require",
  trust: [trustAnchor(root.der)],
  ocsp: { stapling: "v1", policy: "leaf" },
};

interface Meeting {
  readonly staples?: Staples | AskStaples;
  readonly client?: Partial<ClientOptions>;
  readonly server?: Partial<ServerOptions>;
}

function meet(meeting: Meeting = {}): Pair {
  return new Pair({ ...asks, ...meeting.server }, stapled(meeting));
}

/** The options of a client that has these staples, or asks for them. */
function stapled({ staples = [own, next], client }: Meeting): Partial<ClientOptions> {
  const { identity = identityOf(leaf, intermediate), features = everything } = client ?? {};
  return typeof staples === "function"
    ? { ...client, identity, features: stapling(features, staples) }
    : { ...client, identity: { ...identity, staples }, features };
}

const statuses = ({ server }: Pair) => server.end.verdicts.map(({ status }) => status);

function passes(t: ExecutionContext, pair: Pair, ...expected: string[]): void {
  t.is(named(pair.server.end.fault), undefined, `${pair.client.end.cause}`);
  t.true(pair.server.end.established && pair.client.end.established);
  t.deepEqual(statuses(pair), expected);
  pair.send("client", Buffer.from("it is me")).send("server", Buffer.from("so it is"));
  t.is(`${pair.server.received}${pair.client.received}`, "it is meso it is");
}

function refused(
  t: ExecutionContext,
  pair: Pair,
  expected: FaultName,
  number = alertOf(faults[expected]),
): void {
  t.is(named(pair.server.end.fault), expected);
  t.false(pair.server.end.established);
  t.is(pair.client.end.faultDetail, number, "the alert");
}

test("a client staples for each of its certificates, and the server judges each", (t) => {
  for (const policy of ["if-present", "leaf", "chain"] as const)
    passes(t, meet({ server: { ocsp: { stapling: "v1", policy } } }).run(), "good", "good");
});

test("once they are sent neither side keeps them", (t) => {
  const served = { ...selection("p256"), staples: staples("p256") };
  const pair = meet({ server: { select: () => served } }).run();
  passes(t, pair, "good", "good");
  t.deepEqual(
    pair.client.end.verdicts.map(({ status }) => status),
    ["good", "good"],
  );
  for (const { end } of [pair.client, pair.server])
    t.is((end as unknown as { handshake: { staples?: Staples } }).handshake.staples, undefined);
});

test("by policy a staple may lack", (t) => {
  const under = (policy: "if-present" | "leaf" | "chain", staples: Staples) =>
    meet({ staples, server: { ocsp: { stapling: "v1", policy } } }).run();
  passes(t, under("if-present", []), "none", "none");
  passes(t, under("leaf", [own]), "good", "none");
  passes(t, under("leaf", [own, undefined]), "good", "none");
  passes(t, under("if-present", [undefined, next]), "none", "good");
  const missing = under("leaf", [undefined, next]);
  refused(t, missing, "OCSP_STAPLE_MISSING", alert.bad_certificate_status_response);
  refused(t, under("leaf", []), "OCSP_STAPLE_MISSING");
  refused(t, under("chain", [own]), "OCSP_STAPLE_MISSING");
});

test("a staple that is not good is refused, whatever the policy", (t) => {
  const stale = { thisUpdate: time(NOW - 7200), nextUpdate: time(NOW - 3600) };
  const later = { thisUpdate: time(NOW + 3600), nextUpdate: time(NOW + 7200) };
  const revoked = { status: certStatus.revoked("2026-06-01T00:00:00Z", 1) };
  const cases: [Buffer, FaultName, number][] = [
    [staple(leaf, intermediate, revoked), "OCSP_CERT_REVOKED", alert.certificate_revoked],
    [staple(leaf, intermediate, { status: certStatus.unknown }), "OCSP_CERT_UNKNOWN", 113],
    [staple(leaf, intermediate, stale), "OCSP_EXPIRED", 113],
    [staple(leaf, intermediate, later), "OCSP_NOT_YET_VALID", 113],
    [staple(other, intermediate), "OCSP_WRONG_CERT", 113],
    [next, "OCSP_WRONG_CERT", 113],
    [staple(leaf, { ...intermediate, key: authority("no CA").key }), "OCSP_WRONG_CERT", 113],
    [Buffer.from("not a response"), "OCSP_MALFORMED", 113],
    [bent(own), "OCSP_SIGNATURE", 113],
  ];
  for (const policy of ["if-present", "leaf", "chain"] as const)
    for (const [der, fault, number] of cases) {
      const pair = meet({ staples: [der, next], server: { ocsp: { stapling: "v1", policy } } }).run();
      refused(t, pair, fault, number);
      t.is(pair.server.end.verdicts[0].fault, faults[fault]);
      t.is(statuses(pair)[1], "unchecked");
    }
  refused(t, meet({ staples: [own, staple(intermediate, root, revoked)] }).run(), "OCSP_CERT_REVOKED");
});

/** The last byte of the signature is another. */
function bent(der: Buffer): Buffer {
  const bytes = Buffer.from(der);
  bytes[bytes.length - 1] ^= 1;
  return bytes;
}

test("a server that does not ask gets none, nor does one of TLS 1.2", (t) => {
  const asked: unknown[] = [];
  const staples = () => {
    asked.push(undefined);
    return [own, next];
  };
  const lax = { ocsp: { stapling: "off" } } as const;
  passes(t, meet({ staples, server: lax }).run(), "none", "none");
  const only12 = { maxVersion: version.tls12 };
  passes(t, meet({ staples, client: only12, server: { ocsp: { stapling: "v1" } } }).run(), "none", "none");
  refused(t, meet({ staples, client: only12 }).run(), "OCSP_STAPLE_MISSING");
  t.deepEqual(asked, []);
  passes(t, meet({ staples }).run(), "good", "good");
  t.is(asked.length, 1);
});

test("a server that asks for staples alone, and for no certificate that the client has, gets neither", (t) => {
  const asked: string[] = [];
  const staples = () => {
    asked.push("");
    return [own];
  };
  const ask = (scheme: number) => {
    const request = { schemes: [scheme], stapled: true };
    const script = { ...servers.p256, version: version.tls13, request };
    const { client, puppet } = new Link(script, stapled({ staples })).run();
    t.is(named(client.fault), undefined);
    t.true(client.established);
    return puppet.seen;
  };
  t.deepEqual(ask(0x0804).certificates, []);
  t.deepEqual(asked, []);
  const { certificates, staples: found } = ask(0x0403);
  t.deepEqual(certificates, [leaf.der, intermediate.der]);
  t.deepEqual(found, [own, undefined]);
  t.is(asked.length, 1);
});

test("staples that come later are waited for, and nothing is sent meanwhile", (t) => {
  for (const late of [[own, next], []]) {
    const pair = meet({ staples: () => undefined, server: { ocsp: { stapling: "v1" } } }).run();
    const { end } = pair.client;
    t.is(end.state, "AWAIT_STAPLES");
    t.false(end.established || pair.server.end.established);
    const sent = pair.client.sent.length;
    end.work();
    t.is(pair.run().client.sent.length, sent);
    end.staple(late);
    passes(t, pair.run(), ...(late.length > 0 ? ["good", "good"] : ["none", "none"]));
    end.staple([own]);
    t.true(end.established);
  }
});

/** Lets both sides do one thing after the other until the client has done what `until` waits for. */
function runUntil(pair: Pair, until: () => boolean): void {
  const { client, server } = pair;
  const to = (side: { incoming: Buffer }) => (bytes: Buffer) => {
    side.incoming = Buffer.concat([side.incoming, bytes]);
  };
  for (let turns = 0; !until(); turns++) {
    if (turns > 1000) throw new Error(`it does not come, in state ${client.end.state}`);
    if (!client.turn(to(server))) server.turn(to(client));
  }
}

test("staples that come before they are needed are taken, and change nothing else", (t) => {
  let asked = false;
  const pair = meet({
    staples: () => {
      asked = true;
      return undefined;
    },
  });
  runUntil(pair, () => asked);
  const { state } = pair.client.end;
  t.not(state, "AWAIT_STAPLES");
  pair.client.end.staple([own, next]);
  t.is(pair.client.end.state, state);
  passes(t, pair.run(), "good", "good");
});

test("staples that nobody waits for are not sent", (t) => {
  const early = meet({ staples: [own] });
  early.client.end.staple([staple(other, intermediate)]);
  passes(t, early.run(), "good", "none");
  const unasked = meet({ staples: () => undefined, server: { ocsp: { stapling: "off" } } });
  unasked.client.end.staple([own]);
  passes(t, unasked.run(), "none", "none");
  const given = meet({ staples: [own] });
  runUntil(given, () => given.client.end.state === "WAIT_CERTIFICATE_VERIFY");
  given.client.end.staple([staple(other, intermediate)]);
  passes(t, given.run(), "good", "none");
  const over = meet({ staples: () => undefined }).run();
  over.client.end.abort(faults.HANDSHAKE_TIMEOUT);
  over.client.end.staple([own]);
  over.run();
  t.is(over.client.end.fault, faults.HANDSHAKE_TIMEOUT);
  t.is(over.client.end.state, "AWAIT_STAPLES");
});

test("what fails while it is asked is the connection's fault", (t) => {
  const pair = meet({
    staples: () => {
      throw new Error("no staples today");
    },
  }).run();
  t.is(named(pair.client.end.fault), "INTERNAL_ERROR");
  t.is((pair.client.end.cause as Error).message, "no staples today");
});

test("staples go out through the smallest buffers, in records as small as the server wants them", (t) => {
  const long = staple(leaf, intermediate, { extensions: [] });
  for (const output of [640, 700, 1024, 4096])
    passes(
      t,
      meet({
        staples: [long, next],
        client: { buffers: { output } },
        server: { recordSizeLimit: 64, ocsp: { stapling: "v1", policy: "chain" } },
      }).run(),
      "good",
      "good",
    );
});

test("a client's certificate that must be stapled: only where the server heeds that", (t) => {
  const must = issued(intermediate, {
    subject: "must",
    extensions: { ...forClients, feature: mustStapleExtension() },
  });
  const identity = identityOf(must, intermediate);
  const attempt = (mustStaple: boolean, staples: Staples, client: Partial<ClientOptions> = {}) =>
    meet({
      staples,
      client: { identity, ...client },
      server: { ocsp: { stapling: "v1", mustStaple } },
    }).run();
  passes(t, attempt(false, []), "none", "none");
  refused(t, attempt(true, []), "OCSP_STAPLE_MISSING");
  refused(t, attempt(true, [], { maxVersion: version.tls12 }), "OCSP_STAPLE_MISSING");
  passes(t, attempt(true, [staple(must, intermediate)]), "good", "none");
  passes(
    t,
    meet({ staples: [], server: { ocsp: { stapling: "v1", mustStaple: true } } }).run(),
    "none",
    "none",
  );
});

test("who is asked may be asked of any features", (t) => {
  const staples = (certificates: readonly Uint8Array[]) => {
    t.deepEqual(certificates, [leaf.der, intermediate.der]);
    return [own, next];
  };
  for (const features of [everything, exporting(everything)])
    passes(t, meet({ staples, client: { features } }).run(), "good", "good");
  const keeps = exporting(stapling(everything, staples));
  passes(t, meet({ client: { features: keeps } }).run(), "good", "good");
});

test("the request for staples is an extension of the CertificateRequest, and none of it is otherwise", (t) => {
  const seen: Buffer[] = [];
  const onMessage: ClientOptions["onMessage"] = (sent, type, bytes, start, end) => {
    if (!sent && (type & 0xff) === handshakeType.certificate_request)
      seen.push(Buffer.from(bytes.subarray(start, end)));
  };
  meet({ client: { onMessage } }).run();
  meet({ client: { onMessage }, server: { ocsp: { stapling: "off" } } }).run();
  const empty = Buffer.from([0, extensionType.status_request, 0, 0]);
  t.deepEqual(
    seen.map((bytes) => bytes.includes(empty)),
    [true, false],
  );
});
