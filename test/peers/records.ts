import { type CipherGCMTypes, createCipheriv, createDecipheriv } from "node:crypto";
import { contentType } from "../../src/wire/registry.js";
import { concat, none, u8, u16, u32 } from "./bytes.js";
import { expandLabel, type Suite } from "./schedule.js";

/** The record layer of both versions, RFC 8446 section 5 and RFC 5246 6.2: one object per direction and key. */

/** A record once opened; `padding` counts the zeros of TLS 1.3. */
export interface Plain {
  type: number;
  content: Buffer;
  padding: number;
}

/** What protects one direction. `open` throws when the record does not verify. */
export interface Protection {
  readonly encrypts: boolean;
  seal(type: number, content: Buffer, padding?: number): Buffer;
  open(record: Buffer): Plain;
}

export const headerLength = 5;
export const maxPlaintext = 2 ** 14;
const tagLength = 16;

export function header(type: number, length: number, version = 0x0303): Buffer {
  return concat(u8(type), u16(version), u16(length));
}

/** A record in the clear. */
export function plainRecord(type: number, content: Buffer, version = 0x0303): Buffer {
  return concat(header(type, content.length, version), content);
}

export const clear: Protection = {
  encrypts: false,
  seal: (type, content) => plainRecord(type, content),
  open: (record) => ({ type: record[0], content: record.subarray(headerLength), padding: 0 }),
};

/** TLS 1.3, RFC 8446 5.2: the type is inside, padding behind it. */
export class Protection13 implements Protection {
  readonly encrypts = true;
  private readonly suite: Suite;
  private readonly key: Buffer;
  private readonly iv: Buffer;
  private sequence = 0;

  constructor(suite: Suite, secret: Buffer) {
    this.suite = suite;
    this.key = expandLabel(suite.hash, secret, "key", none, suite.keyLength);
    this.iv = expandLabel(suite.hash, secret, "iv", none, 12);
  }

  seal(type: number, content: Buffer, padding = 0): Buffer {
    const inner = concat(content, u8(type), Buffer.alloc(padding));
    const aad = header(contentType.application_data, inner.length + tagLength);
    return concat(
      aad,
      encrypt(this.suite, this.key, xorNonce(this.iv, sequenceBytes(this.sequence++)), aad, inner),
    );
  }

  open(record: Buffer): Plain {
    const aad = record.subarray(0, headerLength);
    const sealed = record.subarray(headerLength);
    const inner = decrypt(
      this.suite,
      this.key,
      xorNonce(this.iv, sequenceBytes(this.sequence++)),
      aad,
      sealed,
    );
    let end = inner.length;
    while (end > 0 && inner[end - 1] === 0) end--;
    if (end === 0) throw new Error("a record without a content type");
    return { type: inner[end - 1], content: inner.subarray(0, end - 1), padding: inner.length - end };
  }
}

/** TLS 1.2 with an AEAD: GCM's explicit nonce (RFC 5288 section 3), or none for ChaCha20 (RFC 7905 section 2). */
export class Protection12 implements Protection {
  readonly encrypts = true;
  private readonly suite: Suite;
  private readonly key: Buffer;
  private readonly iv: Buffer;
  private sequence = 0;

  constructor(suite: Suite, key: Buffer, iv: Buffer) {
    this.suite = suite;
    this.key = key;
    this.iv = iv;
  }

  seal(type: number, content: Buffer): Buffer {
    const sequence = sequenceBytes(this.sequence++);
    const aad = concat(sequence, header(type, content.length));
    const sealed = encrypt(this.suite, this.key, this.nonce(sequence, sequence), aad, content);
    return plainRecord(type, concat(sequence.subarray(8 - this.explicitLength), sealed));
  }

  open(record: Buffer): Plain {
    const sequence = sequenceBytes(this.sequence++);
    const explicit = record.subarray(headerLength, headerLength + this.explicitLength);
    const sealed = record.subarray(headerLength + this.explicitLength);
    const aad = concat(sequence, header(record[0], sealed.length - tagLength));
    const content = decrypt(this.suite, this.key, this.nonce(sequence, explicit), aad, sealed);
    return { type: record[0], content, padding: 0 };
  }

  private get explicitLength(): number {
    return this.iv.length === 4 ? 8 : 0;
  }

  private nonce(sequence: Buffer, explicit: Buffer): Buffer {
    return this.explicitLength ? concat(this.iv, explicit) : xorNonce(this.iv, sequence);
  }
}

function sequenceBytes(sequence: number): Buffer {
  return concat(u32(Math.floor(sequence / 2 ** 32)), u32(sequence >>> 0));
}

/** The nonce of RFC 8446 5.3 and RFC 7905: the IV xor the sequence number. */
function xorNonce(iv: Buffer, sequence: Buffer): Buffer {
  const nonce = Buffer.from(iv);
  for (let i = 0; i < 8; i++) nonce[4 + i] ^= sequence[i];
  return nonce;
}

function encrypt(suite: Suite, key: Buffer, nonce: Buffer, aad: Buffer, content: Buffer): Buffer {
  const cipher = createCipheriv(suite.cipher as CipherGCMTypes, key, nonce, { authTagLength: tagLength });
  cipher.setAAD(aad, { plaintextLength: content.length });
  return concat(cipher.update(content), cipher.final(), cipher.getAuthTag());
}

function decrypt(suite: Suite, key: Buffer, nonce: Buffer, aad: Buffer, sealed: Buffer): Buffer {
  if (sealed.length < tagLength) throw new Error("a record shorter than its tag");
  const end = sealed.length - tagLength;
  const cipher = createDecipheriv(suite.cipher as CipherGCMTypes, key, nonce, { authTagLength: tagLength });
  cipher.setAAD(aad, { plaintextLength: end });
  cipher.setAuthTag(sealed.subarray(end));
  return concat(cipher.update(sealed.subarray(0, end)), cipher.final());
}
