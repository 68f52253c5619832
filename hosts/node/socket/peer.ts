import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate } from "node:tls";
import { contentType, handshakeType, Reader } from "../../../src/wire/index.js";
import { ownCopy } from "../common/copy.js";

/** Certificates that are kept: as many as a core keeps at most, whatever it was told. */
const MOST = 16;

const CERTIFICATE = (contentType.handshake << 8) | handshakeType.certificate;

/** The certificates that the server sends, kept as they pass: the core itself forgets their bytes. */
export class PeerCertificates {
  private readonly sent: Buffer[] = [];
  private listSeen = false;

  /** Takes a part of the handshake. A Certificate message comes in parts: first the list's length, then its entries. */
  record(sent: boolean, type: number, bytes: Uint8Array, start: number, end: number): void {
    if (sent || type !== CERTIFICATE) return;
    if (this.listSeen && this.sent.length < MOST) this.sent.push(certificateOf(bytes, start, end));
    this.listSeen = true;
  }

  /** Takes what was sent when the session began that is resumed. */
  restore(chain: readonly Buffer[]): void {
    this.sent.push(...chain);
  }

  /** The peer's own. */
  get leaf(): X509Certificate | undefined {
    return this.sent.slice(0, 1).flatMap(parsed)[0];
  }

  /** DER of those at these places in the order sent, up to the root; of all that were sent, where there are no places. */
  chain(places: readonly number[], root: X509Certificate | undefined): Buffer[] {
    const found = places.length > 0 ? places.map((place) => this.sent[place]) : this.sent;
    const chain = found.filter((der) => der !== undefined);
    if (root && !chain.at(-1)?.equals(root.raw)) chain.push(root.raw);
    return chain;
  }
}

/**
 * CertificateEntry, RFC 8446 4.4.2, and ASN.1Cert, RFC 5246 7.4.2, begin alike: a length of 3 bytes, and the certificate.
 * A copy of it alone: what follows in the entry may be much longer.
 */
function certificateOf(bytes: Uint8Array, start: number, end: number): Buffer {
  const r = new Reader(bytes, start, end);
  r.enter24();
  return ownCopy(bytes.subarray(r.at, r.end));
}

/** None for what Node can't parse. */
export function parsed(der: Buffer): X509Certificate[] {
  try {
    return [new X509Certificate(der)];
  } catch {
    return [];
  }
}

/** What `getPeerCertificate(true)` of node:tls returns: each certificate with its issuer, the root with itself. */
export function detailed(chain: readonly X509Certificate[]): DetailedPeerCertificate {
  const objects = chain.map((certificate) => certificate.toLegacyObject() as DetailedPeerCertificate);
  for (let i = 0; i + 1 < objects.length; i++) objects[i].issuerCertificate = objects[i + 1];
  const last = objects.length - 1;
  if (chain[last].checkIssued(chain[last])) objects[last].issuerCertificate = objects[last];
  return objects[0];
}
