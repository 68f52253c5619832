import { once } from "node:events";
import { get } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { purpose } from "../../../../certs/extensions.js";
import {
  Agent,
  type ClientStaple,
  type ConnectOptions,
  connect,
  createContext,
  createServer,
  type ServerOptions,
  type ServerSocket,
  type StapleError,
  Stapler,
  type TLSSocket,
} from "../../../../hosts/node/index.js";
import { honest, type Link, makeLeaf, makePki, respond, serve } from "../ocsp/responders.js";
import { listen } from "../servers.js";

/** `clientStaple`: a client of ours that staples, and our server that asks for it. */

const pki = makePki();
const client = makeLeaf(pki.ca, [], purpose.clientAuth);
const stranger = makeLeaf(pki.ca, [], purpose.clientAuth);
const keyOf = ({ key }: Link) => key.secret.export({ type: "pkcs8", format: "pem" });
const now = () => Math.floor(Date.now() / 1000);
const good = respond(client);
const next = respond(pki.ca);
const leafPolicy = { stapling: "v1", policy: "leaf" } as const;
const asked = { stapling: "v1" } as const;

/** A server that shows `pki`'s certificate and asks clients for theirs; whom it let in, and why others not. */
async function serving(t: ExecutionContext, ocsp: ServerOptions["ocsp"], own = pki) {
  const server = createServer({
    cert: own.chain,
    key: keyOf(own.leaf),
    requestCert: true,
    ca: own.root.der,
    stapler: "off",
    ocsp,
  });
  const sockets: ServerSocket[] = [];
  const refusals: string[] = [];
  server.on("secureConnection", (socket) => {
    sockets.push(socket);
    socket.end("welcome");
  });
  server.on("tlsClientError", (error) => refusals.push(error.code ?? error.message));
  return { port: await listen(t, server), sockets, refusals };
}

const identity = { cert: [client.der, pki.ca.der], key: keyOf(client) };

function dial(port: number, options: ConnectOptions): TLSSocket {
  const to = { host: "127.0.0.1", port, servername: "localhost", ca: pki.root.der };
  const socket = connect({ ...to, ...identity, ...options });
  socket.on("error", () => undefined);
  return socket;
}

/** What the client reads or why it fails, what it has stapled, and what `stapleError` told. */
async function visit(port: number, options: ConnectOptions) {
  const socket = dial(port, options);
  const errors: StapleError[] = [];
  socket.on("stapleError", (error) => errors.push(error));
  const outcome = await once(socket, "data").then(
    ([data]) => `${data}`,
    (error: { code: string; alert?: { number: number }; advice?: string }) => error,
  );
  socket.destroy();
  return { outcome, socket, errors, codes: errors.map(({ code }) => code) };
}

const statuses = ({ ocsp }: ServerSocket) => ocsp.map(({ status }) => status);
const bytes = (staples: TLSSocket["staples"]) => staples.map((each) => each && Buffer.from(each));

test("given as bytes for the certificate, or as an array for each of the chain", async (t) => {
  const { port, sockets } = await serving(t, leafPolicy);
  const cases: [ClientStaple, (Buffer | undefined)[], string[]][] = [
    [good, [good], ["good", "none"]],
    [Uint8Array.from(good), [good], ["good", "none"]],
    [
      [good, next],
      [good, next],
      ["good", "good"],
    ],
    [
      [good, undefined],
      [good, undefined],
      ["good", "none"],
    ],
    [() => good, [good], ["good", "none"]],
    [() => [good, next], [good, next], ["good", "good"]],
    [() => sleep(20, [good, next]), [good, next], ["good", "good"]],
  ];
  for (const [clientStaple, sent, verdicts] of cases) {
    const { outcome, socket, codes } = await visit(port, { clientStaple });
    t.is(outcome, "welcome");
    t.deepEqual(bytes(socket.staples), sent);
    t.deepEqual(statuses(sockets.at(-1)!), verdicts);
    t.deepEqual(codes, []);
  }
});

test("of a context, with the certificate or without; a connection's own wins", async (t) => {
  const { port, sockets } = await serving(t, leafPolicy);
  const whole = createContext({ ...identity, clientStaple: good });
  const without = { cert: undefined, key: undefined };
  for (const context of [whole, createContext({ clientStaple: good }), createContext(identity)]) {
    const own = context === whole ? without : { ...identity, clientStaple: good };
    t.is((await visit(port, { ...own, context })).outcome, "welcome");
  }
  await visit(port, { context: whole, ...without, clientStaple: [good, next] });
  t.deepEqual(statuses(sockets.at(-1)!), ["good", "good"]);
});

test("a server that does not ask gets none, nor does one of TLS 1.2, and no function is called", async (t) => {
  let calls = 0;
  const clientStaple = () => {
    calls++;
    return good;
  };
  const { port, sockets } = await serving(t, {});
  const lax = await visit(port, { clientStaple });
  t.is(lax.outcome, "welcome");
  t.deepEqual(lax.socket.staples, []);
  t.deepEqual(statuses(sockets[0]), ["none", "none"]);
  const other = await serving(t, asked);
  const old = await visit(other.port, { clientStaple, maxVersion: "TLSv1.2" });
  t.is(old.outcome, "welcome");
  t.deepEqual(statuses(other.sockets[0]), ["none", "none"]);
  t.is(calls, 0);
});

test("a server that demands a staple: what the client is told", async (t) => {
  const { port, refusals } = await serving(t, leafPolicy);
  const failed = async (options: ConnectOptions) =>
    (await visit(port, options)).outcome as unknown as {
      code: string;
      alert: { number: number };
      advice: string;
    };
  const missing = await failed({});
  t.is(missing.code, "PEER_ALERT");
  t.is(missing.alert.number, 113);
  t.regex(missing.advice, /give clientStaple/);
  t.regex((await failed({ clientStaple: good, maxVersion: "TLSv1.2" })).advice, /allow TLS 1\.3/);
  t.regex((await failed({ clientStaple: [undefined, next] })).advice, /stapleError/);
  const revoked = await failed({ clientStaple: respond(client, { status: "revoked" }) });
  t.is(revoked.alert.number, 44);
  const unknown = await failed({ clientStaple: respond(client, { status: "unknown" }) });
  t.is(unknown.alert.number, 113);
  t.deepEqual(refusals, [
    "OCSP_STAPLE_MISSING",
    "OCSP_STAPLE_MISSING",
    "OCSP_STAPLE_MISSING",
    "OCSP_CERT_REVOKED",
    "OCSP_CERT_UNKNOWN",
  ]);
});

test("mustStaple at the server: the demand of a client's certificate", async (t) => {
  t.throws(() => createServer({ requestCert: true, ca: pki.root.der, ocsp: { mustStaple: true } }), {
    code: "ERR_TLSTAPLE_OPTION_VALUE",
  });
  const { port } = await serving(t, { ...asked, mustStaple: true });
  t.is((await visit(port, {})).outcome, "welcome", "this one demands nothing");
});

// ---- What is refused when it is given

const bent = (signature: Buffer) => Buffer.from(signature.map((byte, i) => (i === 20 ? byte ^ 1 : byte)));
const refused: [what: string, options: ConnectOptions, message: RegExp, code: "TYPE" | "VALUE"][] = [
  [
    "what is none",
    { clientStaple: "staple.der" as never },
    /DER, an array of them, a Stapler or a function$/,
    "TYPE",
  ],
  ["an array with what is none", { clientStaple: [good, "x" as never] }, /DER, an array/, "TYPE"],
  [
    "no DER",
    { clientStaple: Buffer.from("x") },
    /clientStaple: response 0: the OCSP response is malformed/,
    "VALUE",
  ],
  [
    "one that is cut",
    { clientStaple: good.subarray(0, 60) },
    /response 0: the OCSP response is malformed/,
    "VALUE",
  ],
  ["another's", { clientStaple: respond(stranger) }, /response 0: .* about another certificate/, "VALUE"],
  ["the CA's for the leaf", { clientStaple: [next] }, /response 0: .* about another certificate/, "VALUE"],
  [
    "an altered one",
    { clientStaple: respond(client, { bendSignature: bent }) },
    /response 0: .*signature/,
    "VALUE",
  ],
  ["too many", { clientStaple: [good, next, next] }, /clientStaple: 3 responses for 2 certificates/, "VALUE"],
  [
    "without a certificate",
    { cert: undefined, key: undefined, clientStaple: good },
    /takes cert and key/,
    "VALUE",
  ],
];

for (const [what, options, message, code] of refused)
  test(`refused: ${what}`, (t) => {
    const expected = { message, code: `ERR_TLSTAPLE_OPTION_${code}` };
    t.throws(() => connect({ port: 1, ...identity, ...options }), expected);
    if (what !== "without a certificate")
      t.throws(() => createContext({ ...identity, ...options }), expected);
  });

test("a response whose issuer is not in the chain is looked at as far as that goes", (t) => {
  const alone = { cert: client.der, key: keyOf(client) };
  t.notThrows(() => createContext({ ...alone, clientStaple: good }));
  t.notThrows(() => createContext({ ...alone, clientStaple: respond(client, { bendSignature: bent }) }));
  t.throws(() => createContext({ ...alone, clientStaple: respond(stranger) }), {
    message: /another certificate/,
  });
});

test("what was found good for one certificate is looked at again for another", (t) => {
  t.notThrows(() => createContext({ ...identity, clientStaple: good }));
  const others = { cert: [stranger.der, pki.ca.der], key: keyOf(stranger) };
  t.throws(() => createContext({ ...others, clientStaple: good }), { message: /another certificate/ });
});

test("a response that a delegate signed, or one whom the server alone may know, is for the server to judge", (t) => {
  const delegated = respond(client, { signer: pki.delegate, certificates: [pki.delegate.der] });
  t.notThrows(() => createContext({ ...identity, clientStaple: delegated }));
  t.notThrows(() => createContext({ ...identity, clientStaple: respond(client, { signer: stranger }) }));
});

// ---- What is not sent

test("none that has ended, or has not begun, is sent: stapleError says why", async (t) => {
  const { port, sockets } = await serving(t, asked);
  const stale = respond(client, { thisUpdate: now() - 7200, nextUpdate: now() - 3600 });
  const ending = respond(client, { thisUpdate: now() - 7200, nextUpdate: now() + 30 });
  const early = respond(client, { thisUpdate: now() + 3600 });
  const cases = [
    [stale, "OCSP_EXPIRED"],
    [ending, "OCSP_EXPIRED"],
    [early, "OCSP_NOT_YET_VALID"],
  ] as const;
  for (const [response, code] of cases) {
    const { outcome, socket, errors } = await visit(port, { clientStaple: [response, next] });
    t.is(outcome, "welcome");
    t.deepEqual(bytes(socket.staples), [undefined, next]);
    t.deepEqual(statuses(sockets.at(-1)!), ["none", "good"]);
    t.deepEqual(
      errors.map((error) => error.code),
      [code],
    );
    t.deepEqual(Buffer.from(errors[0].certificate), client.der);
  }
  const open = respond(client, { thisUpdate: now() - 864_000, nextUpdate: null });
  t.deepEqual(bytes((await visit(port, { clientStaple: open })).socket.staples), [open]);
});

test("by the client's clock; where it was never set nothing can be stale", async (t) => {
  const { port } = await serving(t, asked);
  const sent = async (clock: () => number | undefined) => {
    const options = { clientStaple: good, clock, rejectUnauthorized: false };
    return (await visit(port, options)).socket.staples.length > 0 && (await visit(port, options)).codes;
  };
  t.deepEqual(await sent(now), []);
  t.deepEqual(await sent(() => now() + 86_400), ["OCSP_EXPIRED"]);
  t.deepEqual(await sent(() => undefined), []);
});

const sources: [what: string, source: () => never, message: RegExp][] = [
  [
    "throws",
    () => {
      throw new Error("out of staples");
    },
    /the source of staples failed: out of staples/,
  ],
  ["rejects", (() => Promise.reject(new Error("no network"))) as never, /failed: no network/],
  ["gives what is none", (() => "x") as never, /failed: option clientStaple must be/],
  ["promises what is none", (async () => 7) as never, /failed: option clientStaple must be/],
  ["gives another's", (() => respond(stranger)) as never, /failed: .*another certificate/],
];

for (const [what, source, message] of sources)
  test(`a function that ${what}: the handshake goes on without`, async (t) => {
    const { port, sockets } = await serving(t, asked);
    const { outcome, errors, socket } = await visit(port, { clientStaple: source });
    t.is(outcome, "welcome");
    t.is(errors.length, 1);
    t.is(errors[0].code, "ERR_TLSTAPLE_STAPLE_SOURCE");
    t.regex(errors[0].message, message);
    t.deepEqual(socket.staples, []);
    t.deepEqual(statuses(sockets[0]), ["none", "none"]);
  });

test("a function with nothing to give", async (t) => {
  const { port } = await serving(t, asked);
  for (const clientStaple of [() => undefined, async () => undefined, () => []]) {
    const { outcome, codes } = await visit(port, { clientStaple });
    t.is(outcome, "welcome");
    t.deepEqual(codes, []);
  }
});

test("what never comes ends with the handshake's time, and what comes after the end is for nobody", async (t) => {
  const { port, sockets } = await serving(t, asked);
  const never = new Promise<Buffer>(() => undefined);
  const late = await visit(port, { clientStaple: () => never, handshakeTimeout: 300 });
  t.is((late.outcome as unknown as { code: string }).code, "HANDSHAKE_TIMEOUT");
  let give: (staple: Buffer) => void = () => undefined;
  const pending = new Promise<Buffer>((resolve) => {
    give = resolve;
  });
  const socket = dial(port, {
    clientStaple: () => {
      setImmediate(() => socket.destroy());
      return pending;
    },
  });
  await once(socket, "close");
  give(good);
  await sleep(20);
  t.is(sockets.length, 0);
});

// ---- A Stapler

test.serial("a Stapler fetches what the client's certificates name, once for many connections", async (t) => {
  const all: Link[] = [];
  const responder = await honest(t, () => all);
  const own = makePki({ urls: [responder.url], rootUrls: [responder.url] });
  const leaf = makeLeaf(own.ca, [responder.url], purpose.clientAuth);
  all.push(leaf, own.ca);
  const stapler = new Stapler({ issuers: own.root.der });
  t.teardown(() => stapler.close());
  const { port, sockets } = await serving(t, { stapling: "v1", policy: "chain" }, own);
  const options = { cert: [leaf.der, own.ca.der], key: keyOf(leaf), ca: own.root.der, clientStaple: stapler };
  for (let i = 0; i < 3; i++) {
    const { outcome, socket } = await visit(port, options);
    t.is(outcome, "welcome");
    t.is(socket.staples.length, 2);
    t.deepEqual(statuses(sockets[i]), ["good", "good"]);
  }
  t.is(responder.requests.length, 2);
});

test.serial(
  "a Stapler whose responder is slow is waited for; one that is down is not in the way",
  async (t) => {
    const all: Link[] = [];
    const slow = await serve(t, async (response, der) => {
      await sleep(300);
      const link = all.find(({ serial }) => der.includes(serial))!;
      response.setHeader("Content-Type", "application/ocsp-response");
      response.end(respond(link));
    });
    const own = makePki({ urls: [slow.url] });
    const leaf = makeLeaf(own.ca, [slow.url], purpose.clientAuth);
    all.push(leaf);
    const { port, sockets } = await serving(t, leafPolicy, own);
    const options = { cert: [leaf.der, own.ca.der], key: keyOf(leaf), ca: own.root.der };
    const stapler = new Stapler();
    t.teardown(() => stapler.close());
    t.is((await visit(port, { ...options, clientStaple: stapler })).outcome, "welcome");
    t.deepEqual(statuses(sockets[0]), ["good", "none"]);

    await slow.stop();
    const errors: StapleError[] = [];
    const down = new Stapler({ timeout: 500 }).on("stapleError", (error) => errors.push(error));
    t.teardown(() => down.close());
    const lax = await serving(t, asked, own);
    t.is((await visit(lax.port, { ...options, clientStaple: down })).outcome, "welcome");
    t.deepEqual(statuses(lax.sockets[0]), ["none", "none"]);
    t.deepEqual(Buffer.from(errors[0].certificate), leaf.der);
  },
);

test.serial("a Stapler that says revoked", async (t) => {
  const all: Link[] = [];
  const responder = await honest(
    t,
    () => all,
    () => ({ status: "revoked" }),
  );
  const own = makePki();
  const leaf = makeLeaf(own.ca, [responder.url], purpose.clientAuth);
  all.push(leaf);
  const stapler = new Stapler();
  t.teardown(() => stapler.close());
  const { port, refusals } = await serving(t, asked, own);
  const options = { cert: [leaf.der, own.ca.der], key: keyOf(leaf), ca: own.root.der, clientStaple: stapler };
  const { outcome } = await visit(port, options);
  t.is((outcome as unknown as { alert: { number: number } }).alert.number, 44);
  t.deepEqual(refusals, ["OCSP_CERT_REVOKED"]);
});

// ---- Under other people's code

test("https.request over our Agent staples", async (t) => {
  const server = createServer({
    cert: pki.chain,
    key: keyOf(pki.leaf),
    requestCert: true,
    ca: pki.root.der,
    stapler: "off",
    ocsp: leafPolicy,
  });
  server.on("secureConnection", (socket) =>
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),
  );
  const port = await listen(t, server);
  const agent = new Agent({ ca: pki.root.der, ...identity, clientStaple: good });
  t.teardown(() => agent.destroy());
  const request = get({ host: "127.0.0.1", port, servername: "localhost", agent });
  const [response] = await once(request, "response");
  t.is(response.statusCode, 200);
  response.resume();
});
