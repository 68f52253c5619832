/** The event `stapleError`: when nothing is stapled, somebody can see why. */
import { once } from "node:events";
import { createServer as createHttp } from "node:http";
import { createServer as createTcp } from "node:net";
import test, { type ExecutionContext } from "ava";
import { pem } from "../../../../certs/certificate.js";
import {
  connect,
  createServer,
  type ServerOptions,
  type StapleCode,
  StapleError,
  Stapler,
  type StaplerOptions,
} from "../../../../hosts/node/index.js";
import { listen } from "../servers.js";
import { honest, type Link, makePki, type Pki, respond, send, serve, until } from "./responders.js";
import { scripted as scriptedFor } from "./scripted-stapler.js";

const url = "http://ocsp.invalid";
const pki = makePki({ urls: [url] });
const { chain, leaf, delegate } = pki;

/** What a Stapler, or a server, tells from now on. */
function heard(from: { on(event: "stapleError", listener: (error: StapleError) => void): unknown }) {
  const errors: StapleError[] = [];
  from.on("stapleError", (error) => errors.push(error));
  return errors;
}

const ticks = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** Its codes, by certificate of the chain. */
const told = (errors: readonly StapleError[], of: readonly Uint8Array[] = chain) =>
  errors.map(
    ({ code, certificate }) => `${of.findIndex((der) => Buffer.compare(der, certificate) === 0)} ${code}`,
  );

function scripted(options?: StaplerOptions) {
  const made = scriptedFor(pki, options);
  return { ...made, errors: heard(made.stapler) };
}

// Why

const causes: [
  string,
  StapleCode,
  (t: ExecutionContext) => Promise<[StaplerOptions, Pki]> | [StaplerOptions, Pki],
][] = [
  ["no URL in the certificate", "ERR_TLSTAPLE_OCSP_URL", () => [{}, makePki()]],
  ["nobody listens", "ERR_TLSTAPLE_OCSP_NETWORK", async (t) => [{ overrideUrl: await deaf(t) }, pki]],
  ["HTTP 500", "ERR_TLSTAPLE_OCSP_STATUS", async (t) => [{ overrideUrl: await failing(t, 500) }, pki]],
  [
    "no answer",
    "ERR_TLSTAPLE_OCSP_TIMEOUT",
    async (t) => [{ overrideUrl: await silent(t), timeout: 50 }, pki],
  ],
  [
    "a signer who may not",
    "OCSP_RESPONDER",
    () => [{ fetch: async () => respond(leaf, { signer: delegate }) }, pki],
  ],
  [
    "a response that has ended",
    "OCSP_EXPIRED",
    () => [{ fetch: async () => respond(leaf, { thisUpdate: 1e9 }) }, pki],
  ],
  ["unknown", "OCSP_CERT_UNKNOWN", () => [{ fetch: async () => respond(leaf, { status: "unknown" }) }, pki]],
];

async function failing(t: ExecutionContext, status: number): Promise<string> {
  return (await serve(t, (response) => response.writeHead(status).end())).url;
}

async function silent(t: ExecutionContext): Promise<string> {
  return (await serve(t, () => undefined)).url;
}

async function deaf(t: ExecutionContext): Promise<string> {
  return `http://127.0.0.1:${await listen(
    t,
    createTcp((socket) => socket.destroy()),
  )}`;
}

for (const [what, code, make] of causes)
  test(`${what}: ${code}, once`, async (t) => {
    const [options, { chain, leaf }] = await make(t);
    const stapler = new Stapler(options);
    t.teardown(() => stapler.close());
    const errors = heard(stapler);
    for (let i = 0; i < 3; i++) t.is((await stapler.staples(chain, 1)).staples[0], undefined);
    await ticks();
    t.deepEqual(told(errors, chain), [`0 ${code}`]);
    const [error] = errors;
    t.true(error instanceof Error && error instanceof StapleError);
    t.is(error.name, "StapleError");
    t.deepEqual(Buffer.from(error.certificate), leaf.der);
    t.regex(
      error.message,
      new RegExp(`\\(.*CN=leaf \\d+, serial ${leaf.serial.subarray(2).toString("hex").toUpperCase()}\\)$`),
    );
    t.is(error.until, undefined);
    if (options.overrideUrl) t.is(error.url, options.overrideUrl);
  });

test("no issuer: of the last certificate, where the root is missing; a root that names no responder is no fault", async (t) => {
  const { stapler, errors } = scripted();
  await stapler.staples(chain, 3);
  await ticks();
  t.deepEqual(errors, []);
  await stapler.staples(chain.slice(0, 2), 2);
  await stapler.staples(chain.slice(0, 2), 2);
  await stapler.staples([leaf.der], 1);
  await ticks();
  t.deepEqual(told(errors), ["1 ERR_TLSTAPLE_STAPLE_ISSUER", "0 ERR_TLSTAPLE_STAPLE_ISSUER"]);
});

test("a certificate of its own that names no responder, and what is none", async (t) => {
  const { stapler, errors } = scripted();
  const [, , root] = makePki().chain;
  await stapler.staples([root], 1);
  await stapler.staples([Buffer.from("no certificate")], 1);
  await ticks();
  t.deepEqual(
    errors.map(({ code }) => code),
    ["ERR_TLSTAPLE_OCSP_URL", "CERT_MALFORMED"],
  );
  t.deepEqual(Buffer.from(errors[1].certificate), Buffer.from("no certificate"));
});

test("still waiting: the handshake goes on without, and the next one has it", async (t) => {
  let release = () => {};
  const responder = await serve(t, (response) => {
    release = () => send(response, respond(slow.leaf));
  });
  const slow = makePki({ urls: [responder.url] });
  const stapler = new Stapler({ wait: 20, timeout: 20_000 });
  t.teardown(() => stapler.close());
  const errors = heard(stapler);
  for (let i = 0; i < 3; i++) await stapler.staples(slow.chain, 1);
  await ticks();
  t.deepEqual(told(errors, slow.chain), ["0 ERR_TLSTAPLE_STAPLE_WAITING"]);
  await until(() => responder.requests.length === 1);
  release();
  await until(() => stapler.ready(slow.chain, 1)?.staples[0] !== undefined);
  t.is(errors.length, 1);
});

test("told when it changes, when the old response ends, and again after it was good", async (t) => {
  const { clock, errors, one, rest, script } = scripted();
  script.says = () => undefined;
  await one();
  script.says = () => Buffer.from("nonsense");
  const retry = async () => {
    clock.now += 300;
    await one();
    await rest();
  };
  await retry();
  await retry();
  t.deepEqual(told(errors), ["0 ERR_TLSTAPLE_OCSP_NETWORK", "0 OCSP_MALFORMED"]);

  script.says = (link) => respond(link, { thisUpdate: clock.now });
  await retry();
  const end = clock.now + 3540;
  t.truthy(await one());
  t.is(errors.length, 2);

  script.says = () => undefined;
  clock.now += 3000;
  await retry();
  t.truthy(await one(), "the refresh failed");
  t.is(errors[2].until, end);
  t.regex(errors[2].message, /lasts until 20\d\d-\S+Z$/);
  clock.now = end;
  t.is(await one(), undefined, "now nothing is stapled");
  await rest();
  t.is(errors.length, 4);
  t.is(errors[3].until, undefined);
  t.is(errors[3].code, "ERR_TLSTAPLE_OCSP_NETWORK");
});

test("the same reason is told again after a good response", async (t) => {
  const { clock, errors, one, rest, script } = scripted();
  const honest = script.says;
  for (const says of [() => undefined, honest, () => undefined]) {
    script.says = says;
    clock.now += 9000;
    await one();
    await rest();
  }
  t.deepEqual(told(errors), Array(2).fill("0 ERR_TLSTAPLE_OCSP_NETWORK"));
});

test("closed", async (t) => {
  const { stapler, errors, one } = scripted();
  await one();
  stapler.close();
  for (let i = 0; i < 3; i++) t.is(await one(), undefined);
  await ticks();
  t.deepEqual(told(errors), ["0 ERR_TLSTAPLE_STAPLE_CLOSED"]);
});

// At a server

/** Connects, and takes what staple comes. */
async function visit(port: number, { root }: Pki): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca: root.der });
  socket.on("error", () => undefined);
  await once(socket, "secureConnect");
  socket.destroy();
  return socket.ocsp[0].status;
}

async function serveOurs(t: ExecutionContext, { leaf, ca }: Pki, options: ServerOptions = {}) {
  const server = createServer({
    cert: pem(leaf.der, ca.der),
    key: leaf.key.pem,
    stapleChain: false,
    ...options,
  });
  server.on("secureConnection", (socket) => socket.on("error", () => undefined));
  return { server, port: await listen(t, server) };
}

test("createServer tells, and its Stapler can be reached", async (t) => {
  const http = createHttp((_request, response) => response.writeHead(503).end());
  const own = makePki({ urls: [`http://127.0.0.1:${await listen(t, http)}`] });
  const { server, port } = await serveOurs(t, own);
  const errors = heard(server);
  t.true(server.stapler instanceof Stapler);
  for (let i = 0; i < 3; i++) t.is(await visit(port, own), "none");
  t.deepEqual(told(errors, own.chain), ["0 ERR_TLSTAPLE_OCSP_STATUS"]);
  t.is(server.stapler!.counters.failures, 1);
});

test("nobody listens: no harm", async (t) => {
  const own = makePki();
  const { port } = await serveOurs(t, own);
  t.is(await visit(port, own), "none");
  t.is(await visit(port, own), "none");
});

test("a Stapler that servers share tells each, but none that is closed", async (t) => {
  const { stapler } = scripted();
  const silentPki = makePki();
  const servers = await Promise.all([1, 2].map(() => serveOurs(t, silentPki, { stapler })));
  const errors = servers.map(({ server }) => heard(server));
  t.is(await visit(servers[0].port, silentPki), "none");
  t.deepEqual(
    errors.map((each) => told(each, silentPki.chain)),
    Array(2).fill(["0 ERR_TLSTAPLE_OCSP_URL"]),
  );
  const [{ server }] = servers;
  t.is(server.stapler, stapler);
  t.is(stapler.listenerCount("stapleError"), 3);
  server.close();
  await once(server, "close");
  t.is(stapler.listenerCount("stapleError"), 2);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.is(stapler.listenerCount("stapleError"), 3, "it listens again");
  t.is((await serveOurs(t, silentPki, { stapler: "off" })).server.stapler, undefined);
});

test("a source of one's own that fails", async (t) => {
  let problem = "the database is away";
  const source = { ready: () => undefined, staples: () => Promise.reject(new Error(problem)) };
  const { server, port } = await serveOurs(t, pki, { stapler: source });
  const errors = heard(server);
  for (let i = 0; i < 3; i++) t.is(await visit(port, pki), "none");
  problem = "its disk is full";
  t.is(await visit(port, pki), "none");
  t.deepEqual(told(errors), Array(2).fill("0 ERR_TLSTAPLE_STAPLE_SOURCE"));
  t.regex(errors[0].message, /the database is away/);
  t.regex(errors[1].message, /its disk is full/);
  t.is((errors[1].cause as Error).message, problem);
});

test("a good responder: nothing is told", async (t) => {
  const links: Link[] = [];
  const responder = await honest(t, () => links);
  const own = makePki({ urls: [responder.url] });
  links.push(own.leaf, own.ca);
  const { server, port } = await serveOurs(t, own);
  const errors = heard(server);
  t.is(await visit(port, own), "good");
  t.deepEqual(errors, []);
});
