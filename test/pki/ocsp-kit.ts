/**
 * OCSP responses made piece by piece, RFC 6960 section 4.2.1, so that a test can get any one piece wrong: the
 * libraries that encode for us elsewhere refuse to write most of what must be refused.
 */
import {
  bits,
  enumerated,
  explicit,
  generalizedTime,
  implicit,
  octets,
  oid,
  sequence,
  tag,
  tlv,
} from "../../certs/der.js";
import { keyHash } from "../../certs/extensions.js";
import { NOW } from "../../certs/fixtures.js";
import { type Algorithm, digest, hashIdentifier, type Key, usualAlgorithm } from "../../certs/keys.js";

const basicType = "1.3.6.1.5.5.7.48.1.1";
const hour = 3600;

export const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
/** GeneralizedTime of seconds since 1970. */
export const time = (seconds: number) => generalizedTime(iso(seconds));

export interface CertIdParts {
  /** Name, and key, of the issuer. */
  issuer: Buffer;
  key: Key;
  /** Contents of the serial number's INTEGER, in hex. */
  serial: string;
  hash?: string;
  hashAlgorithm?: Buffer;
}

export function certId({ issuer, key, serial, hash = "sha1", hashAlgorithm }: CertIdParts): Buffer {
  return sequence(
    hashAlgorithm ?? hashIdentifier(hash),
    octets(digest(hash, issuer)),
    octets(keyHash(key.spki, hash)),
    tlv(tag.integer, Buffer.from(serial, "hex")),
  );
}

export const good = implicit(0);
export const unknown = implicit(2);

export function revoked(at: number, reason?: number): Buffer {
  return explicit(1, time(at), ...(reason === undefined ? [] : [explicit(0, enumerated(reason))]));
}

export interface SingleParts {
  id: Buffer;
  status?: Buffer;
  thisUpdate?: Buffer;
  /** null leaves it out. */
  nextUpdate?: Buffer | null;
  extensions?: Buffer[];
}

export function single(parts: SingleParts): Buffer {
  const { id, status = good, thisUpdate = time(NOW - hour), nextUpdate = time(NOW + hour) } = parts;
  return sequence(
    id,
    status,
    thisUpdate,
    ...(nextUpdate ? [explicit(0, nextUpdate)] : []),
    ...(parts.extensions ? [explicit(1, sequence(...parts.extensions))] : []),
  );
}

export const byName = (subject: Buffer) => explicit(1, subject);
export const byKey = (key: Key) => explicit(2, octets(keyHash(key.spki)));

export interface ResponseParts {
  singles: Buffer[];
  key: Key;
  responderId: Buffer;
  algorithm?: Algorithm;
  /** The AlgorithmIdentifier written, when it is not that of `algorithm`. */
  identifier?: Buffer;
  status?: number;
  type?: string;
  version?: Buffer;
  producedAt?: Buffer;
  extensions?: Buffer[];
  certs?: Buffer[];
}

export function response(parts: ResponseParts): Buffer {
  const { key, algorithm = usualAlgorithm(key), certs } = parts;
  const tbs = responseData(parts);
  const basic = sequence(
    tbs,
    parts.identifier ?? algorithm.identifier,
    bits(algorithm.sign(key.secret, tbs)),
    ...(certs ? [explicit(0, sequence(...certs))] : []),
  );
  return wrap(basic, parts.status, parts.type);
}

function responseData({ version, responderId, producedAt, singles, extensions }: ResponseParts): Buffer {
  return sequence(
    ...(version ? [explicit(0, version)] : []),
    responderId,
    producedAt ?? time(NOW - hour),
    sequence(...singles),
    ...(extensions ? [explicit(1, sequence(...extensions))] : []),
  );
}

/** OCSPResponse around a BasicOCSPResponse. */
export function wrap(basic: Buffer, status = 0, type = basicType): Buffer {
  return sequence(enumerated(status), explicit(0, sequence(oid(type), octets(basic))));
}

/** An OCSPResponse that carries a status and nothing else. */
export const bare = (status: Buffer) => sequence(status);
