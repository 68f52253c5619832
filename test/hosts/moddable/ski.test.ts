import test, { type ExecutionContext } from "ava";
import { octets } from "../../../certs/der.js";
import { extension } from "../../../certs/extensions.js";
import { RamCache } from "../../../hosts/moddable/cache.js";
import type { Platform } from "../../../hosts/moddable/platform.js";
import { Registered } from "../../../hosts/moddable/registered.js";
import { CaIndex, caIndex } from "../../../hosts/moddable/ski.js";
import { isFault } from "../../../src/wire/fault.js";
import { servers } from "../../peers/identity.js";
import { TicketServer } from "../../peers/ticket-server.js";
import { authority, host, keys, server } from "../../pki/kit.js";
import { App, type Setup } from "./app.js";
import { FakeTimers } from "./fake.js";
import { platform, root, staple } from "./peer.js";

/** CAs by the SDK's index of them, `ca.ski`. */

/** The subjectKeyIdentifier of the good root. */
const ROOT = Buffer.from("69faa9f902202537dae23e981007f4f472217106", "hex");
const COUNT = 238;
const filler = (number: number) => new Uint8Array(20).fill(number + 1);

type Resources = Readonly<Record<string, Uint8Array>>;

/** An index in which these numbers have these key ids. */
function index(entries: Readonly<Record<number, Uint8Array>>, count = COUNT): Uint8Array {
  const ids = Array.from({ length: count }, (_, i) => entries[i] ?? filler(i));
  return Buffer.concat(ids);
}

/** A platform with these resources, that writes down which of them are read. */
function device(resources: Resources, read: string[] = []): Partial<Platform> {
  const resource = (name: string) => {
    if (name in resources) read.push(name);
    return resources[name];
  };
  const anchors = (first: number) =>
    Array.from({ length: 256 - first }, (_, i) => resource(`ca${first + i}.der`)).filter(
      (ca) => ca !== undefined,
    );
  return { caIndex, resource, anchors };
}

const open = (resources: Resources, { platform, ...setup }: Setup = {}, read?: string[]) =>
  new App({ ...setup, platform: { ...device(resources, read), ...platform } }).open();

const other = authority("other", undefined, { key: keys.other }).der;

/** More CAs than are all read, and how many resources are looked at to know that: the index and these. */
const others = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`ca${20 + i}.der`, other]));
const COUNTED = 10;

const openMany = (resources: Resources, setup?: Setup, read?: string[]) =>
  open({ ...others, ...resources }, setup, read);

test("of many CAs only the one is read that the chain asks for", (t) => {
  const many = Object.fromEntries(Array.from({ length: COUNT }, (_, i) => [`ca${i}.der`, other]));
  for (const number of [0, 170, COUNT - 1]) {
    const read: string[] = [];
    const resources = { ...many, [`ca${number}.der`]: root, "ca.ski": index({ [number]: ROOT }) };
    const secure = { ocsp: { policy: "leaf" } } as const;
    const app = openMany(resources, { secure, script: { staples: [staple] } }, read);
    t.deepEqual(app.news(), ["writable"]);
    t.deepEqual(read.slice(COUNTED), [`ca${number}.der`]);
  }
});

test("without the module, or without the index, all are read", (t) => {
  const cas = { "ca3.der": other, "ca170.der": root };
  for (const [resources, platform] of [
    [cas, {}],
    [{ ...cas, "ca.ski": index({ 170: ROOT }) }, { caIndex: undefined }],
  ] as const) {
    const read: string[] = [];
    t.deepEqual(open(resources, { platform }, read).news(), ["writable"]);
    t.deepEqual(read, ["ca3.der", "ca170.der"]);
  }
});

test("a few CAs are all read, whatever the index says of them", (t) => {
  const few = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`ca${i + 1}.der`, other]));
  const own = { ...few, "ca0.der": root, "ca.ski": index({}) };
  t.deepEqual(open(own).news(), ["writable"]);
  t.deepEqual(open({ ...own, "ca8.der": other }).news(), unknown);
});

const unknown = ["error CERT_UNKNOWN_ISSUER"];

test("what the index has not, or the application has not, is not trusted", (t) => {
  t.deepEqual(openMany({ "ca.ski": index({ 170: ROOT }) }).news(), unknown);
  t.deepEqual(openMany({ "ca.ski": index({}), "ca170.der": root }).news(), unknown);
  t.deepEqual(openMany({ "ca.ski": index({ 171: ROOT }), "ca170.der": root }).news(), unknown);
  t.deepEqual(openMany({ "ca.ski": new Uint8Array(19), "ca0.der": root }).news(), ["writable"]);
});

test("CAs with numbers behind the index are all trusted", (t) => {
  for (const number of [COUNT, 255]) {
    const read: string[] = [];
    const resources = { "ca.ski": index({}), "ca3.der": other, [`ca${number}.der`]: root };
    t.deepEqual(openMany(resources, {}, read).news(), ["writable"]);
    t.deepEqual(read.slice(COUNTED), [`ca${number}.der`]);
  }
});

test("the index is a hint: another CA under the key's id is not trusted", (t) => {
  t.deepEqual(openMany({ "ca.ski": index({ 5: ROOT }), "ca5.der": other }).news(), unknown);
  const impostor = authority("root", undefined, { key: keys.other }).der;
  t.deepEqual(openMany({ "ca.ski": index({ 5: ROOT }), "ca5.der": impostor }).news(), [
    "error CERT_SIGNATURE",
  ]);
  const both = { "ca.ski": index({ 5: ROOT, 9: ROOT }), "ca5.der": impostor, "ca9.der": root };
  t.deepEqual(openMany(both).news(), ["writable"]);
});

test("a CA that can't be read ends the handshake with its fault", (t) => {
  const cut = { "ca.ski": index({ 5: ROOT }), "ca5.der": root.slice(0, 99) };
  t.deepEqual(openMany(cut).news(), ["error CERT_MALFORMED"]);
});

test("CAs that a socket is given are the only ones, and without verification none is asked for", (t) => {
  for (const secure of [{ certificate: root }, { verify: false }, { certificate: root, verify: false }]) {
    const read: string[] = [];
    const resources = { "ca.ski": index({ 170: ROOT }), "ca170.der": root, "ca255.der": root };
    t.deepEqual(openMany(resources, { secure }, read).news(), ["writable"]);
    t.deepEqual(read, []);
  }
  const resources = { "ca.ski": index({ 170: ROOT }), "ca170.der": root };
  t.deepEqual(openMany(resources, { secure: { certificate: other } }).news(), unknown);
});

// ---- The id in the certificate

const ca = authority("indexed");
const keyId = (id: Uint8Array) => authorityKey(Buffer.concat([Buffer.of(0x80, id.length), id]));
const authorityKey = (contents: Uint8Array) =>
  extension("2.5.29.35", false, Buffer.concat([Buffer.of(0x30, contents.length), contents]));

/** Connects to a server whose certificate has this extension, with a CA under a key id. */
function meet(own: Buffer | undefined, id: Uint8Array): string[] {
  const { der } = server(ca, { extensions: { own } });
  const script = { chain: [der], key: keys.leaf.secret };
  const resources = { "ca.ski": index({ 7: id }), "ca7.der": ca.der };
  return openMany(resources, { host, script }).news();
}

test("a certificate that does not name its issuer's key finds no CA", (t) => {
  const id = ca.key.spki.subarray(-20);
  t.deepEqual(meet(keyId(id), id), ["writable"]);
  t.deepEqual(meet(undefined, id), unknown);
  t.deepEqual(meet(authorityKey(new Uint8Array()), new Uint8Array(20)), unknown);
  t.deepEqual(meet(keyId(new Uint8Array()), new Uint8Array(20)), unknown);
  t.deepEqual(meet(keyId(Buffer.concat([id, Buffer.of(0)])), id), unknown);
  // authorityCertIssuer and authorityCertSerialNumber alone, and behind the id
  const more = Buffer.from("a1028200820101", "hex");
  t.deepEqual(meet(authorityKey(more), id), unknown);
  t.deepEqual(meet(authorityKey(Buffer.concat([Buffer.of(0x80, 20), id, more])), id), ["writable"]);
});

test("a shorter id stands at the end of its entry", (t) => {
  const id = ca.key.spki.subarray(-8);
  const entry = Buffer.concat([new Uint8Array(12), id]);
  t.deepEqual(meet(keyId(id), entry), ["writable"]);
  t.deepEqual(meet(keyId(id), Buffer.concat([id, new Uint8Array(12)])), unknown);
});

test("an id that is malformed is the certificate's fault", (t) => {
  const id = new Uint8Array(20);
  t.deepEqual(meet(extension("2.5.29.35", false, octets(id)), id), ["error CERT_MALFORMED"]);
});

const indexOver = (over: Partial<Platform>) =>
  new CaIndex(index({ 5: ROOT }), { ...platform(new FakeTimers()), ...over });

test("each CA is found once, however many certificates ask for it", (t) => {
  const read: string[] = [];
  const found = indexOver(device({ "ca5.der": root }, read));
  const [, intermediate] = servers.p256.chain;
  for (let i = 0; i < 3; i++) found.find(intermediate, 0, intermediate.length);
  t.is(found.trust.length, 1);
  t.deepEqual(read, ["ca5.der"]);
});

test("whatever certificate comes, only faults are thrown", (t) => {
  const found = indexOver(device({ "ca5.der": root }));
  const [, intermediate] = servers.p256.chain;
  const bytes = Uint8Array.from(intermediate);
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [bytes[at] ^ 1, bytes[at] ^ 0x80, 0, 0xff]) {
      bytes[at] = value;
      attempt(() => found.find(bytes, 0, bytes.length));
    }
    bytes[at] = intermediate[at];
  }
  for (let n = 0; n < bytes.length; n++) attempt(() => found.find(bytes, 0, n));
  t.is(found.trust.length, 1);
});

/** Whatever it throws but a fault goes on. */
function attempt(run: () => void): void {
  try {
    run();
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown;
  }
}

// ---- Sessions

/** Connects, and closes in order; whether the session of before was resumed. */
function visit(t: ExecutionContext, cache: RamCache, resources: Resources): boolean {
  const peer = new TicketServer();
  const app = openMany(resources, { peer, platform: { cache } });
  t.deepEqual(app.news(), ["writable"], app.errors[0]?.message);
  const { resumed } = app.socket.session!;
  app.socket.close();
  app.wire.run();
  return resumed;
}

test("a session is resumed as long as its CA is there", (t) => {
  const cache = new RamCache();
  const indexed = { "ca.ski": index({ 170: ROOT }), "ca3.der": other, "ca170.der": root };
  t.false(visit(t, cache, indexed));
  t.true(visit(t, cache, indexed));
  t.true(visit(t, cache, { "ca170.der": root }));
  const moved = { "ca.ski": index({}), "ca3.der": other, "ca255.der": root };
  t.true(visit(t, cache, moved));
  const without = { "ca.ski": index({ 170: ROOT }), "ca170.der": other };
  const app = openMany(without, { peer: new TicketServer(), platform: { cache } });
  t.deepEqual(app.news(), unknown);
});

// ---- Registered ones

test("a CA that is registered is there once", (t) => {
  const registered = new Registered();
  t.deepEqual(registered.all, []);
  registered.add(root);
  registered.add(Uint8Array.from(root).buffer);
  registered.add(other);
  t.deepEqual(registered.all, [root, other]);
  t.throws(() => registered.add(7 as never), { instanceOf: TypeError });
  t.deepEqual(new Registered().all, []);
});

test("what is registered is trusted beside what the index finds", (t) => {
  const anchors = () => [root];
  t.deepEqual(openMany({ "ca.ski": index({}) }, { platform: { anchors } }).news(), ["writable"]);
});
