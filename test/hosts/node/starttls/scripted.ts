/** Servers that begin in clear, in each protocol, as the RFCs have it and otherwise. */

import type { Socket } from "node:net";
import type { StarttlsProtocol } from "../../../../hosts/node/starttls/index.js";

/** What a server says, and what it waits for before the next. */
export interface Script {
  /** Said at once. */
  readonly greeting?: Buffer;
  /** For each thing that the client says, whole: how it must look, and the answer. */
  readonly turns: readonly { readonly hears: RegExp | Buffer; readonly says: Buffer }[];
}

const line = (...lines: string[]) => Buffer.from(lines.map((each) => `${each}\r\n`).join(""));
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

/** Protocol::HandshakeV10 of a server with these lower capabilities. */
export function mysqlGreeting(capabilities: number): Buffer {
  const lower = Buffer.alloc(2);
  lower.writeUInt16LE(capabilities);
  const version = Buffer.from("8.0.36\0");
  const rest = hex("ff810008 00000000 1500000000000000000000 0102030405060708090a0b0c00");
  const payload = Buffer.concat([
    hex("0a"),
    version,
    hex("01000000 4142434445464748 00"),
    lower,
    hex("2d 0200"),
    rest,
  ]);
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  return Buffer.concat([header, payload]);
}

const startTls = hex("301d 020101 7718 8016 312e332e362e312e342e312e313436362e3230303337");

export const good: Readonly<Record<StarttlsProtocol, Script>> = {
  smtp: {
    greeting: line("220-mail.example", "220 ESMTP"),
    turns: [
      {
        hears: /^EHLO \[127\.0\.0\.1\]\r\n$/,
        says: line("250-mail.example", "250-SIZE 1000", "250-StartTLS", "250 HELP"),
      },
      { hears: /^STARTTLS\r\n$/, says: line("220 ready") },
    ],
  },
  imap: {
    greeting: line("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready"),
    turns: [{ hears: /^a STARTTLS\r\n$/, says: line("* CAPABILITY IMAP4rev1", "a OK begin") }],
  },
  pop3: { greeting: line("+OK ready"), turns: [{ hears: /^STLS\r\n$/, says: line("+OK begin") }] },
  ldap: {
    // Active Directory writes lengths so
    turns: [{ hears: startTls, says: hex("3084 00000010 020101 7884 00000007 0a0100 0400 0400") }],
  },
  postgres: { turns: [{ hears: hex("00000008 04d2162f"), says: Buffer.from("S") }] },
  mysql: {
    greeting: mysqlGreeting(0xffff),
    turns: [{ hears: hex(`200000 01 008a0000 00000001 2d ${"00".repeat(23)}`), says: Buffer.alloc(0) }],
  },
};

/** Plays a script on a connection, in writes of at most so many bytes; resolves when it is over. */
export async function play(
  socket: Socket,
  { greeting, turns }: Script,
  most = Number.POSITIVE_INFINITY,
): Promise<void> {
  if (greeting) await say(socket, greeting, most);
  for (const { hears, says } of turns) {
    await hear(socket, hears);
    await say(socket, says, most);
  }
}

async function say(socket: Socket, bytes: Buffer, most: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += most) {
    socket.write(bytes.subarray(at, at + most));
    if (most < bytes.length) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Reads what the client should say, which it says in one write; behind octets TLS may have begun. */
function hear(socket: Socket, form: RegExp | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("data", (chunk: Buffer) => {
      socket.pause();
      const fits = form instanceof RegExp ? form.test(chunk.toString("latin1")) : chunk.indexOf(form) === 0;
      if (form instanceof Buffer) socket.unshift(chunk.subarray(form.length));
      if (fits) resolve();
      else reject(new Error(`heard ${JSON.stringify(chunk.toString("latin1"))}`));
    });
    socket.resume();
  });
}
