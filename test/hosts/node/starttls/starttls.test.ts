/** How connections that begin in clear come to TLS: with servers that do as the RFCs say, and with hostile ones. */

import { EventEmitter, once } from "node:events";
import { createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { credential } from "../../../../certs/fixtures.js";
import { run } from "../../../../hosts/node/commands/program.js";
import { connect } from "../../../../hosts/node/index.js";
import {
  connectStarttls,
  type StarttlsProtocol,
  starttlsProtocols,
  usualPort,
} from "../../../../hosts/node/starttls/index.js";
import { serveOurs } from "../ours.js";
import { listen, rootOf } from "../servers.js";
import { good, mysqlGreeting, play, type Script } from "./scripted.js";

/** A server that does this with each connection; its port. */
function serve(t: ExecutionContext, each: (socket: Socket) => unknown): Promise<number> {
  return listen(
    t,
    createServer(async (socket) => {
      try {
        await each(socket);
      } catch {
        socket.destroy();
      }
    }),
  );
}

/** One that plays a script, and then speaks TLS. */
async function serveScript(t: ExecutionContext, script: Script, most?: number): Promise<number> {
  const { server } = await serveOurs(t);
  return serve(t, async (socket) => {
    await play(socket, script, most);
    server.emit("connection", socket);
  });
}

/** The script with a last answer of this kind. */
function answering(protocol: StarttlsProtocol, says: Buffer): Script {
  const { greeting, turns } = good[protocol];
  return { greeting, turns: [...turns.slice(0, -1), { ...turns[turns.length - 1], says }] };
}

const soon = () => AbortSignal.timeout(20_000);

async function refusal(t: ExecutionContext, protocol: StarttlsProtocol, port: number, signal = soon()) {
  return (await t.throwsAsync(connectStarttls(protocol, "127.0.0.1", port, signal))) as Error & {
    code?: string;
  };
}

for (const protocol of starttlsProtocols) {
  const script = good[protocol];
  const last = script.turns[script.turns.length - 1].says;

  for (const most of [1, Number.POSITIVE_INFINITY])
    test(`${protocol}: TLS begins, answers ${most === 1 ? "byte by byte" : "at once"}`, async (t) => {
      const port = await serveScript(t, script, most);
      const transport = await connectStarttls(protocol, "127.0.0.1", port, soon());
      const socket = connect({ socket: transport, servername: "localhost", ca: rootOf("p256") });
      await once(socket, "secureConnect");
      t.true(socket.authorized);
      socket.destroy();
    });

  test(`${protocol}: check`, async (t) => {
    const port = await serveScript(t, script);
    const out: string[] = [];
    const root = credential("p256", "root").certificateFile;
    const args = [`localhost:${port}`, "--starttls", protocol, "-A", root, "--no-lookup"];
    const code = await run(["check", ...args], { write: (text) => out.push(String(text)) }, process.stderr);
    t.is(code, 0, out.join(""));
    t.regex(out.join(""), /^127\.0\.0\.1: 3 certificates/m);
  });

  test(`${protocol}: bytes in clear with the last answer are refused`, async (t) => {
    const final = protocol === "mysql" ? script.greeting! : last;
    const injected = Buffer.concat([final, Buffer.from("evil\r\n")]);
    const whole = protocol === "mysql" ? { ...script, greeting: injected } : answering(protocol, injected);
    const port = await serveScript(t, whole);
    const { code, message } = await refusal(t, protocol, port);
    t.is(code, "ERR_TLSTAPLE_STARTTLS");
    t.regex(message, /says more in clear than it may: evil$/);
  });

  test(`${protocol}: bytes in clear behind the last answer are no TLS`, async (t) => {
    const played = new EventEmitter();
    const port = await serve(t, async (socket) => {
      await play(socket, script);
      played.emit("over", socket);
    });
    const over = once(played, "over");
    const transport = await connectStarttls(protocol, "127.0.0.1", port, soon());
    (await over)[0].write("* evil\r\n");
    const socket = connect({ socket: transport, servername: "localhost", rejectUnauthorized: false });
    const read: Buffer[] = [];
    socket.on("data", (chunk) => read.push(chunk));
    const [error] = await once(socket, "error");
    t.is(error.code, "UNKNOWN_RECORD_TYPE");
    t.deepEqual(read, []);
  });

  test(`${protocol}: a server that leaves, that is silent, that never ends`, async (t) => {
    const leaving = await serve(t, (socket) =>
      socket.end((script.greeting ?? Buffer.alloc(0)).subarray(0, 3)),
    );
    t.regex((await refusal(t, protocol, leaving)).message, /^STARTTLS: |ECONNRESET|EPIPE/);
    const silent = await serve(t, () => undefined);
    t.is((await refusal(t, protocol, silent, AbortSignal.timeout(50))).name, "AbortError");
    const endless = await serve(t, async (socket) => {
      while (!socket.destroyed) {
        socket.write("x".repeat(16384));
        await sleep(1);
      }
    });
    t.is((await refusal(t, protocol, endless)).code, "ERR_TLSTAPLE_STARTTLS");
  });

  test(`${protocol}: nobody there, and a signal that is aborted`, async (t) => {
    const gone = createServer();
    const port = await listen(t, gone);
    gone.close();
    t.is((await refusal(t, protocol, port)).code, "ECONNREFUSED");
    t.is((await refusal(t, protocol, port, AbortSignal.abort())).name, "AbortError");
  });
}

const text = (...lines: string[]) => Buffer.from(lines.map((each) => `${each}\r\n`).join(""));
const hex = (digits: string) => Buffer.from(digits.replaceAll(" ", ""), "hex");

const refusals: readonly [StarttlsProtocol, string, Script, RegExp][] = [
  [
    "smtp",
    "is busy",
    { ...good.smtp, greeting: text("554 no") },
    /^STARTTLS: 220 was expected, the server says: 554 no$/,
  ],
  [
    "smtp",
    "does not offer it",
    { greeting: text("220 x"), turns: [{ hears: /EHLO/, says: text("250-x", "250 XSTARTTLS") }] },
    /does not offer it$/,
  ],
  ["smtp", "refuses", answering("smtp", text("454 not now")), /: 454 not now$/],
  ["smtp", "says another code in the middle", { greeting: text("220-x", "250 y"), turns: [] }, /: 250 y$/],
  [
    "imap",
    "has us logged in (PREAUTH)",
    { ...good.imap, greeting: text("* PREAUTH hello") },
    /\* PREAUTH HELLO$/,
  ],
  ["imap", "is going away", { ...good.imap, greeting: text("* BYE") }, /: \* BYE$/],
  ["imap", "refuses", answering("imap", text("a NO")), /: A NO$/],
  ["imap", "says BYE for an answer", answering("imap", text("* BYE", "a OK")), /\* BYE$/],
  ["imap", "answers another command", answering("imap", text("b OK")), /: B OK$/],
  ["pop3", "is busy", { ...good.pop3, greeting: text("-ERR") }, /: -ERR$/],
  ["pop3", "refuses", answering("pop3", text("-ERR no")), /: -ERR no$/],
  ["ldap", "refuses", answering("ldap", hex("300c 020101 7807 0a0134 0400 0400")), /refuses, resultCode 52$/],
  [
    "ldap",
    "answers another message",
    answering("ldap", hex("300c 020102 7807 0a0100 0400 0400")),
    /no LDAP message$/,
  ],
  [
    "ldap",
    "answers another request",
    answering("ldap", hex("300c 020101 6107 0a0100 0400 0400")),
    /no LDAP message$/,
  ],
  [
    "ldap",
    "has a length beyond the end",
    answering("ldap", hex("300c 020101 7808 0a0100 0400 0400")),
    /no LDAP message$/,
  ],
  ["ldap", "has an indefinite length", answering("ldap", hex("3080 020101")), /no LDAP message$/],
  [
    "ldap",
    "has a length of five octets",
    answering("ldap", hex("3085 0000000c 02 0101 7807 0a0100 0400 0400")),
    /no LDAP message$/,
  ],
  ["ldap", "has a length of gigabytes", answering("ldap", hex("3084 7fffffff")), /no LDAP message$/],
  ["ldap", "says nothing", answering("ldap", hex("3000")), /no LDAP message$/],
  ["ldap", "has no result", answering("ldap", hex("3005 020101 7800")), /no LDAP message$/],
  ["ldap", "is none", answering("ldap", text("HTTP/1.1 400")), /LDAP message$/],
  ["postgres", "has it switched off", answering("postgres", Buffer.from("N")), /switched off$/],
  ["postgres", "fails", answering("postgres", Buffer.from("E")), /: E$/],
  ["mysql", "does not offer it", { greeting: mysqlGreeting(0xf7ff), turns: [] }, /does not offer it$/],
  [
    "mysql",
    "blocks us",
    { greeting: hex("0d0000 00 ff 6904 486f737420626c6f6b21"), turns: [] },
    /refuses: Host blok!$/,
  ],
  ["mysql", "is too short", { greeting: hex("030000 00 0a 3100"), turns: [] }, /does not speak MySQL/],
  [
    "mysql",
    "speaks an older protocol",
    { greeting: hex(`280000 00 09${"00ff".repeat(19)}00`), turns: [] },
    /does not speak MySQL/,
  ],
  [
    "mysql",
    "has a version without an end",
    { greeting: hex(`280000 00 0a${"ff".repeat(39)}`), turns: [] },
    /does not speak MySQL/,
  ],
  ["mysql", "is none", { greeting: text("220 mail.example ESMTP"), turns: [] }, /does not speak MySQL/],
];

for (const [protocol, title, script, message] of refusals)
  test(`${protocol}: a server that ${title}`, async (t) => {
    const error = await refusal(t, protocol, await serveScript(t, script));
    t.is(error.code, "ERR_TLSTAPLE_STARTTLS");
    t.regex(error.message, message);
  });

test("what a server says cannot steer a terminal", async (t) => {
  const port = await serveScript(t, { ...good.smtp, greeting: text("500 \u001b[2J") });
  t.regex((await refusal(t, "smtp", port)).message, /: 500 \\u001b\[2J$/);
});

test("the ports of IANA", (t) => {
  const ports = starttlsProtocols.map((each) => [each, usualPort(each)]);
  t.deepEqual(Object.fromEntries(ports), {
    smtp: 25,
    imap: 143,
    pop3: 110,
    ldap: 389,
    postgres: 5432,
    mysql: 3306,
  });
});
