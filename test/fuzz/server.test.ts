import type { KeyObject } from "node:crypto";
import test from "ava";
import type { Issued } from "../../certs/certificate.js";
import { extendedKeyUsage, purpose } from "../../certs/extensions.js";
import { credential, NOW } from "../../certs/fixtures.js";
import { certId, ocspResponse, singleResponse } from "../../certs/response.js";
import { provider } from "../../hosts/node/provider.js";
import { faults, trustAnchor, version } from "../../src/client/index.js";
import { type ServerOptions, TlsServer } from "../../src/server/index.js";
import { extensionType as ext, namedGroup } from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { concat, u16, u24 } from "../peers/bytes.js";
import { identity } from "../peers/identity.js";
import { certificateStatus, type Extension, extension } from "../peers/messages.js";
import { intermediate, server as issued, root } from "../pki/kit.js";
import { selection, staples } from "../server/pair.js";
import { type Resumption, Scripted, type Settings } from "../server/scripted.js";
import { mutate } from "./mutate.js";
import { Random, thorough, times } from "./random.js";
import { determined, type Recording, words } from "./recording.js";
import { anyBoundary, anyMutation, everyByte, everyCut } from "./replay.js";

/** Attacks on our server: what clients sent, changed on the way or by the clients themselves. */

const trust = [trustAnchor(credential("client", "ca").chain[0]), trustAnchor(root.der)];

/** What a client shows of itself. */
interface Own {
  readonly chain: Buffer[];
  readonly key: KeyObject;
  readonly staples: Buffer[];
}

const plain: Own = { ...identity("client", "p256"), staples: [] };
const forClients = { purposes: extendedKeyUsage(purpose.clientAuth) };
const leaf = issued(intermediate, { subject: "client", extensions: forClients });
const response = (signer: Issued, { serial }: Issued) =>
  ocspResponse({ signer, responses: [singleResponse({ certId: certId(signer, serial) })] });
const stapled: Own = {
  chain: [leaf.der, intermediate.der],
  key: leaf.key.secret,
  staples: [response(intermediate, leaf), response(root, intermediate)],
};
const asking: Partial<ServerOptions> = {
  clientAuth: "require",
  trust,
  ocsp: { stapling: "v1", policy: "chain" },
};
const defaults: ServerOptions = {
  provider: determined(),
  // Ed25519 signs the same in the same way, so that a server that is played the same bytes does the same
  select: () => selection("ed25519"),
  clock: () => NOW,
  ticketKeys: [{ name: Buffer.alloc(16, 1), key: Buffer.alloc(32, 2) }],
  buffers: { input: 8192 },
};

/** The rest of a client's handshake, with its certificate if it is asked for one. */
function complete(client: Scripted, own: Own | undefined): Scripted {
  const over = () => client.server.fault !== undefined;
  const steps = [
    () => own && client.send(client.certificate(own.chain, (i) => stapleOf(own, i))),
    () => client.version === version.tls12 && !client.resumed && client.send(client.keyExchange()),
    () => client.version === version.tls12 && !client.resumed && client.deriveMaster(),
    () => own && client.send(client.certificateVerify(own.key, 0x0403)),
    () => client.version === version.tls12 && client.changeCipherSpec(),
    () => client.finish(),
  ];
  for (const step of steps) if (!over()) step();
  return client;
}

function stapleOf({ staples }: Own, index: number): Extension[] {
  const staple = staples[index];
  return staple ? [extension(ext.status_request, certificateStatus(staple))] : [];
}

function record(options: Partial<ServerOptions>, settings: Settings, own?: Own): Recording {
  const all = { ...defaults, ...options };
  const client = new Scripted(new TlsServer(all), settings).hello();
  if (client.retried) client.hello();
  complete(client, own);
  if (!client.server.established) throw new Error(`${named(client.server.fault)}`);
  client.record(23, Buffer.from(words)).record(21, Buffer.from([1, 0]));
  return { bytes: concat(...client.sent), data: Buffer.from(words), subject: () => new TlsServer(all) };
}

function ticketOf(settings: Settings): Resumption {
  const client = new Scripted(new TlsServer(defaults), settings).hello().complete();
  return client.ticket!;
}

const noShare: Settings["edit"] = (hello, retried) =>
  retried
    ? hello
    : {
        ...hello,
        extensions: hello.extensions.map((each) =>
          each.type === ext.key_share ? extension(each.type, u16(0)) : each,
        ),
      };

for (const [name, protocol] of Object.entries(version)) {
  const settings: Settings = { version: protocol, serverName: "a.test", sessionId: Buffer.alloc(32, 3) };
  const recordings: Record<string, () => Recording> = {
    full: () => record({}, settings),
    "client certificate": () => record({ clientAuth: "require", trust }, settings, plain),
    resumed: () => record({}, { ...settings, resume: ticketOf(settings) }),
  };
  if (protocol === version.tls13)
    recordings["client certificate with staples"] = () => record(asking, settings, stapled);
  if (protocol === version.tls13)
    recordings.retried = () =>
      record(
        { groups: [namedGroup.secp256r1] },
        { ...settings, groups: [namedGroup.secp256r1], edit: noShare },
      );

  for (const [what, make] of Object.entries(recordings)) {
    test(`${name}, ${what}: any pieces`, (t) => anyBoundary(t, make()));
    test(`${name}, ${what}: every byte changed`, (t) => everyByte(t, make(), protocol));
    test(`${name}, ${what}: every cut`, (t) => everyCut(t, make()));
    test(`${name}, ${what}: any mutation`, (t) => anyMutation(t, make(), protocol, 400));
  }

  test(`${name}: messages changed by the client itself`, (t) => {
    const random = new Random(t);
    const seen: Record<string, number> = {};
    const tickets = [undefined, ticketOf(settings), ticketOf(settings)];
    for (let i = 0; i < times(600); i++) {
      const required = random.below(2) === 0;
      const server = new TlsServer(options(random, required));
      let countdown = random.below(6);
      const client = new Scripted(server, {
        ...settings,
        resume: random.pick(tickets),
        extra: random.below(2) ? offers : [],
        edit: random.below(4) ? undefined : noShare,
        mutate: (message) => (countdown-- === 0 ? change(message, random) : message),
      });
      hear(client, required ? random.pick([plain, stapled]) : undefined);
      const { fault, cause, established } = server;
      if (fault === faults.INTERNAL_ERROR) throw cause;
      const outcome = named(fault) ?? (established ? "success" : "waiting");
      seen[outcome] = (seen[outcome] ?? 0) + 1;
    }
    t.log(JSON.stringify(seen));
    t.true(!thorough || Object.keys(seen).length > 10);
  });
}

const offers = [
  extension(ext.status_request, Buffer.from([1, 0, 0, 0, 0])),
  extension(ext.status_request_v2, Buffer.from([0, 7, 2, 0, 4, 0, 0, 0, 0])),
  extension(ext.application_layer_protocol_negotiation, Buffer.from([0, 3, 2, 0x68, 0x32])),
  extension(ext.record_size_limit, u16(500)),
  extension(ext.ec_point_formats, Buffer.from([1, 0])),
];

function options(random: Random, required: boolean): ServerOptions {
  return {
    ...defaults,
    provider,
    select: () => ({ ...selection("p256"), staples: staples("p256") }),
    clientAuth: required ? "require" : "none",
    trust,
    alpn: random.below(2) ? ["h2"] : [],
    buffers: { input: random.pick([1024, 2000, 20000, 20000]), store: random.pick([512, 2000, 8192]) },
    ocsp: { stapling: random.pick(["off", "v1"]) },
  };
}

/** A handshake message with its body changed, its length fitting; now and then its header changed too. */
function change(message: Buffer, random: Random): Buffer {
  if (random.below(6) === 0) return mutate(message, random);
  const body = mutate(message.subarray(4), random);
  return concat(message.subarray(0, 1), u24(body.length), body);
}

/** A client that changed what keys are made of can't read the server, and what it says of that is no finding. */
function hear(client: Scripted, own: Own | undefined): void {
  try {
    client.hello();
    if (client.retried && !client.server.fault) client.hello();
    if (!client.server.fault && client.server.hello) complete(client, client.resumed ? undefined : own);
    if (client.server.established) client.record(23, Buffer.from("hello"));
  } catch (error) {
    if (/never at rest/.test(String(error))) throw error;
  }
}
