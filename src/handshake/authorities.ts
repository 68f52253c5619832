import type { Provider } from "../crypto/provider.js";
import { hashSize } from "../crypto/suites.js";
import { Der, tag } from "../pki/der.js";
import type { TrustAnchor } from "../pki/path.js";
import { faults } from "../wire/fault.js";
import { none, type Reader } from "../wire/reader.js";
import { identifierType } from "../wire/registry.js";
import { equalBytes, type Writer } from "../wire/writer.js";

/** CAs that a client trusts, as it names them to a server that has several chains. */

/** TrustedAuthority, RFC 6066 section 6; a name of RFC 8446 4.2.4 is an `x509_name`. */
export interface TrustedAuthority {
  /** Of `identifierType`. */
  readonly type: number;
  /** A hash, or a Name in DER; empty for `pre_agreed`. */
  readonly identifier: Uint8Array;
}

/** How a CA is named by an identifier of this type. */
export function identify(provider: Provider, anchor: TrustAnchor, type: number): TrustedAuthority {
  return Object.freeze({ type, identifier: identifierOf(provider, anchor, type) });
}

function identifierOf(
  provider: Provider,
  { der, key, nameStart, nameEnd }: TrustAnchor,
  type: number,
): Uint8Array {
  // Not `slice`, which of a Buffer gives a view
  if (type === identifierType.x509_name) return Uint8Array.from(der.subarray(nameStart, nameEnd));
  if (type === identifierType.cert_sha1_hash) return sha1(provider, der, 0, der.length);
  if (type !== identifierType.key_sha1_hash) return none;
  if (key.kind !== "rsa") return sha1(provider, key.bytes, key.start, key.end);
  // Of an RSA key the modulus, "without any initial zero-valued bytes"
  const rsa = new Der(faults.CERT_KEY, key.bytes, key.start, key.end);
  rsa.enter(tag.SEQUENCE);
  const modulus = rsa.integer();
  return sha1(provider, key.bytes, key.bytes[modulus] === 0 ? modulus + 1 : modulus, rsa.at);
}

function sha1(provider: Provider, bytes: Uint8Array, start: number, end: number): Uint8Array {
  const digest = new Uint8Array(hashSize.sha1);
  const hash = provider.hash("sha1");
  hash.update(bytes, start, end);
  hash.digest(digest, 0);
  return digest;
}

/** Whether both name the same CA in the same way. */
export function isSameAuthority(a: TrustedAuthority, b: TrustedAuthority): boolean {
  const { identifier: one } = a;
  const { identifier: other } = b;
  return a.type === b.type && one.length > 0 && equalBytes(one, 0, one.length, other, 0, other.length);
}

/** TrustedAuthorities, RFC 6066 section 6. */
export function writeTrustedCaKeys(w: Writer, authorities: readonly TrustedAuthority[]): void {
  const list = w.begin16();
  for (let i = 0; i < authorities.length; i++) {
    const { type, identifier } = authorities[i];
    w.u8(type);
    if (type === identifierType.x509_name) writeName(w, identifier);
    else w.copy(identifier);
  }
  w.finish16(list);
}

/** CertificateAuthoritiesExtension, RFC 8446 4.2.4. */
export function writeCertificateAuthorities(w: Writer, names: readonly TrustedAuthority[]): void {
  const list = w.begin16();
  for (let i = 0; i < names.length; i++) writeName(w, names[i].identifier);
  w.finish16(list);
}

function writeName(w: Writer, identifier: Uint8Array): void {
  const name = w.begin16();
  w.copy(identifier);
  w.finish16(name);
}

/** Those that are kept of a client's list: each is compared with each chain. */
const MAX_AUTHORITIES = 64;

/** TrustedAuthorities: the first of them. One of another type is refused, as nobody knows where it ends. */
export function readTrustedCaKeys(r: Reader): TrustedAuthority[] {
  const found: TrustedAuthority[] = [];
  const list = r.enter16();
  while (r.left > 0) {
    const authority = readTrustedAuthority(r);
    if (found.length < MAX_AUTHORITIES) found.push(authority);
  }
  r.leave(list);
  return found;
}

function readTrustedAuthority(r: Reader): TrustedAuthority {
  const type = r.u8();
  if (type === identifierType.x509_name) return readName(r);
  if (type === identifierType.pre_agreed) return { type, identifier: none };
  if (type !== identifierType.key_sha1_hash && type !== identifierType.cert_sha1_hash)
    throw faults.DECODE_ERROR;
  const start = r.skip(hashSize.sha1);
  return { type, identifier: Uint8Array.from(r.bytes.subarray(start, r.at)) };
}

/** DistinguishedName authorities<3..2^16-1>: the first of them. */
export function readCertificateAuthorities(r: Reader): TrustedAuthority[] {
  const found: TrustedAuthority[] = [];
  const list = r.enter16();
  if (r.left < 3) throw faults.DECODE_ERROR;
  while (r.left > 0) {
    const name = readName(r);
    if (found.length < MAX_AUTHORITIES) found.push(name);
  }
  r.leave(list);
  return found;
}

/** DistinguishedName<1..2^16-1>. */
function readName(r: Reader): TrustedAuthority {
  const name = r.enter16();
  if (r.left === 0) throw faults.DECODE_ERROR;
  const start = r.skip(r.left);
  const identifier = Uint8Array.from(r.bytes.subarray(start, r.at));
  r.leave(name);
  return { type: identifierType.x509_name, identifier };
}
