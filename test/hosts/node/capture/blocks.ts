/** Reads captures for tests, strictly: whatever a reader of PCAPNG, IP or TCP might stumble over throws. */

/** A block of PCAPNG, its body without type and lengths. */
export interface Block {
  readonly type: number;
  readonly body: Buffer;
}

/** A TCP segment in an IP packet. */
export interface Segment {
  readonly source: string;
  readonly destination: string;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly window: number;
  readonly payload: Buffer;
}

/** One that was captured. */
export interface Captured extends Segment {
  readonly microseconds: number;
  readonly sent: boolean;
}

export const SECTION = 0x0a0d0d0a;
export const PACKET = 6;
export const SECRETS = 10;

export function readBlocks(file: Buffer): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at + 4);
    demand(length % 4 === 0 && length >= 12 && at + length <= file.length, "a block of whole words");
    demand(file.readUInt32LE(at + length - 4) === length, "both lengths are the same");
    blocks.push({ type: file.readUInt32LE(at), body: file.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

/** Code and value of each option; they must end as options do. */
export function readOptions(bytes: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  let at = 0;
  for (let code = bytes.readUInt16LE(0); code !== 0; code = bytes.readUInt16LE(at)) {
    const length = bytes.readUInt16LE(at + 2);
    options.set(code, bytes.subarray(at + 4, at + 4 + length));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  demand(at + 4 === bytes.length && bytes.readUInt16LE(at + 2) === 0, "options end with their end");
  return options;
}

/** The lines in a Decryption Secrets Block. */
export function readSecrets({ body }: Block): string {
  demand(body.toString("latin1", 0, 4) === "KSLT", "TLS key log, little endian");
  return body.toString("latin1", 8, 8 + body.readUInt32LE(4));
}

export function readPacket({ body }: Block): Captured {
  demand(body.readUInt32LE(0) === 0, "the first interface");
  const length = body.readUInt32LE(12);
  demand(length === body.readUInt32LE(16), "whole packets");
  const flags = readOptions(body.subarray(20 + Math.ceil(length / 4) * 4)).get(2)!;
  const microseconds = body.readUInt32LE(4) * 2 ** 32 + body.readUInt32LE(8);
  return { microseconds, sent: flags.readUInt32LE(0) === 2, ...readIp(body.subarray(20, 20 + length)) };
}

export function readIp(packet: Buffer): Segment {
  return packet[0] >> 4 === 4 ? readIpv4(packet) : readIpv6(packet);
}

function readIpv4(packet: Buffer): Segment {
  demand(packet[0] === 0x45 && packet.readUInt16BE(2) === packet.length, "IPv4 header and length");
  demand(packet[9] === 6 && packet[8] > 0, "TCP, and hops to live");
  demand(onesComplement(packet.subarray(0, 20)) === 0xffff, "IPv4 checksum");
  const source = packet.subarray(12, 16);
  const destination = packet.subarray(16, 20);
  const pseudo = Buffer.concat([source, destination, Buffer.from([0, 6, 0, 0])]);
  pseudo.writeUInt16BE(packet.length - 20, 10);
  return readTcp(packet.subarray(20), pseudo, source.join("."), destination.join("."));
}

function readIpv6(packet: Buffer): Segment {
  demand(packet[0] === 0x60 && packet.readUInt16BE(4) === packet.length - 40, "IPv6 header and length");
  demand(packet[6] === 6 && packet[7] > 0, "TCP, and hops to live");
  const source = packet.subarray(8, 24);
  const destination = packet.subarray(24, 40);
  const pseudo = Buffer.concat([source, destination, Buffer.from([0, 0, 0, 0, 0, 0, 0, 6])]);
  pseudo.writeUInt32BE(packet.length - 40, 32);
  return readTcp(packet.subarray(40), pseudo, source.toString("hex"), destination.toString("hex"));
}

function readTcp(segment: Buffer, pseudo: Buffer, source: string, destination: string): Segment {
  demand(onesComplement(Buffer.concat([pseudo, segment])) === 0xffff, "TCP checksum");
  return {
    source: `${source} ${segment.readUInt16BE(0)}`,
    destination: `${destination} ${segment.readUInt16BE(2)}`,
    sequence: segment.readUInt32BE(4),
    acknowledgment: segment.readUInt32BE(8),
    flags: segment[13],
    window: segment.readUInt16BE(14),
    payload: segment.subarray((segment[12] >> 4) * 4),
  };
}

/** The sum, RFC 1071, of bytes with a right checksum among them: all ones. */
function onesComplement(bytes: Buffer): number {
  const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
  let sum = 0;
  for (let i = 0; i < even.length; i += 2) {
    sum += even.readUInt16BE(i);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

/** One side's end of a connection, as a receiver follows it. */
interface Follower {
  next: number;
  acknowledged: number;
  ended: boolean;
  readonly chunks: Buffer[];
}

/** What each side of a connection sent, by its address; the segments must be in order, whole and acknowledged. */
export function follow(segments: readonly Segment[]): Map<string, Buffer> {
  const sides = new Map<string, Follower>();
  for (const [i, segment] of segments.entries()) {
    if (i < 2) open(sides, segment, i === 0 ? SYN : SYN | ACK);
    if (i > 0) acknowledge(sides.get(segment.destination)!, segment);
    if (i > 1) receive(sides.get(segment.source)!, segment);
  }
  return new Map([...sides].map(([address, { chunks }]) => [address, Buffer.concat(chunks)]));
}

const [FIN, SYN, ACK] = [1, 2, 16];

function open(sides: Map<string, Follower>, { source, sequence, flags }: Segment, expected: number): void {
  demand(flags === expected, "the handshake of TCP");
  sides.set(source, { next: (sequence + 1) >>> 0, acknowledged: sequence, ended: false, chunks: [] });
}

function acknowledge(side: Follower, { acknowledgment, flags }: Segment): void {
  demand((flags & ACK) !== 0, "ACK is set in all but the first");
  demand(acknowledgment === side.next, "all that was sent is acknowledged, and no more");
  side.acknowledged = acknowledgment;
}

function receive(side: Follower, { sequence, payload, flags, window }: Segment): void {
  demand(sequence === side.next, "segments follow each other");
  demand(!side.ended || payload.length === 0, "nothing after FIN");
  side.next = (side.next + payload.length + (flags & FIN)) >>> 0;
  side.ended ||= (flags & FIN) !== 0;
  side.chunks.push(payload);
  demand((side.next - side.acknowledged) >>> 0 <= window, "the window is kept");
}

function demand(condition: boolean, rule: string): void {
  if (!condition) throw new Error(`a bad capture: ${rule}`);
}
