import type { Duplex } from "node:stream";

/** As much of an MQTT 3.1.1 broker as one client needs that talks to itself with QoS 0: where mosquitto is not. */
export function broker(peer: Duplex): void {
  let input = Buffer.alloc(0);
  peer.on("error", () => peer.destroy());
  peer.on("data", (chunk: Buffer) => {
    input = Buffer.concat([input, chunk]);
    for (let size = packetSize(input); size <= input.length; size = packetSize(input)) {
      answer(peer, input.subarray(0, size));
      input = input.subarray(size);
    }
  });
}

/** Of the packet at the start, 2.2.3: its length is in groups of seven bits. */
function packetSize(input: Buffer): number {
  let length = 0;
  for (let i = 1; i < input.length; i++) {
    length += (input[i] & 127) * 128 ** (i - 1);
    if (input[i] < 128) return 1 + i + length;
  }
  return Number.POSITIVE_INFINITY;
}

function answer(peer: Duplex, packet: Buffer): void {
  const type = packet[0] >> 4;
  if (type === 1) peer.write(Buffer.of(0x20, 2, 0, 0));
  else if (type === 8) peer.write(Buffer.of(0x90, 3, packet[2], packet[3], 0));
  else if (type === 3) peer.write(packet);
  else if (type === 12) peer.write(Buffer.of(0xd0, 0));
  else if (type === 14) peer.end();
}
