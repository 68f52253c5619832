import {
  createDecipheriv,
  createHash,
  createPrivateKey,
  type KeyObject,
  pbkdf2Sync,
  X509Certificate,
} from "node:crypto";
import { createSecureContext } from "node:tls";
import { Der, tag } from "../../../src/pki/index.js";
import { isFault } from "../../../src/wire/index.js";

/** What a PKCS #12 file has for a server or client: a private key and the chain of its certificate, leaf first. */
export interface Pkcs12 {
  readonly key: KeyObject;
  readonly chain: readonly X509Certificate[];
}

/**
 * Reads a PKCS #12 file, RFC 7292, in DER. OpenSSL checks its MAC with the passphrase first.
 * @throws Error when the passphrase is wrong, or the file is none with a key and its certificate
 */
export function readPkcs12(file: Uint8Array, passphrase = ""): Pkcs12 {
  createSecureContext({ pfx: Buffer.from(file), passphrase });
  const bags: Bags = { passphrase, keys: [], certificates: [] };
  try {
    readPfx(new Der(undefined, file), bags);
  } catch (error) {
    throw isFault(error) ? new Error("it is not PKCS #12 in DER: openssl pkcs12 makes one") : error;
  }
  return chainOf(bags);
}

interface Bags {
  readonly passphrase: string;
  readonly keys: KeyObject[];
  readonly certificates: X509Certificate[];
}

/** The key's certificate, and those of its issuers that are there. */
function chainOf({ keys: [key], certificates }: Bags): Pkcs12 {
  const leaf = key && certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (leaf === undefined) throw new Error("it has no certificate with its private key");
  const chain = [leaf];
  for (let next: X509Certificate | undefined = leaf; next; ) {
    const last: X509Certificate = next;
    next = certificates.find((each) => !chain.includes(each) && last.checkIssued(each));
    if (next) chain.push(next);
  }
  return { key, chain };
}

// ---- Structure, RFC 7292 section 4

/** Object identifiers, DER, in hexadecimal. */
const pkcs7 = { data: "2a864886f70d010701", encryptedData: "2a864886f70d010706" };
const bag = {
  key: "2a864886f70d010c0a0101",
  shroudedKey: "2a864886f70d010c0a0102",
  certificate: "2a864886f70d010c0a0103",
};
const EXPLICIT = tag.CONSTRUCTED;

/** PFX: version, authSafe, macData. */
function readPfx(der: Der, bags: Bags): void {
  der.enter(tag.SEQUENCE);
  der.small();
  const contents = enterContent(der);
  if (contents !== pkcs7.data) throw new Error("it is signed, which is not supported");
  const safe = new Der(undefined, content(der, tag.OCTET_STRING));
  safe.enter(tag.SEQUENCE);
  while (safe.more) readSafe(safe, bags);
}

/** Enters a ContentInfo as far as its content; returns its type. */
function enterContent(der: Der): string {
  der.enter(tag.SEQUENCE);
  const type = oid(der);
  der.enter(EXPLICIT);
  return type;
}

/** SafeContents, plain or encrypted with the passphrase. */
function readSafe(der: Der, bags: Bags): void {
  const start = der.skip();
  const info = new Der(undefined, der.bytes, start, der.at);
  const type = enterContent(info);
  const safe = new Der(
    undefined,
    type === pkcs7.encryptedData ? decryptData(info, bags) : content(info, tag.OCTET_STRING),
  );
  safe.enter(tag.SEQUENCE);
  while (safe.more) readBag(safe, bags);
}

/** SafeBag: its kind, value and attributes. */
function readBag(der: Der, bags: Bags): void {
  const outer = der.enter(tag.SEQUENCE);
  const kind = oid(der);
  const value = content(der, EXPLICIT);
  der.drop(outer);
  const { certificates, keys, passphrase } = bags;
  const pkcs8 = { key: Buffer.from(value), format: "der", type: "pkcs8" } as const;
  if (kind === bag.key) keys.push(createPrivateKey(pkcs8));
  // It is an EncryptedPrivateKeyInfo
  if (kind === bag.shroudedKey) keys.push(createPrivateKey({ ...pkcs8, passphrase }));
  if (kind === bag.certificate) certificates.push(certificateOf(new Der(undefined, value)));
}

/** CertBag, of an X.509 certificate. */
function certificateOf(der: Der): X509Certificate {
  der.enter(tag.SEQUENCE);
  oid(der);
  der.enter(EXPLICIT);
  return new X509Certificate(content(der, tag.OCTET_STRING));
}

/** EncryptedData, RFC 5652 section 8: version, and the content's type, algorithm and octets. */
function decryptData(der: Der, { passphrase }: Bags): Uint8Array {
  der.enter(tag.SEQUENCE);
  der.small();
  der.enter(tag.SEQUENCE);
  oid(der);
  const algorithm = new Der(undefined, content(der, tag.SEQUENCE));
  const scheme = oid(algorithm);
  const encrypted = content(der, tag.CONTEXT);
  algorithm.enter(tag.SEQUENCE);
  if (scheme === pbes2) return decryptPbes2(algorithm, passphrase, encrypted);
  if (scheme === tripleDes) return decryptTripleDes(algorithm, passphrase, encrypted);
  throw new Error("its certificates are encrypted in a way that is too old: export it with AES-256");
}

function oid(der: Der): string {
  return Buffer.from(der.bytes.subarray(der.oid(), der.at)).toString("hex");
}

function content(der: Der, expected: number): Uint8Array {
  return der.bytes.subarray(der.value(expected), der.at);
}

// ---- Encryption with a passphrase

/** RFC 8018 section 6.2, and its PRFs and ciphers; RFC 7292 appendix C. */
const pbes2 = "2a864886f70d01050d";
const tripleDes = "2a864886f70d010c0103";
const hmacSha1 = "2a864886f70d0207";
const prfs: Readonly<Record<string, string>> = {
  [hmacSha1]: "sha1",
  "2a864886f70d0209": "sha256",
  "2a864886f70d020a": "sha384",
  "2a864886f70d020b": "sha512",
};
const ciphers: Readonly<Record<string, readonly [name: string, key: number]>> = {
  "608648016503040102": ["aes-128-cbc", 16],
  "608648016503040116": ["aes-192-cbc", 24],
  "60864801650304012a": ["aes-256-cbc", 32],
};

/** PBES2-params: PBKDF2 with salt, count and PRF, and the cipher with its IV. */
function decryptPbes2(der: Der, passphrase: string, encrypted: Uint8Array): Uint8Array {
  const outer = der.enter(tag.SEQUENCE);
  oid(der);
  const parameters = new Der(undefined, content(der, tag.SEQUENCE));
  der.leave(outer);
  const salt = content(parameters, tag.OCTET_STRING);
  const count = parameters.small();
  if (parameters.peek() === tag.INTEGER) parameters.small();
  const prf = parameters.more ? oid(new Der(undefined, content(parameters, tag.SEQUENCE))) : hmacSha1;
  der.enter(tag.SEQUENCE);
  const [name, length] = ciphers[oid(der)] ?? [];
  if (name === undefined || prfs[prf] === undefined)
    throw new Error("its encryption is not supported: AES is");
  const key = pbkdf2Sync(passphrase, salt, count, length, prfs[prf]);
  return decrypt(name, key, content(der, tag.OCTET_STRING), encrypted);
}

/** pkcs-12PbeParams: salt and count. */
function decryptTripleDes(der: Der, passphrase: string, encrypted: Uint8Array): Uint8Array {
  const salt = content(der, tag.OCTET_STRING);
  const count = der.small();
  const [key, iv] = [24, 8].map((length, i) => derive(passphrase, salt, count, i + 1).subarray(0, length));
  return decrypt("des-ede3-cbc", key, iv, encrypted);
}

function decrypt(name: string, key: Uint8Array, iv: Uint8Array, encrypted: Uint8Array): Uint8Array {
  const cipher = createDecipheriv(name, key, iv);
  return Buffer.concat([cipher.update(encrypted), cipher.final()]);
}

/** Bytes that SHA-1 works in at once. */
const BLOCK = 64;

/** RFC 7292 appendix B.2 with SHA-1, for `id` 1 a key, 2 an IV: 40 bytes, which two rounds make. */
function derive(passphrase: string, salt: Uint8Array, count: number, id: number): Buffer {
  const password = Buffer.from(`${passphrase}\0`, "utf16le").swap16();
  const input = Buffer.concat([repeated(salt), repeated(password)]);
  const first = round(id, input, count);
  const add = BigInt(`0x${repeated(first).toString("hex")}`) + 1n;
  for (let at = 0; at < input.length; at += BLOCK) {
    const sum = BigInt(`0x${input.subarray(at, at + BLOCK).toString("hex")}`) + add;
    input.write(
      BigInt.asUintN(8 * BLOCK, sum)
        .toString(16)
        .padStart(2 * BLOCK, "0"),
      at,
      "hex",
    );
  }
  return Buffer.concat([first, round(id, input, count)]);
}

function round(id: number, input: Buffer, count: number): Buffer {
  let hash = createHash("sha1").update(Buffer.alloc(BLOCK, id)).update(input).digest();
  for (let i = 1; i < count; i++) hash = createHash("sha1").update(hash).digest();
  return hash;
}

/** As often as it takes to fill whole blocks, and no more than one more. */
function repeated(bytes: Uint8Array): Buffer {
  return Buffer.alloc(BLOCK * Math.ceil(bytes.length / BLOCK), bytes);
}
