/** How a connection that begins in clear comes to TLS, protocol by protocol. */

import { type AddressInfo, connect, isIPv6, type Socket } from "node:net";
import { readSequence, split } from "./ber.js";
import { Dialogue, starttlsError } from "./dialogue.js";

/** Has the server begin TLS; throws where it does not. `local` is our own address. */
type Begin = (dialogue: Dialogue, local: string) => Promise<void>;

interface Protocol {
  /** Where its servers usually are. */
  readonly port: number;
  readonly begin: Begin;
}

const protocols = {
  smtp: { port: 25, begin: smtp },
  imap: { port: 143, begin: imap },
  pop3: { port: 110, begin: pop3 },
  ldap: { port: 389, begin: ldap },
  postgres: { port: 5432, begin: postgres },
  mysql: { port: 3306, begin: mysql },
} satisfies Record<string, Protocol>;

export type StarttlsProtocol = keyof typeof protocols;

export const starttlsProtocols: readonly StarttlsProtocol[] = Object.freeze(
  Object.keys(protocols) as StarttlsProtocol[],
);

export const usualPort = (protocol: StarttlsProtocol): number => protocols[protocol].port;

/**
 * A TCP connection on which the server speaks TLS from its next byte on, for the option `socket` of `connect`.
 * Rejects with the system's error, an AbortError, or one with code ERR_TLSTAPLE_STARTTLS: the server does not speak
 * the protocol, refuses, or says more in clear than it may.
 */
export async function connectStarttls(
  protocol: StarttlsProtocol,
  host: string,
  port: number,
  signal?: AbortSignal,
): Promise<Socket> {
  const socket = connect({ host, port, signal, noDelay: true, allowHalfOpen: true });
  const dialogue = new Dialogue(socket);
  // Whatever it says once nobody listens any more
  socket.on("error", () => undefined);
  try {
    await dialogue.connected();
    await protocols[protocol].begin(dialogue, (socket.address() as AddressInfo).address);
    dialogue.finish();
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

// ---- Lines

/** Refuses a line that does not begin so. */
function expect(line: string, start: string): void {
  if (!line.startsWith(start))
    throw starttlsError(`${start} was expected, the server says`, Buffer.from(line));
}

/** A reply of one code, RFC 5321 4.2.1, in the lines of which all but the last have a hyphen behind the code. */
async function reply(dialogue: Dialogue, code: string): Promise<string[]> {
  const lines: string[] = [];
  do {
    lines.push(await dialogue.line());
    expect(lines[lines.length - 1], code);
  } while (lines[lines.length - 1][3] === "-");
  return lines.map((line) => line.slice(4).trim().toUpperCase());
}

/** RFC 3207. We are no host of a name that anybody should know, and say our address (RFC 5321 4.1.3). */
async function smtp(dialogue: Dialogue, local: string): Promise<void> {
  await reply(dialogue, "220");
  dialogue.say(`EHLO [${isIPv6(local) ? "IPv6:" : ""}${local}]\r\n`);
  if (!(await reply(dialogue, "250")).includes("STARTTLS"))
    throw starttlsError("the server does not offer it");
  dialogue.say("STARTTLS\r\n");
  await reply(dialogue, "220");
}

/** RFC 9051 6.2.1. Who is greeted with PREAUTH (7.1.4) may not use it, and would speak on in clear. */
async function imap(dialogue: Dialogue): Promise<void> {
  expect((await dialogue.line()).toUpperCase(), "* OK");
  dialogue.say("a STARTTLS\r\n");
  let line = await dialogue.line();
  while (line.startsWith("* ") && !/^\* BYE/i.test(line)) line = await dialogue.line();
  expect(line.toUpperCase(), "A OK");
}

/** RFC 2595 section 4. */
async function pop3(dialogue: Dialogue): Promise<void> {
  expect(await dialogue.line(), "+OK");
  dialogue.say("STLS\r\n");
  expect(await dialogue.line(), "+OK");
}

// ---- Octets

/** ExtendedRequest with the name 1.3.6.1.4.1.1466.20037, RFC 4511 4.14.1, as message 1. */
const startTls = Buffer.from("301d02010177188016312e332e362e312e342e312e313436362e3230303337", "hex");
const EXTENDED_RESPONSE = 0x78;
const ENUMERATED = 0x0a;

/** RFC 4511 4.14: an ExtendedResponse whose resultCode is success. */
async function ldap(dialogue: Dialogue): Promise<void> {
  dialogue.say(startTls);
  const [id, response] = await readSequence(dialogue);
  const result =
    response?.tag === EXTENDED_RESPONSE && id.content.equals(Buffer.of(1)) && split(response.content)[0];
  if (!result || result.tag !== ENUMERATED) throw starttlsError("the answer is no LDAP message");
  if (!result.content.equals(Buffer.of(0)))
    throw starttlsError(`the server refuses, resultCode ${result.content[0]}`);
}

/** SSLRequest of PostgreSQL's protocol 3.0: the length, and a version that there is not. */
const sslRequest = Buffer.from("0000000804d2162f", "hex");

/** One octet answers: S that TLS begins, N that it does not; an error begins with E. */
async function postgres(dialogue: Dialogue): Promise<void> {
  dialogue.say(sslRequest);
  const answer = (await dialogue.bytes(1)).toString("latin1");
  if (answer === "N") throw starttlsError("the server has TLS switched off");
  expect(answer, "S");
}

const capability = Object.freeze({ protocol41: 0x200, ssl: 0x800, secureConnection: 0x8000 });
/** What a packet's payload begins with: Protocol::HandshakeV10, and an error. */
const HANDSHAKE_V10 = 10;
const ERR = 0xff;
const MAX_GREETING = 4096;

/** MySQL's Protocol::SSLRequest, as the answer to the server's greeting; TLS begins without a word of the server's. */
async function mysql(dialogue: Dialogue): Promise<void> {
  const header = await dialogue.bytes(4);
  const length = header.readUIntLE(0, 3);
  if (length > MAX_GREETING) throw starttlsError("the server does not speak MySQL's protocol", header);
  const greeting = await dialogue.bytes(length);
  if (greeting[0] === ERR) throw starttlsError("the server refuses", greeting.subarray(3));
  const version = greeting.indexOf(0, 1);
  if (greeting[0] !== HANDSHAKE_V10 || version < 0 || greeting.length < version + 16)
    throw starttlsError("the server does not speak MySQL's protocol", greeting);
  // The thread's id, eight bytes of a challenge and a filler stand before the lower half of the capabilities
  if (!(greeting.readUInt16LE(version + 14) & capability.ssl))
    throw starttlsError("the server does not offer it");
  dialogue.say(sslRequestOf(header[3] + 1));
}

function sslRequestOf(sequence: number): Buffer {
  const request = Buffer.alloc(4 + 32);
  request.writeUIntLE(32, 0, 3);
  request[3] = sequence;
  request.writeUInt32LE(capability.protocol41 | capability.ssl | capability.secureConnection, 4);
  request.writeUInt32LE(1 << 24, 8);
  request[12] = 45; // utf8mb4_general_ci
  return request;
}
