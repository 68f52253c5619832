import { type Authority, validity } from "./certificate.js";
import { bits, enumerated, explicit, generalizedTime, implicit, octets, oid, sequence, tlv } from "./der.js";
import { keyHash } from "./extensions.js";
import { type Algorithm, digest, hashIdentifier, usualAlgorithm } from "./keys.js";

/** OCSPResponseStatus, RFC 6960 section 4.2.1. */
export const responseStatus = Object.freeze({
  successful: 0,
  malformedRequest: 1,
  internalError: 2,
  tryLater: 3,
  sigRequired: 5,
  unauthorized: 6,
});

/** CertStatus. `reason` is a CRLReason. */
export const certStatus = Object.freeze({
  good: implicit(0),
  unknown: implicit(2),
  revoked: (iso: string, reason?: number) =>
    tlv(0xa1, generalizedTime(iso), ...(reason === undefined ? [] : [explicit(0, enumerated(reason))])),
});

/** CertID of a certificate, RFC 6960 section 4.1.1. `serial` is an INTEGER. */
export function certId(issuer: Authority, serial: Buffer, hash = "sha1"): Buffer {
  return rawCertId(hashIdentifier(hash), digest(hash, issuer.name), keyHash(issuer.key.spki, hash), serial);
}

/** CertID of these fields. */
export function rawCertId(
  hash: Buffer,
  issuerNameHash: Buffer,
  issuerKeyHash: Buffer,
  serial: Buffer,
): Buffer {
  return sequence(hash, octets(issuerNameHash), octets(issuerKeyHash), serial);
}

/** SingleResponse. Times are TLVs; nextUpdate null: none. */
export interface Single {
  readonly certId: Buffer;
  readonly status?: Buffer;
  readonly thisUpdate?: Buffer;
  readonly nextUpdate?: Buffer | null;
  readonly extensions?: readonly Buffer[];
}

const from = generalizedTime(validity.notBefore);
const until = generalizedTime(validity.notAfter);

/** One SingleResponse, good all the time that the PKI is valid where nothing else is said. */
export function singleResponse(single: Single): Buffer {
  const { status = certStatus.good, thisUpdate = from, nextUpdate = until, extensions } = single;
  const parts = [single.certId, status, thisUpdate];
  if (nextUpdate) parts.push(explicit(0, nextUpdate));
  if (extensions) parts.push(explicit(1, sequence(...extensions)));
  return sequence(...parts);
}

/** ResponderID, RFC 6960 section 4.2.1. */
export const byName = (responder: Authority) => explicit(1, responder.name);
export const byKey = (responder: Authority) => explicit(2, octets(keyHash(responder.key.spki)));

/** What to put into a response. */
export interface ResponseTemplate {
  readonly signer: Authority;
  /** SingleResponses. */
  readonly responses: readonly Buffer[];
  /** The certificates that come with it: DER. */
  readonly certificates?: readonly Buffer[];
  readonly responderId?: Buffer;
  /** A TLV before the responderID. */
  readonly version?: Buffer;
  readonly producedAt?: Buffer;
  readonly extensions?: readonly Buffer[];
  readonly algorithm?: Algorithm;
  readonly responseType?: string;
  readonly status?: number;
  /** Bends the ResponseData before it is signed. */
  readonly bendData?: (data: Buffer) => Buffer;
  readonly bendSignature?: (signature: Buffer) => Buffer;
  /** Bends the BasicOCSPResponse. */
  readonly bendBasic?: (basic: Buffer) => Buffer;
  /** Bends the finished response. */
  readonly bend?: (der: Buffer) => Buffer;
}

/** OCSPResponse, RFC 6960 section 4.2.1. */
export function ocspResponse(template: ResponseTemplate): Buffer {
  const { status = responseStatus.successful, responseType = "1.3.6.1.5.5.7.48.1.1" } = template;
  const basic = basicResponse(template);
  const bytes = explicit(0, sequence(oid(responseType), octets(template.bendBasic?.(basic) ?? basic)));
  const der = sequence(enumerated(status), bytes);
  return template.bend?.(der) ?? der;
}

/** An OCSPResponse without responseBytes. */
export const errorResponse = (status: number) => sequence(enumerated(status));

function basicResponse(template: ResponseTemplate): Buffer {
  const { signer, certificates, algorithm = usualAlgorithm(signer.key) } = template;
  const plain = responseData(template);
  const data = template.bendData?.(plain) ?? plain;
  const signature = algorithm.sign(signer.key.secret, data);
  const parts = [data, algorithm.identifier, bits(template.bendSignature?.(signature) ?? signature)];
  if (certificates) parts.push(explicit(0, sequence(...certificates)));
  return sequence(...parts);
}

function responseData(template: ResponseTemplate): Buffer {
  const { signer, version, responderId = byName(signer), producedAt = from, extensions } = template;
  const parts = [responderId, producedAt, sequence(...template.responses)];
  if (version) parts.unshift(version);
  if (extensions) parts.push(explicit(1, sequence(...extensions)));
  return sequence(...parts);
}
