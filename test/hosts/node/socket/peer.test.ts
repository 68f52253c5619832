import test from "ava";
import { PeerCertificates } from "../../../../hosts/node/socket/peer.js";
import { contentType, handshakeType } from "../../../../src/wire/registry.js";
import { concat, u8, vec16, vec24 } from "../../../peers/bytes.js";
import { servers } from "../../../peers/identity.js";

const CERTIFICATE = (contentType.handshake << 8) | handshakeType.certificate;
const [leaf] = servers.p256.chain;

/** What was kept of a list of such entries. */
function kept(count: number, entry: Buffer): Buffer[] {
  const peer = new PeerCertificates();
  const take = (bytes: Buffer) => peer.record(false, CERTIFICATE, bytes, 0, bytes.length);
  take(Buffer.alloc(4));
  for (let i = 0; i < count; i++) take(entry);
  return (peer as unknown as { sent: Buffer[] }).sent;
}

test("of a list without end no more certificates are kept than a core keeps", (t) => {
  t.is(kept(5, vec24(leaf)).length, 5);
  t.is(kept(100_000, vec24(u8(0))).length, 16);
});

test("of an entry the certificate alone is kept, not what follows it", (t) => {
  const staple = vec16(Buffer.alloc(60_000));
  for (const certificate of kept(3, concat(vec24(leaf), staple))) {
    t.deepEqual(certificate, leaf);
    t.is(certificate.buffer.byteLength, leaf.length);
  }
});
