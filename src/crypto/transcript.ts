import { handshakeType } from "../wire/registry.js";
import { writeAscii } from "../wire/writer.js";
import type { Hash, HashAlgorithm, Provider, Signature, Verification } from "./provider.js";
import { hashSize } from "./suites.js";

/** What covers the handshake's messages themselves, and not their hash. */
type Companion = Signature | Verification;

/** The random that makes a ServerHello a HelloRetryRequest: SHA-256 of "HelloRetryRequest" (RFC 8446 4.1.3). */
export const retryRandom =
  "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91" +
  "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

/**
 * The running hash of all handshake messages (RFC 8446 4.4.1, RFC 5246 7.4.9). Until the ServerHello names
 * the suite nobody knows which hash, so both run. In TLS 1.2 a client certificate's key signs the messages
 * themselves, so with a client its signature runs along, with a server its verification, one for each scheme that
 * the other side may turn out to want.
 */
export class Transcript {
  private sha256: Hash | undefined;
  private sha384: Hash | undefined;
  /** That of the suite; until it is known, the one that is asked for. */
  algorithm: HashAlgorithm = "sha256";
  /** Bytes of the next message that it has already: those of a ClientHello before the binders. */
  prehashed = 0;
  /** In the order of the schemes of whoever began them; most handshakes have none, for want of a client certificate. */
  companions: readonly Companion[] | undefined;

  constructor(provider: Provider) {
    this.sha256 = provider.hash("sha256");
    this.sha384 = provider.hash("sha384");
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    const from = start + this.prehashed;
    this.prehashed = 0;
    this.sha256?.update(bytes, from, end);
    this.sha384?.update(bytes, from, end);
    const { companions } = this;
    if (companions) for (let i = 0; i < companions.length; i++) companions[i].update(bytes, from, end);
  }

  /** No client certificate will be proved by what runs along. */
  dropCompanions(): void {
    this.companions = undefined;
  }

  /** The suite is known: only its hash goes on. */
  choose(algorithm: HashAlgorithm): void {
    this.algorithm = algorithm;
    if (algorithm === "sha256") this.sha384 = undefined;
    else this.sha256 = undefined;
  }

  get size(): number {
    return hashSize[this.algorithm];
  }

  /** Writes Transcript-Hash of everything so far. */
  digest(out: Uint8Array, at: number): void {
    (this.algorithm === "sha256" ? this.sha256 : this.sha384)!.digest(out, at);
  }

  /** What a CertificateVerify signs, RFC 8446 4.4.3: 64 spaces, the context, a zero and the transcript's hash. */
  signedContent(context: string): Uint8Array {
    const content = new Uint8Array(64 + context.length + 1 + this.size);
    content.fill(0x20, 0, 64);
    this.digest(content, writeAscii(context, content, 64) + 1);
    return content;
  }

  /** After a HelloRetryRequest, ClientHello1 counts as `message_hash` (RFC 8446 4.4.1). */
  restart(provider: Provider): void {
    const { size } = this;
    const message = new Uint8Array(4 + size);
    message[0] = handshakeType.message_hash;
    message[3] = size;
    this.digest(message, 4);
    const hash = provider.hash(this.algorithm);
    if (this.algorithm === "sha256") this.sha256 = hash;
    else this.sha384 = hash;
    hash.update(message, 0, message.length);
  }
}
