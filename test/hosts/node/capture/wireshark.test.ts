import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TlsOptions } from "node:tls";
import { promisify } from "node:util";
import type { ExecutionContext } from "ava";
import { credential, fixture } from "../../../../certs/fixtures.js";
import { Capture, type Flow } from "../../../../hosts/node/capture/pcapng.js";
import type { ConnectOptions } from "../../../../hosts/node/index.js";
import { extensionType, handshakeType, version } from "../../../../src/wire/registry.js";
import { concat } from "../../../peers/bytes.js";
import { servers } from "../../../peers/identity.js";
import { openssl } from "../../../peers/openssl.js";
import { tool } from "../../../peers/process.js";
import { servePuppet } from "../../../peers/serve.js";
import { withPeer } from "../../../peers/with-peer.js";
import { rootOf, serveTls, stapled } from "../servers.js";
import { type Conversed, capturedSession, scratchFile } from "./captured.js";

const run = withPeer("tshark");

/** What Wireshark says about a capture, with its own defaults; checksums verified, which they don't. */
async function tshark(file: string, ...args: string[]): Promise<string> {
  const verify = ["ip", "tcp"].flatMap((protocol) => ["-o", `${protocol}.check_checksum:TRUE`]);
  const { stdout } = await promisify(execFile)(tool("tshark"), ["-r", file, ...verify, ...args], {
    env: { ...process.env, XDG_CONFIG_HOME: dirname(file), HOME: dirname(file) },
    timeout: 30_000,
  });
  return stdout;
}

const names = [
  "tcp.len",
  "tls.handshake.type",
  "tls.handshake.extension.type",
  "ocsp.reqCert_element",
  "ocsp.responseStatus",
  "ocsp.certStatus",
  "http.request.uri",
  "http.response.code",
] as const;

type Fields = Record<(typeof names)[number], string[]>;

/** The values of those fields in each packet. */
async function dissect(file: string): Promise<Fields[]> {
  const printed = await tshark(file, "-T", "fields", ...names.flatMap((name) => ["-e", name]));
  const lines = printed.split("\n").slice(0, -1);
  return lines.map((line) => {
    const columns = line.split("\t").map((column) => (column === "" ? [] : column.split(",")));
    return Object.fromEntries(names.map((name, i) => [name, columns[i]])) as Fields;
  });
}

/** The values of a field in all packets, or in those with that handshake message. */
function valuesOf(packets: readonly Fields[], name: keyof Fields, message?: number): string[] {
  const has = (packet: Fields) => packet["tls.handshake.type"].includes(`${message}`);
  return packets.filter((packet) => message === undefined || has(packet)).flatMap((packet) => packet[name]);
}

const complaints = [
  "_ws.malformed",
  "tcp.analysis.flags",
  "_ws.expert.severity >= 0x600000",
  "ip.checksum.status != 1",
  "tcp.checksum.status != 1",
].join(" || ");

/** Nothing is odd about a capture. */
async function noComplaints(t: ExecutionContext, file: string): Promise<void> {
  t.is(await tshark(file, "-Y", complaints), "");
}

const local = { address: "127.0.0.1", port: 49152 };
const remote = { address: "127.0.0.1", port: 11111 };

/** The same connection from its other end. */
function mirrored(flow: Flow): Conversed {
  return {
    cipher: (sent, bytes) => flow.cipher(!sent, bytes),
    secret: (line) => flow.secret(line),
    end: (sent) => flow.end(!sent),
    close: () => flow.close(),
  };
}

const page = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nwelcome\n";

/** Captures a request and its answer, as our client saw it and as a server of ours would have. */
async function exchange(
  t: ExecutionContext,
  options: ConnectOptions,
  server: TlsOptions = {},
): Promise<string[]> {
  const identity = await stapled("p256", "server1");
  const port = await serveTls(t, identity, (peer) => peer.once("data", () => peer.end(page)), server);
  const files = [scratchFile(t), scratchFile(t)];
  const captures = files.map((file) => new Capture(file));
  const flow = captures[0].open({ local, remote, client: true });
  const other = mirrored(captures[1].open({ local: remote, remote: local, client: false }));
  const settings = { servername: "localhost", ca: rootOf("p256") };
  const socket = capturedSession(port, { ...settings, ...options }, flow, other);
  socket.resume().end("GET /staple HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(socket, "close");
  for (const capture of captures) capture.close();
  return files;
}

const { client_hello, certificate_status, certificate, finished, encrypted_extensions } = handshakeType;

for (const only of ["TLSv1.2", "TLSv1.3"] as const) {
  run(`${only}: opens decrypted, with the staple`, async (t) => {
    for (const file of await exchange(t, { minVersion: only, maxVersion: only })) {
      await noComplaints(t, file);
      const packets = await dissect(file);
      const messages = valuesOf(packets, "tls.handshake.type").map(Number);
      t.is(messages.filter((type) => type === finished).length, 2);
      t.is(messages.includes(certificate_status), only === "TLSv1.2");
      t.is(messages.includes(encrypted_extensions), only === "TLSv1.3");
      const offered = valuesOf(packets, "tls.handshake.extension.type", client_hello);
      t.true(offered.includes(`${extensionType.status_request}`));
      const stapled = only === "TLSv1.2" ? certificate_status : certificate;
      t.deepEqual(valuesOf(packets, "ocsp.responseStatus", stapled), ["0"]);
      t.deepEqual(valuesOf(packets, "ocsp.certStatus", stapled), ["0"]);
      t.deepEqual(valuesOf(packets, "http.request.uri"), ["/staple"]);
      t.deepEqual(valuesOf(packets, "http.response.code"), ["200"]);
      t.regex(await tshark(file, "-q", "-z", "follow,tls,ascii,0"), /GET \/staple HTTP[\s\S]*welcome/);
    }
  });
}

run("TLS 1.3 with a HelloRetryRequest opens decrypted too", async (t) => {
  for (const file of await exchange(t, { minVersion: "TLSv1.3" }, { ecdhCurve: "P-384" })) {
    await noComplaints(t, file);
    const packets = await dissect(file);
    t.is(packets.filter((packet) => packet["tls.handshake.type"].includes(`${client_hello}`)).length, 2);
    t.deepEqual(valuesOf(packets, "http.response.code"), ["200"]);
  }
});

run("status_request_v2: the extension, and three staples in one message", async (t) => {
  const names = ["server1", "intermediate1", "root"];
  const staples = names.map((name) => fixture(`good/p256/${name}-ocsp.der`));
  const server = await servePuppet({ ...servers.p256, version: version.tls12, staples });
  t.teardown(() => server.close());
  const file = scratchFile(t);
  const capture = new Capture(file);
  const flow = capture.open({ local, remote, client: true });
  const settings = { servername: "localhost", ca: rootOf("p256"), maxVersion: "TLSv1.2" } as const;
  const socket = capturedSession(server.port, { ...settings, ocsp: { stapling: "v2-multi" } }, flow);
  await once(socket, "secureConnect");
  socket.end("GET /staple HTTP/1.1\r\n\r\n").resume();
  await once(socket, "close");
  capture.close();
  await noComplaints(t, file);
  const packets = await dissect(file);
  const offered = valuesOf(packets, "tls.handshake.extension.type", client_hello);
  t.true(offered.includes(`${extensionType.status_request_v2}`));
  t.deepEqual(valuesOf(packets, "ocsp.responseStatus", certificate_status), ["0", "0", "0"]);
  t.deepEqual(valuesOf(packets, "ocsp.certStatus", certificate_status), ["0", "0", "0"]);
  t.deepEqual(valuesOf(packets, "http.request.uri"), ["/staple"]);
});

/** A TLS record that needs no handshake around it: HelloRequest. */
const record = Buffer.from("160303000400000000", "hex");

run("a server's OCSP request, in between, as plain HTTP", async (t) => {
  const file = scratchFile(t);
  const capture = new Capture(file);
  const tls = capture.open({ local: remote, remote: local, client: false });
  tls.cipher(false, record);
  const responder = { address: "127.0.0.1", port: 22221 };
  const http = capture.open({ local: { ...remote, port: 50000 }, remote: responder, client: true });
  const request = await ocspRequest();
  http.cipher(true, body("POST / HTTP/1.0", "application/ocsp-request", request));
  http.cipher(
    false,
    body("HTTP/1.0 200 OK", "application/ocsp-response", fixture("good/p256/server1-ocsp.der")),
  );
  http.close();
  tls.cipher(true, record);
  tls.close();
  capture.close();
  await noComplaints(t, file);
  const packets = await dissect(file);
  t.is(valuesOf(packets, "ocsp.reqCert_element").length, 1);
  t.deepEqual(valuesOf(packets, "ocsp.certStatus"), ["0"]);
  const rows = await tshark(
    file,
    "-Y",
    "tls || ocsp",
    "-T",
    "fields",
    "-e",
    "tcp.dstport",
    "-e",
    "_ws.col.Protocol",
  );
  t.deepEqual(rows.trim().split("\n"), ["11111\tTLSv1.2", "22221\tOCSP", "50000\tOCSP", "49152\tTLSv1.2"]);
});

function body(start: string, type: string, der: Buffer): Buffer {
  const head = `${start}\r\nContent-Type: ${type}\r\nContent-Length: ${der.length}\r\n\r\n`;
  return concat(Buffer.from(head), der);
}

async function ocspRequest(): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), "tlstaple-"));
  const [issuer, subject] = ["intermediate1", "server1"].map(
    (name) => credential("p256", name).certificateFile,
  );
  await openssl("ocsp", "-issuer", issuer, "-cert", subject, "-reqout", join(directory, "request.der"));
  const request = await readFile(join(directory, "request.der"));
  await rm(directory, { recursive: true });
  return request;
}

run("much data, both ways at once, over IPv6 and to the end of the sequence numbers", async (t) => {
  const file = scratchFile(t);
  const capture = new Capture(file);
  const flow = capture.open({
    local: { ...local, address: "2001:db8::1" },
    remote: { ...remote, address: "2001:db8::2" },
    client: true,
  });
  const chunk = randomBytes(100_000);
  for (let i = 0; i < 20; i++) flow.cipher(i % 3 === 0, chunk);
  flow.close(true);
  capture.close();
  t.is(await tshark(file, "-Y", "tcp.analysis.flags || _ws.malformed || tcp.checksum.status != 1"), "");
  const lengths = valuesOf(await dissect(file), "tcp.len");
  t.is(
    lengths.reduce((sum, length) => sum + Number(length), 0),
    20 * chunk.length,
  );
});
