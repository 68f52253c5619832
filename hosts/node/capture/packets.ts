/** TCP over IP as a capture shows it: packets made up around the bytes that a connection carries. */

import { parseIp } from "../../../src/pki/index.js";

/** One end of a connection; the address is IPv4 or IPv6, with or without a zone. */
export interface Endpoint {
  /** 127.0.0.1 where there is none, as on a Unix socket. */
  readonly address?: string;
  /** 0 where there is none. */
  readonly port?: number;
}

/** What fits in a packet of 65,535 bytes after the headers of IPv6 and TCP. */
export const MAX_SEGMENT = 65535 - 40 - 20;
/** Bytes that a side sends before the other must have acknowledged some; without the option of RFC 7323. */
const WINDOW = 65535;

const IPPROTO_TCP = 6;
const HOPS = 64;

/** Control bits, RFC 9293 3.1. */
const control = Object.freeze({ FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 });

/** Maximum Segment Size Option, RFC 9293 3.7.1. */
const mssOption = Buffer.from([2, 4, MAX_SEGMENT >> 8, MAX_SEGMENT & 0xff]);

/** One packet, from its IP header on. */
export interface Packet {
  readonly fromClient: boolean;
  readonly bytes: Buffer;
}

/** A side's place in the connection. Sequence numbers count modulo 2^32. */
class Side {
  readonly ip: Uint8Array;
  readonly port: number;
  /** The sequence number of what is sent next, and up to where the other side has acknowledged. */
  next: number;
  acknowledged: number;
  ended = false;

  constructor(ip: Uint8Array, port: number, sequence: number) {
    this.ip = ip;
    this.port = port;
    this.next = this.acknowledged = sequence >>> 0;
  }

  get inFlight(): number {
    return (this.next - this.acknowledged) >>> 0;
  }
}

/**
 * A TCP connection in IP packets: each method returns those that its event would have made. A side acknowledges
 * with what it sends, and by itself only when the window is full or the connection ends.
 */
export class Conversation {
  private readonly client: Side;
  private readonly server: Side;
  private identification = 1;

  /** `sequence` is where the client's sequence numbers begin; the server's begin half way round. */
  constructor(client: Endpoint, server: Endpoint, sequence: number) {
    const [clientIp, serverIp] = sameFamily(addressOf(client), addressOf(server));
    this.client = new Side(clientIp, client.port ?? 0, sequence);
    this.server = new Side(serverIp, server.port ?? 0, sequence + 2 ** 31);
  }

  /** The three-way handshake, RFC 9293 3.5. */
  open(): Packet[] {
    return [
      this.segment(this.client, control.SYN),
      this.segment(this.server, control.SYN | control.ACK),
      this.segment(this.client, control.ACK),
    ];
  }

  /** Bytes that a side sends; none where it has ended. */
  data(fromClient: boolean, bytes: Uint8Array): Packet[] {
    const from = fromClient ? this.client : this.server;
    const packets: Packet[] = [];
    if (from.ended) return packets;
    for (let at = 0; at < bytes.length; at += MAX_SEGMENT) {
      const part = bytes.subarray(at, at + MAX_SEGMENT);
      if (from.inFlight + part.length >= WINDOW) packets.push(this.segment(this.other(from), control.ACK));
      packets.push(this.segment(from, control.PSH | control.ACK, part));
    }
    return packets;
  }

  /** A side sends no more, RFC 9293 3.6; the second FIN is acknowledged. None where it had ended before. */
  end(fromClient: boolean): Packet[] {
    const from = fromClient ? this.client : this.server;
    if (from.ended) return [];
    const packets = [this.segment(from, control.FIN | control.ACK)];
    from.ended = true;
    if (this.other(from).ended) packets.push(this.segment(this.other(from), control.ACK));
    return packets;
  }

  /** A side drops the connection, RFC 9293 3.5.2. */
  reset(fromClient: boolean): Packet[] {
    const packet = this.segment(fromClient ? this.client : this.server, control.RST | control.ACK);
    this.client.ended = this.server.ended = true;
    return [packet];
  }

  private other(side: Side): Side {
    return side === this.client ? this.server : this.client;
  }

  private segment(from: Side, flags: number, payload: Uint8Array = noBytes): Packet {
    const to = this.other(from);
    const segment = tcpSegment(from, to, flags, payload);
    const counted = flags & (control.SYN | control.FIN) ? 1 : 0;
    from.next = (from.next + payload.length + counted) >>> 0;
    if (flags & control.ACK) to.acknowledged = to.next;
    const header =
      from.ip.length === 4
        ? ipv4Header(from, to, segment.length, this.identification++)
        : ipv6Header(from, to, segment.length);
    return { fromClient: from === this.client, bytes: Buffer.concat([header, segment]) };
  }
}

const noBytes = new Uint8Array(0);

/** RFC 9293 3.1. */
function tcpSegment(from: Side, to: Side, flags: number, payload: Uint8Array): Buffer {
  const options = flags & control.SYN ? mssOption : noBytes;
  const header = Buffer.alloc(20);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt32BE(from.next, 4);
  header.writeUInt32BE(flags & control.ACK ? to.next : 0, 8);
  header[12] = ((header.length + options.length) / 4) << 4;
  header[13] = flags;
  header.writeUInt16BE(WINDOW, 14);
  const segment = Buffer.concat([header, options, payload]);
  segment.writeUInt16BE(checksum(segment, pseudoHeader(from, to, segment.length)), 16);
  return segment;
}

/** The sum of a pseudo-header's words, RFC 9293 3.1 and RFC 8200 8.1: zeros apart, the same in both. */
function pseudoHeader(from: Side, to: Side, length: number): number {
  return sumOfWords(from.ip) + sumOfWords(to.ip) + IPPROTO_TCP + length;
}

/** RFC 791 3.1; with DF, as nothing is fragmented. */
function ipv4Header(from: Side, to: Side, length: number, identification: number): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(header.length + length, 2);
  header.writeUInt16BE(identification & 0xffff, 4);
  header.writeUInt16BE(0x4000, 6);
  header[8] = HOPS;
  header[9] = IPPROTO_TCP;
  header.set(from.ip, 12);
  header.set(to.ip, 16);
  header.writeUInt16BE(checksum(header), 10);
  return header;
}

/** RFC 8200 section 3. */
function ipv6Header(from: Side, to: Side, length: number): Buffer {
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(length, 4);
  header[6] = IPPROTO_TCP;
  header[7] = HOPS;
  header.set(from.ip, 8);
  header.set(to.ip, 24);
  return header;
}

/** The Internet checksum, RFC 1071, begun with a sum of words. */
function checksum(bytes: Uint8Array, begun = 0): number {
  let sum = begun + sumOfWords(bytes);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function sumOfWords(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  return bytes.length % 2 === 1 ? sum + (bytes[bytes.length - 1] << 8) : sum;
}

// ---- Addresses

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
/** ::ffff:0:0/96, RFC 4291 2.5.5.2. */
const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

/** The address in octets; one that is IPv4 within IPv6 is IPv4. */
function addressOf({ address = "" }: Endpoint): Uint8Array {
  const ip = parseIp(address.replace(/%.*$/, "")) ?? LOOPBACK;
  return MAPPED.every((octet, i) => ip[i] === octet) ? ip.subarray(MAPPED.length) : ip;
}

/** Both addresses as they can stand in one packet. */
function sameFamily(a: Uint8Array, b: Uint8Array): [Uint8Array, Uint8Array] {
  return a.length === b.length ? [a, b] : [toIpv6(a), toIpv6(b)];
}

function toIpv6(ip: Uint8Array): Uint8Array {
  return ip.length === 16 ? ip : Uint8Array.of(...MAPPED, ...ip);
}
