import { readFileSync } from "node:fs";
import test from "ava";
import { fixtureFile, NOW } from "../../../../certs/fixtures.js";
import { settleServer } from "../../../../hosts/node/server/options.js";
import { settle } from "../../../../hosts/node/socket/options.js";
import { type BufferSizes, configure, trustAnchor, version } from "../../../../src/client/index.js";
import { configure as configureServer } from "../../../../src/server/config.js";
import { TlsServer } from "../../../../src/server/index.js";
import { extensionType } from "../../../../src/wire/registry.js";
import { Link } from "../../../client/link.js";
import { named } from "../../../faults.js";
import { host, root, rows, script } from "../../../peers/default-staples.js";
import { certificateStatus, extension } from "../../../peers/messages.js";
import { selection } from "../../../server/pair.js";
import { Scripted } from "../../../server/scripted.js";

/** What `connect` and `createServer` do on Node where nobody says what they shall do. */

const select = () => selection("p256");
const strict = { skew: 900, maxAge: undefined, allowMissingNextUpdate: false, responders: [] };

/** The rows of the page's tables, by their first cell; of those with the same the first is connect's. */
const page = readFileSync(fixtureFile("../docs/node.md"), "utf8");
const pageRows = (name: string) => page.split("\n").filter((line) => line.startsWith(`| \`${name}\``));

/** As the page writes it. */
function sizesText({ input, output, store }: BufferSizes): string {
  const sizes = typeof input === "number" ? input : `[${input.join(", ")}]`;
  return `\`{ input: ${sizes}, output: ${output}, store: ${store} }\``;
}

test("the page's buffers are those that there are", (t) => {
  const [client, server] = pageRows("buffers");
  t.is(client.split(" | ")[1], sizesText(configure(settle({}).core).buffers));
  const sizes = (options: object) => configureServer({ ...settleServer(options).core, select }).buffers;
  t.is(server.split(" | ")[1], sizesText(sizes({})));
  const asking = sizes({ requestCert: true });
  t.deepEqual([asking.input, asking.store], [65536, 65536]);
  t.regex(server, /input and store are 65,536 with `requestCert`/);
});

test("each default of connect", (t) => {
  const { allowTruncation, core, handshakeTimeout, lookup, roots } = settle({});
  t.like(configure(core), {
    serverName: "localhost",
    verify: true,
    minVersion: version.tls12,
    maxVersion: version.tls13,
    alpn: [],
    requireEms: false,
    maxCertificates: 8,
    recordSizeLimit: undefined,
    maxFragmentLength: undefined,
    identity: undefined,
    buffers: { input: 65536, output: 16640, store: 65536 },
    ocsp: { stapling: "v1", alsoV1: false, policy: "if-present", mustStaple: true, nonce: false, ...strict },
  });
  t.is(handshakeTimeout, 10_000);
  t.false(allowTruncation);
  t.is(lookup, undefined);
  t.true(roots.length > 50);
  t.true(Math.abs(core.clock()! - Date.now() / 1000) < 5);
});

test("each default of createServer", (t) => {
  const { core, connection, ...rest } = settleServer({});
  t.like(configureServer({ ...core, select }), {
    clientAuth: "none",
    verify: true,
    minVersion: version.tls12,
    maxVersion: version.tls13,
    alpn: [],
    requireEms: false,
    holdClients: false,
    trust: [],
    maxCertificates: 8,
    ticketLifetime: 7200,
    recordSizeLimit: undefined,
    ocsp: { stapling: "off", policy: "if-present", ...strict },
  });
  t.is(connection.handshakeTimeout, 10_000);
  t.is(connection.lookup, undefined);
  t.like(connection.stream, { allowHalfOpen: false, highWaterMark: undefined });
  t.like(rest, {
    sessionTimeout: 7200,
    pauseOnConnect: false,
    forwardNonce: false,
    stapler: undefined,
    stapleChain: undefined,
  });
  t.true(Math.abs(core.clock()! - Date.now() / 1000) < 5);
});

test("a server that asks for certificates demands and verifies them", (t) => {
  const { core } = settleServer({ requestCert: true, ca: root.der });
  t.like(configureServer({ ...core, select }), { clientAuth: "require", verify: true, holdClients: false });
});

test("a lookup: each certificate of the chain that the policy names, judged as strictly as a staple", (t) => {
  const ours = settle({ ocsp: { lookup: true } });
  t.like(ours.lookup, { requirement: "if-present", policy: strict });
  t.is(configure(ours.core).ocsp.policy, "if-present");
  const theirs = settleServer({ requestCert: true, ca: root.der, ocsp: { lookup: true } });
  t.like(theirs.connection.lookup, { requirement: "if-present", policy: strict });
  t.true(theirs.core.holdClients);
});

const { core } = settle({ ca: root.der, servername: host, clock: () => NOW });

for (const [name, only] of Object.entries(version))
  for (const [title, staple, fault] of rows)
    test(`connect, ${name}: ${title}`, (t) => {
      const { client } = new Link({ ...script, version: only, staples: [staple] }, core).run();
      t.is(named(client.fault), fault);
      t.is(client.established, fault === undefined);
    });

for (const [title, staple, fault] of rows)
  test(`createServer: a client's certificate with ${title}`, (t) => {
    const options = { requestCert: true, ca: root.der, clock: () => NOW, ocsp: { stapling: "v1" } } as const;
    const server = new TlsServer({ ...settleServer(options).core, select });
    const client = new Scripted(server).hello();
    const status = staple ? [extension(extensionType.status_request, certificateStatus(staple))] : [];
    client.send(client.certificate(script.chain, () => status));
    if (!server.fault) client.send(client.certificateVerify(script.key, 0x0403)).finish();
    t.is(named(server.fault), fault);
  });

test("roots that are given are the only ones", (t) => {
  t.deepEqual(core.trust, [trustAnchor(root.der)]);
});
