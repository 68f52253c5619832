import test, { type ExecutionContext } from "ava";
import { purpose, extendedKeyUsage as purposesOf } from "../../certs/extensions.js";
import { chainCases, credential, fixture, NOW } from "../../certs/fixtures.js";
import { provider, signer } from "../../hosts/node/provider.js";
import {
  type ClientOptions,
  type Fault,
  faults,
  type Identity,
  type Path,
  type TrustAnchor,
  trustAnchor,
  wants,
} from "../../src/client/index.js";
import { extendedKeyUsage } from "../../src/pki/certificate.js";
import { type ServerOptions, TlsServer } from "../../src/server/index.js";
import { alertOf } from "../../src/wire/fault.js";
import { alert, extensionType as ext, handshakeType as hs, version } from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { flip } from "../peers/bytes.js";
import { identity, servers } from "../peers/identity.js";
import { certificateStatus, type Extension, extension } from "../peers/messages.js";
import { authority, server as issuedBy } from "../pki/kit.js";
import { settling } from "../pki/settling.js";
import { Pair, serverDefaults } from "./pair.js";
import { Scripted, type Settings } from "./scripted.js";

/** Certificates of clients. */

const trust = [trustAnchor(credential("client", "ca").chain[0])];
const ask: Partial<ServerOptions> = { clientAuth: "request", trust };
const demand: Partial<ServerOptions> = { clientAuth: "require", trust };

function own(name: "p256" | "p384" | "rsa" | "ed25519"): Identity {
  const { chain, key } = identity("client", name);
  return { certificates: chain, signer: signer(key) };
}

const both = [
  ["1.2", version.tls12],
  ["1.3", version.tls13],
] as const;

/** Servers' certificates, of which there are so many good and bad ones, pass for clients'. */
function takeServers(server: TlsServer): void {
  const { handshake: session } = server as unknown as {
    handshake: { verifier: { path: { purpose: number } } };
  };
  session.verifier.path.purpose = extendedKeyUsage.serverAuth;
}

function refusal(t: ExecutionContext, pair: Pair, fault: Fault, number = alertOf(fault)): void {
  t.is(pair.server.end.fault, fault, `${named(pair.server.end.fault)}`);
  t.false(pair.server.end.established);
  t.is(pair.client.end.faultDetail, number);
}

for (const [name, only] of both) {
  const versions: Partial<ClientOptions> = { minVersion: only, maxVersion: only };

  for (const kind of ["p256", "p384", "rsa", "ed25519"] as const)
    test(`TLS ${name}: a client with a ${kind} certificate`, (t) => {
      for (const options of [ask, demand]) {
        const paths: (readonly [number, TrustAnchor | undefined])[] = [];
        const onPath = ({ length, anchor }: Path) => void paths.push([length, anchor]);
        const pair = new Pair({ ...options, onPath }, { ...versions, identity: own(kind) }).run();
        t.is(pair.server.end.fault, undefined, `${named(pair.server.end.fault)} ${pair.server.end.cause}`);
        t.true(pair.server.end.established);
        t.deepEqual(paths, [[1, trust[0]]]);
        t.deepEqual(
          pair.server.end.verdicts.map(({ status }) => status),
          ["none"],
        );
        pair.send("client", Buffer.from("it is me"));
        t.is(pair.server.received.toString(), "it is me");
      }
    });

  test(`TLS ${name}: a client without a certificate`, (t) => {
    const pair = new Pair(ask, versions).run();
    t.true(pair.server.end.established);
    t.deepEqual(pair.server.end.verdicts, []);
    const number = only === version.tls13 ? alert.certificate_required : alert.handshake_failure;
    refusal(t, new Pair(demand, versions).run(), faults.CERTIFICATE_REQUIRED, number);
  });

  test(`TLS ${name}: a client that is not asked shows no certificate`, (t) => {
    const pair = new Pair({}, { ...versions, identity: own("p256") }).run();
    t.true(pair.server.end.established);
    t.deepEqual(pair.server.end.verdicts, []);
  });

  test(`TLS ${name}: the certificate is for clients, of our CA, valid now`, (t) => {
    const server: Identity = { certificates: servers.p256.chain, signer: signer(servers.p256.key) };
    const roots = [...trust, trustAnchor(credential("p256", "root").chain[0])];
    const attempt = (options: Partial<ServerOptions>, client = own("p256")) =>
      new Pair({ ...demand, ...options }, { ...versions, identity: client }).run();
    refusal(t, attempt({ trust: roots }, server), faults.CERT_EXTENDED_KEY_USAGE);
    refusal(t, attempt({ trust: roots.slice(1) }), faults.CERT_UNKNOWN_ISSUER);
    const limited = (...purposes: string[]) => {
      const root = authority("root", undefined, { extensions: { purposes: purposesOf(...purposes) } });
      const { der, key } = issuedBy(root, { extensions: { purposes: purposesOf(purpose.clientAuth) } });
      const client = { certificates: [der], signer: signer(key.secret) };
      return attempt({ trust: [trustAnchor(root.der)] }, client);
    };
    refusal(t, limited(purpose.serverAuth), faults.CERT_EXTENDED_KEY_USAGE);
    t.true(limited(purpose.clientAuth).server.end.established, "an anchor that is for clients");
    refusal(t, attempt({ clock: () => NOW + 1e10 }), faults.CERT_EXPIRED);
    refusal(t, attempt({ clock: () => undefined }), faults.NO_CLOCK);
    refusal(t, attempt({ clockFloor: NOW + 1 }), faults.NO_CLOCK);
    t.true(attempt({ clockFloor: NOW }).server.end.established);
    refusal(t, attempt({ schemes: [0x0804], trust }), faults.NO_COMMON_SCHEME);
    const unverified = attempt({ verify: false, trust: [] }, server);
    t.true(unverified.server.end.established);
  });

  test(`TLS ${name}: a server's certificate is still for servers`, (t) => {
    const select = () => ({ identity: own("p256") });
    const pair = new Pair({ select }, { ...versions, trust, serverName: "p256.client.tlstaple.test" }).run();
    t.is(pair.client.end.fault, faults.CERT_EXTENDED_KEY_USAGE);
    t.is(pair.server.end.faultDetail, alertOf(faults.CERT_EXTENDED_KEY_USAGE));
  });

  test(`TLS ${name}: bad chains of clients are refused as bad chains of servers are`, (t) => {
    let refused = 0;
    const unusable: string[] = [];
    for (const { id, chain, anchors, keyFile, expected } of chainCases()) {
      // Names are nobody's who connects, and a feature of TLS servers binds no client
      if (expected === "good" || chain.length === 0) continue;
      if (/^CERT_(NAME|IP)_MISMATCH$|^OCSP_/.test(expected)) continue;
      const certificates = chain;
      let identityOf: Identity;
      try {
        identityOf = { certificates, signer: signer(fixture(keyFile.split("/certs/")[1]).toString()) };
      } catch {
        unusable.push(id);
        continue;
      }
      const options = { ...demand, trust: anchors.map((der) => trustAnchor(der)) };
      const pair = new Pair(options, { ...versions, identity: identityOf });
      takeServers(pair.server.end);
      pair.run();
      t.false(pair.server.end.established, id);
      t.is(named(pair.server.end.fault), expected, id);
      refused++;
    }
    t.true(refused >= 156, `${refused}`);
    // nobody can sign with these
    for (const id of unusable) t.regex(id, /^key-/);
  });

  // What a client of ours would never do

  const serve = (options: Partial<ServerOptions> = demand) =>
    new TlsServer({ ...serverDefaults, ...options });
  const { chain, key } = identity("client", "p256");
  const scheme = 0x0403;

  /** Up to where the CertificateVerify is due. */
  function shown(
    options: Partial<ServerOptions> = demand,
    extensions?: (index: number) => Extension[],
    certificates = chain,
    settings: Settings = {},
  ): Scripted {
    const client = new Scripted(serve(options), { ...settings, version: only }).hello();
    client.send(client.certificate(certificates, extensions));
    if (only === version.tls12 && !client.server.fault) client.send(client.keyExchange()).deriveMaster();
    return client;
  }

  function finish(client: Scripted): Scripted {
    if (only === version.tls12) client.changeCipherSpec();
    return client.finish();
  }

  test(`TLS ${name}: the client's signature is checked`, (t) => {
    const good = shown();
    t.is(good.server.state, "WAIT_CERTIFICATE_VERIFY");
    good.send(good.certificateVerify(key, scheme));
    t.true(finish(good).server.established);

    const altered = shown();
    altered.send(flip(altered.certificateVerify(key, scheme)));
    t.is(altered.server.fault, faults.HANDSHAKE_SIGNATURE);
    t.is(altered.alert, alert.decrypt_error);

    const foreign = shown();
    foreign.send(foreign.certificateVerify(servers.p256.key, scheme));
    t.is(foreign.server.fault, faults.HANDSHAKE_SIGNATURE);

    const older = shown();
    const before = older.certificateVerify(key, scheme);
    const fresh = shown();
    fresh.send(before);
    t.is(fresh.server.fault, faults.HANDSHAKE_SIGNATURE, "another connection's");
  });

  test(`TLS ${name}: the client's signature can't be left out`, (t) => {
    const client = finish(shown());
    t.is(client.server.fault, faults.UNEXPECTED_MESSAGE);
    t.false(client.server.established);
  });

  test(`TLS ${name}: the client's scheme must have been asked for and fit its key`, (t) => {
    const claim = (claimed: number, options = demand) => {
      const client = shown(options);
      client.send(client.certificateVerify(key, scheme, claimed));
      return client.server.fault;
    };
    t.is(claim(0x0804), faults.SIGNATURE_SCHEME);
    t.is(claim(0x0203), faults.SIGNATURE_SCHEME);
    t.is(claim(0x0807), faults.SIGNATURE_SCHEME);
    const without = { ...demand, schemes: [0x0503, 0x0804, 0x0403].filter((id) => id !== 0x0503) };
    t.is(claim(0x0503, without), faults.SIGNATURE_SCHEME);
    const elsewhere = only === version.tls13 ? faults.SIGNATURE_SCHEME : faults.HANDSHAKE_SIGNATURE;
    t.is(claim(0x0503), elsewhere);
    t.is(claim(0x0603), elsewhere);
  });

  test(`TLS ${name}: a hash is bound to a curve in TLS 1.3 only`, (t) => {
    for (const id of [0x0503, 0x0603]) {
      const client = shown();
      client.send(client.certificateVerify(key, id));
      if (only === version.tls13) t.is(client.server.fault, faults.SIGNATURE_SCHEME);
      else t.true(finish(client).server.established, named(client.server.fault));
    }
  });

  test(`TLS ${name}: RSA clients sign with any scheme that the version has`, (t) => {
    const rsa = identity("client", "rsa");
    const schemes = [0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601];
    for (const id of schemes) {
      const client = shown(demand, undefined, rsa.chain);
      client.send(client.certificateVerify(rsa.key, id));
      const pkcs1 = id < 0x0800;
      if (pkcs1 && only === version.tls13) t.is(client.server.fault, faults.SIGNATURE_SCHEME);
      else t.true(finish(client).server.established, `${id.toString(16)} ${named(client.server.fault)}`);
    }
  });

  test(`TLS ${name}: malformed certificates of clients`, (t) => {
    t.is(shown(demand, undefined, [Buffer.from("no certificate")]).server.fault, faults.CERT_MALFORMED);
    t.is(shown(demand, undefined, [Buffer.alloc(0)]).server.fault, faults.DECODE_ERROR);
    for (const by of [1, -1]) {
      const client = new Scripted(serve(), { version: only }).hello();
      const bytes = client.certificate(chain);
      // The list's length, behind the header and in TLS 1.3 the context
      bytes[only === version.tls13 ? 7 : 6] += by;
      t.is(client.send(bytes).server.fault, faults.DECODE_ERROR);
    }
    t.is(shown(demand, undefined, [chain[0], Buffer.alloc(0)]).server.fault, faults.DECODE_ERROR);
    const many = Array.from({ length: 200 }, () => chain[0]);
    t.is(shown(demand, undefined, many).server.fault, faults.CERT_CHAIN_TOO_LONG);
    const bytes = [...chain, ...Array<Buffer>(65 - chain.length).fill(Buffer.alloc(1))];
    t.is(shown(demand, undefined, bytes).server.fault, faults.CERT_CHAIN_TOO_LONG);
    t.is(shown(demand, undefined, bytes.slice(0, -1)).server.fault, undefined);
  });

  test(`TLS ${name}: the owner may look at a client before it is let in`, (t) => {
    const client = { ...versions, identity: own("p256") };
    const held = () => new Pair({ ...demand, holdClients: true, ticketKeys: [] }, client).run();
    const pair = held();
    const server = pair.server.end;
    t.is(server.awaits, "approval");
    t.false(server.established);
    t.is(pair.server.received.length, 0);
    t.is(server.verdicts.length, 1);
    server.proceed(faults.UNRECOGNIZED_NAME);
    t.is(server.awaits, "approval");
    server.approve();
    pair.run();
    t.true(server.established && pair.client.end.established);
    server.approve();
    pair.send("client", Buffer.from("thanks"));
    t.is(pair.server.received.toString(), "thanks");

    const refused = held();
    refused.server.end.abort(faults.CERT_UNKNOWN_ISSUER);
    refused.run();
    t.is(refused.client.end.faultDetail, alert.unknown_ca);
    refused.server.end.approve();
    t.false(refused.server.end.established);
  });

  test(`TLS ${name}: nothing is read while the owner looks`, (t) => {
    const client = shown({ ...demand, holdClients: true });
    client.send(client.certificateVerify(key, scheme));
    finish(client).record(23, Buffer.from("early bird"));
    t.is(client.server.awaits, "approval");
    t.is(client.data.length, 0);
    t.is(client.server.wants & (wants.DATA | wants.WORK), 0);
    client.server.approve();
    client.pump();
    t.true(client.server.established);
    t.is(client.data.toString(), "early bird");
  });

  test(`TLS ${name}: who shows no certificate is not held`, (t) => {
    t.true(new Pair({ ...ask, holdClients: true }, versions).run().server.end.established);
  });

  test(`TLS ${name}: the CAs are named, if they are few`, (t) => {
    const names = (anchors: number) => {
      const server = serve({ ...demand, trust: Array(anchors).fill(trust[0]) });
      const client = new Scripted(server, { version: only }).hello();
      return client.received.find(({ type }) => type === hs.certificate_request)!.bytes;
    };
    const { nameBytes, nameStart, nameEnd } = trust[0];
    const subject = Buffer.from(nameBytes.subarray(nameStart, nameEnd));
    t.true(names(1).includes(subject));
    t.false(names(100).includes(subject));
  });
}

// Staples of clients, TLS 1.3

test("TLS 1.3: a client's staples are judged", (t) => {
  const { chain, key } = servers.p256;
  const staple = (name: string) => fixture(`good/p256/${name}-ocsp.der`);
  const roots = [trustAnchor(credential("p256", "root").chain[0])];
  const carried = (list: (Buffer | undefined)[]) => (i: number) => {
    const response = list[i];
    return response ? [extension(ext.status_request, certificateStatus(response))] : [];
  };
  const attempt = (list: (Buffer | undefined)[], ocsp: ServerOptions["ocsp"]) => {
    const options: Partial<ServerOptions> = { ...demand, trust: roots, ocsp: { stapling: "v1", ...ocsp } };
    const server = new TlsServer({ ...serverDefaults, ...options });
    takeServers(server);
    const client = new Scripted(server).hello();
    const request = client.received.find(({ type }) => type === hs.certificate_request)!.bytes;
    t.true(request.includes(Buffer.from([0, 5, 0, 0])), "asked for");
    client.send(client.certificate(chain, carried(list)));
    if (server.fault) return server;
    client.send(client.certificateVerify(key, 0x0403)).finish();
    return server;
  };
  const [good, next] = [staple("server1"), staple("intermediate1")];
  const passes = (list: (Buffer | undefined)[], ocsp: ServerOptions["ocsp"], ...expected: string[]) => {
    const { fault, verdicts } = attempt(list, ocsp);
    t.is(fault, undefined, named(fault));
    t.deepEqual(
      verdicts.map(({ status }) => status),
      expected,
    );
    t.false(verdicts.some((verdict) => "fault" in verdict));
  };
  const fails = (
    list: (Buffer | undefined)[],
    ocsp: ServerOptions["ocsp"],
    expected: Fault,
    ...all: string[]
  ) => {
    const { fault, verdicts } = attempt(list, ocsp);
    t.is(fault, expected);
    t.deepEqual(
      verdicts.map(({ status }) => status),
      all,
    );
    t.deepEqual(
      verdicts.map((verdict) => verdict.fault).filter((each) => each !== undefined),
      [expected],
    );
  };
  passes([good, next], { policy: "chain" }, "good", "good");
  passes([good], { policy: "leaf" }, "good", "none");
  passes([], { policy: "if-present" }, "none", "none");
  fails([], { policy: "leaf" }, faults.OCSP_STAPLE_MISSING, "none", "none");
  fails([good], { policy: "chain" }, faults.OCSP_STAPLE_MISSING, "good", "none");
  fails([staple("server3"), next], {}, faults.OCSP_WRONG_CERT, "bad", "unchecked");
  const open = fixture("ocsp/no-next-update.der");
  fails([open], {}, faults.OCSP_NO_NEXT_UPDATE, "bad", "none");
  passes([open], { allowMissingNextUpdate: true }, "good", "none");
  const wrong = attempt([flip(good)], {});
  t.is(alertOf(wrong.fault!), alert.bad_certificate_status_response);
  t.is(attempt([Buffer.alloc(0)], {}).fault, faults.OCSP_MALFORMED);
});

test("TLS 1.3: staples of certificates that are not kept are not kept either", (t) => {
  const { chain, key } = servers.p256;
  const roots = [trustAnchor(credential("p256", "root").chain[0])];
  const options = { ...demand, trust: roots, ocsp: { stapling: "v1" }, maxCertificates: 2 } as const;
  const server = new TlsServer({ ...serverDefaults, ...options });
  takeServers(server);
  const client = new Scripted(server).hello();
  const response = fixture("good/p256/server1-ocsp.der");
  const staple = (i: number) => (i === 1 ? [] : [extension(ext.status_request, certificateStatus(response))]);
  client.send(client.certificate([...chain.slice(0, 2), ...Array(20).fill(chain[1])], staple));
  t.is(server.fault, undefined, named(server.fault));
  client.send(client.certificateVerify(key, 0x0403)).finish();
  t.true(server.established);
});

test("TLS 1.3: a client's certificate has no extensions that were not asked for", (t) => {
  const { chain } = identity("client", "p256");
  const attempt = (list: Extension[], ocsp?: ServerOptions["ocsp"], verify = true) => {
    const client = new Scripted(new TlsServer({ ...serverDefaults, ...demand, ocsp, verify })).hello();
    client.send(client.certificate(chain, (i) => (i === 0 ? list : [])));
    return client.server.fault;
  };
  const staple = extension(ext.status_request, certificateStatus(Buffer.from("x")));
  t.is(attempt([staple]), faults.UNSUPPORTED_EXTENSION);
  t.is(attempt([extension(ext.server_name)], { stapling: "v1" }), faults.UNSUPPORTED_EXTENSION);
  t.is(attempt([staple, staple], { stapling: "v1" }), faults.DUPLICATE_EXTENSION);
  const multi = extension(ext.status_request, Buffer.from([2, 0, 0, 1, 0]));
  t.is(attempt([multi], { stapling: "v1" }), faults.OCSP_MALFORMED);
  const empty = extension(ext.status_request, certificateStatus(Buffer.alloc(0)));
  t.is(attempt([empty], { stapling: "v1" }, false), faults.OCSP_MALFORMED);
});

test("TLS 1.3: the context of a client's certificate is empty", (t) => {
  const { chain } = identity("client", "p256");
  const client = new Scripted(new TlsServer({ ...serverDefaults, ...demand })).hello();
  const bytes = client.certificate(chain);
  bytes[4] = 1;
  client.send(bytes);
  t.is(client.server.fault, faults.ILLEGAL_PARAMETER);
});

test("signatures of clients' certificates are settled by what remembers them, the handshake's own is not", (t) => {
  for (const [name, only] of both) {
    let remembered = 0;
    let all = 0;
    const counting = settling(provider, () => all++);
    const memory: ServerOptions["remembered"] = {
      settle(_provider, _scheme, verification, ...what) {
        remembered++;
        return verification.settle(...what);
      },
    };
    const options = { ...demand, provider: counting, remembered: memory };
    const versions = { minVersion: only, maxVersion: only };
    const { server } = new Pair(options, { ...versions, identity: own("p256") }).run();
    t.true(server.end.established, name);
    t.deepEqual([remembered, all], [1, 2], name);
  }
});
