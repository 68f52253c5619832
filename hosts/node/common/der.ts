/** DER that is written by hand, where there is much of it. */

/** An element, X.690 8.1: its identifier octet, and its contents. */
export function element(identifier: number, ...contents: readonly Uint8Array[]): Buffer {
  const size = contents.reduce((sum, each) => sum + each.length, 0);
  return Buffer.concat([Buffer.from([identifier, ...lengthOctets(size)]), ...contents]);
}

function lengthOctets(size: number): number[] {
  if (size < 0x80) return [size];
  const octets: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
}
