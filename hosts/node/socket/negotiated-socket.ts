import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, PeerCertificate } from "node:tls";
import type { Path, TlsClient, TrustAnchor } from "../../../src/client/index.js";
import type { TlsServer } from "../../../src/server/index.js";
import {
  cipherSuite,
  contentType,
  handshakeType,
  namedGroup,
  nameOf,
  version,
} from "../../../src/wire/index.js";
import { argumentError, coded, unsupportedMember } from "../common/errors.js";
import type { Root } from "../common/read.js";
import { detailed, PeerCertificates, parsed } from "./peer.js";
import { TransportSocket } from "./transport-socket.js";

/** What the cores of both sides have. */
export type Core = Pick<
  TlsClient,
  | "abort"
  | "alpn"
  | "cause"
  | "cipherIn"
  | "cipherOut"
  | "close"
  | "closedByPeer"
  | "eof"
  | "established"
  | "exportKeyingMaterial"
  | "fault"
  | "faultDetail"
  | "group"
  | "plainIn"
  | "plainOut"
  | "suite"
  | "verdicts"
  | "version"
  | "wants"
  | "wipe"
  | "work"
> &
  Pick<TlsServer, "openedApart" | "sealedApart"> &
  Partial<Pick<TlsServer, "approve" | "awaits">>;

const FINISHED = (contentType.handshake << 8) | handshakeType.finished;
/** HandshakeType and length, in front of each message. */
const HEADER = 4;

/** A TLS connection's stream, with what its handshake negotiated. */
export abstract class NegotiatedSocket<C extends Core> extends TransportSocket {
  protected abstract readonly core: C;
  protected abstract readonly roots: readonly Root[];
  protected readonly peer = new PeerCertificates();
  /** The certificate that this side showed, or could; DER. */
  protected abstract readonly ownCertificate: Uint8Array | undefined;
  private ownFinished: Uint8Array | undefined;
  private peerFinished: Uint8Array | undefined;
  /** Where the certificates of the path stand in the order sent, the peer's own first, and its trust anchor, once it is found. */
  private places: readonly number[] = [];
  private anchor: TrustAnchor | undefined;

  /** Takes the path when it is found, as the core keeps nothing of it beyond the handshake. */
  protected follow(path: Path): void {
    this.places = Array.from({ length: path.length }, (_, i) => path.index(i));
    this.anchor = path.anchor;
  }

  /** Whether the peer has shown a certificate that leads to one of our roots. */
  protected get rooted(): boolean {
    return this.anchor !== undefined;
  }

  /** The application protocol agreed on; false when there is none. */
  get alpnProtocol(): string | false {
    return this.core.alpn ?? false;
  }

  getProtocol(): "TLSv1.2" | "TLSv1.3" | null {
    if (this.core.version === 0) return null;
    return this.core.version === version.tls13 ? "TLSv1.3" : "TLSv1.2";
  }

  /** The cipher suite, by OpenSSL's name and by IANA's. */
  getCipher(): { name: string; standardName: string; version: string } | undefined {
    const standardName = nameOf(cipherSuite, this.core.suite);
    const version = this.getProtocol();
    if (standardName === undefined || version === null) return undefined;
    return { name: openSslName(standardName), standardName, version };
  }

  /** The group of the key exchange. */
  getEphemeralKeyInfo(): { type: "ECDH" | "TLSGroup"; name: string; size: number | undefined } | undefined {
    const name = nameOf(namedGroup, this.core.group);
    return name === undefined ? undefined : keyInfo[name as keyof typeof keyInfo];
  }

  /** The peer's certificate; with `detail` each has its issuer as `issuerCertificate`. */
  getPeerCertificate(detail: true): DetailedPeerCertificate | undefined;
  getPeerCertificate(detail?: boolean): PeerCertificate | undefined;
  getPeerCertificate(detail = false): PeerCertificate | undefined {
    const chain = this.getPeerChain();
    return chain.length > 0 ? detailed(detail ? chain : chain.slice(0, 1)) : undefined;
  }

  getPeerX509Certificate(): X509Certificate | undefined {
    return this.peer.leaf;
  }

  /** This side's own certificate, if it has one. */
  getX509Certificate(): X509Certificate | undefined {
    return this.ownCertificate && new X509Certificate(this.ownCertificate);
  }

  /** The same as an object. */
  getCertificate(): PeerCertificate | undefined {
    return this.getX509Certificate()?.toLegacyObject() as PeerCertificate | undefined;
  }

  /** The path that was found, from the peer's own certificate to the trusted root; else what the peer sent. */
  getPeerChain(): X509Certificate[] {
    return this.peerChain.flatMap(parsed);
  }

  /** The same in DER. */
  protected get peerChain(): Buffer[] {
    const root = this.roots.find(({ anchor }) => anchor === this.anchor);
    return this.peer.chain(this.places, root?.certificate);
  }

  /** The verify_data of the Finished that this side sent, once it has; for tls-unique in TLS 1.2 (RFC 5929). */
  getFinished(): Buffer | undefined {
    return this.ownFinished && Buffer.from(this.ownFinished);
  }

  /** The verify_data of the peer's Finished, once it has come. */
  getPeerFinished(): Buffer | undefined {
    return this.peerFinished && Buffer.from(this.peerFinished);
  }

  /** Sees the messages of the handshake. */
  protected recordFinished(sent: boolean, type: number, bytes: Uint8Array, start: number, end: number): void {
    if (type !== FINISHED) return;
    const verifyData = bytes.slice(start + HEADER, end);
    if (sent) this.ownFinished = verifyData;
    else this.peerFinished = verifyData;
  }

  /**
   * `length` bytes that both sides derive from the connection's secrets for this label and context (RFC 8446 7.5,
   * RFC 5705); in TLS 1.2 no context differs from an empty one.
   * @throws RangeError with `code` `ERR_TLSTAPLE_ARGUMENT` for what can't be, Error with `ERR_TLS_INVALID_STATE` before
   * the handshake is done, after the end, and in TLS 1.2 without extended_master_secret (RFC 7627 5.4)
   */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer {
    if (typeof label !== "string") throw argumentError("label: a string");
    if (context !== undefined && !(context instanceof Uint8Array)) throw argumentError("context: a Buffer");
    const exported = attempt(() => this.core.exportKeyingMaterial(length, label, context));
    if (exported) return Buffer.from(exported.buffer);
    throw coded(
      new Error("there is nothing to export from: no connection, or one without extended_master_secret"),
      "ERR_TLS_INVALID_STATE",
    );
  }

  // ---- Of node:tls's TLSSocket, but not here

  /** There is nothing to disable. */
  disableRenegotiation(): void {}

  /** Throws, as all below: with what to do instead. */
  renegotiate(..._: unknown[]): never {
    throw unsupportedMember("renegotiate", "open another connection");
  }

  enableTrace(): never {
    throw unsupportedMember("enableTrace", "give onMessage, or use `tlstaple client --trace`");
  }

  setMaxSendFragment(_size: number): never {
    throw unsupportedMember(
      "setMaxSendFragment",
      "the peer says what it takes; recordSizeLimit limits what comes",
    );
  }

  setKeyCert(_context: unknown): never {
    throw unsupportedMember("setKeyCert", "a server's SNICallback chooses, by the client's name");
  }

  getTLSTicket(): never {
    throw unsupportedMember("getTLSTicket", "getSession() gives the whole session, its ticket in it");
  }

  getSharedSigalgs(): never {
    throw unsupportedMember("getSharedSigalgs", "onMessage sees the ClientHello");
  }
}

function attempt<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw argumentError((error as Error).message);
  }
}

/** How OpenSSL calls the groups, and their bits. */
export const keyInfo = Object.freeze({
  x25519: Object.freeze({ type: "ECDH", name: "X25519", size: 253 }),
  secp256r1: Object.freeze({ type: "ECDH", name: "prime256v1", size: 256 }),
  secp384r1: Object.freeze({ type: "ECDH", name: "secp384r1", size: 384 }),
  secp521r1: Object.freeze({ type: "ECDH", name: "secp521r1", size: 521 }),
  x448: Object.freeze({ type: "ECDH", name: "X448", size: 448 }),
  x25519mlkem768: Object.freeze({ type: "TLSGroup", name: "X25519MLKEM768", size: undefined }),
});

/** TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 is ECDHE-RSA-AES128-GCM-SHA256 to OpenSSL; in TLS 1.3 the names agree. */
function openSslName(name: string): string {
  if (!name.includes("_WITH_")) return name;
  const short = name
    .replace("TLS_", "")
    .replace("WITH_", "")
    .replace(/AES_(\d+)/, "AES$1");
  return short.replace("POLY1305_SHA256", "POLY1305").replaceAll("_", "-");
}
