import {
  type CertID,
  id_pkix_ocsp_nonce,
  id_pkix_ocsp_service_locator,
  OCSPRequest,
  OCSPResponseStatus,
} from "@peculiar/asn1-ocsp";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import type { Extension } from "@peculiar/asn1-x509";
import { Der, tag } from "../../../src/pki/der.js";

/** Why there is no answer: a status other than successful, RFC 6960 4.2.1. */
export class OcspError extends Error {
  override readonly name = "OcspError";
  readonly responseStatus: OCSPResponseStatus;

  constructor(responseStatus: OCSPResponseStatus, message: string) {
    super(message);
    this.responseStatus = responseStatus;
  }
}

/** What a client asks. */
export interface OcspRequest {
  readonly certIDs: readonly CertID[];
  readonly nonce: ArrayBuffer | undefined;
}

/** Deeper than the certificates of a signed request go, and more elements than 64 CertIDs and those have. */
const maxDepth = 20;
const maxElements = 2048;

/** RFC 9654 2.1. */
const nonceLength = Object.freeze({ min: 1, max: 128 });

/**
 * Reads an OCSPRequest, RFC 6960 4.1.1. Who asks (requestorName, optionalSignature) makes no difference here.
 * @throws OcspError malformedRequest; unauthorized for what is well-formed, but is not served
 */
export function readRequest(der: Uint8Array, maxRequests: number): OcspRequest {
  const { version, requestList, requestExtensions = [] } = parseRequest(der);
  if (version !== 0) throw malformed("unknown version");
  if (requestList.length === 0) throw malformed("no certificate is asked about");
  if (requestList.length > maxRequests)
    throw refused(`more than ${maxRequests} certificates are asked about`);
  checkExtensions(requestExtensions, [id_pkix_ocsp_nonce]);
  for (const { singleRequestExtensions = [] } of requestList)
    checkExtensions(singleRequestExtensions, [id_pkix_ocsp_service_locator]);
  return { certIDs: requestList.map(({ reqCert }) => reqCert), nonce: readNonce(requestExtensions) };
}

function parseRequest(der: Uint8Array) {
  try {
    checkDer(der);
    return AsnConvert.parse(der, OCSPRequest).tbsRequest;
  } catch (error) {
    throw malformed((error as Error).message ?? "no DER");
  }
}

/**
 * One element in DER, of bounded depth and size: the decoder takes more than DER, and its time for each element.
 * Throws a Fault.
 */
function checkDer(bytes: Uint8Array): void {
  const der = new Der();
  der.over(bytes, 0, bytes.length);
  let elements = 0;
  const checkElements = (depth: number): void => {
    while (der.more) {
      if (depth > maxDepth || ++elements > maxElements) throw der.fault;
      const type = der.peek();
      if (type === tag.INTEGER) der.integer();
      else if (type & CONSTRUCTED) {
        const outer = der.enter(type);
        checkElements(depth + 1);
        der.leave(outer);
      } else der.skip();
    }
  };
  const outer = der.enter(tag.SEQUENCE);
  checkElements(1);
  der.leave(outer);
  der.finish();
}

/** The bit of an identifier octet, X.690 8.1.2.5. */
const CONSTRUCTED = 0x20;

/** RFC 6960 4.4: unknown extensions are ignored, unless they are critical. None may stand twice. */
function checkExtensions(extensions: readonly Extension[], known: readonly string[]): void {
  if (new Set(extensions.map(({ extnID }) => extnID)).size !== extensions.length)
    throw malformed("an extension stands there twice");
  if (extensions.some(({ extnID, critical }) => critical && !known.includes(extnID)))
    throw refused("unknown critical extension");
}

/** RFC 9654 2.1: "MUST reject" those that are empty or too long. */
function readNonce(extensions: readonly Extension[]): ArrayBuffer | undefined {
  const extension = extensions.find(({ extnID }) => extnID === id_pkix_ocsp_nonce);
  if (!extension) return undefined;
  const nonce = parseNonce(extension);
  if (nonce.byteLength < nonceLength.min || nonce.byteLength > nonceLength.max)
    throw malformed(`nonce of ${nonce.byteLength} octets`);
  return nonce;
}

function parseNonce({ extnValue }: Extension): ArrayBuffer {
  const bytes = new Uint8Array(extnValue.buffer);
  const der = new Der();
  der.over(bytes, 0, bytes.length);
  try {
    const start = der.value(tag.OCTET_STRING);
    der.finish();
    return new OctetString(bytes.slice(start)).buffer;
  } catch {
    throw malformed("malformed nonce");
  }
}

const malformed = (message: string) => new OcspError(OCSPResponseStatus.malformedRequest, message);
const refused = (message: string) => new OcspError(OCSPResponseStatus.unauthorized, message);
