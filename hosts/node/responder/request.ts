import { CertID, OCSPResponseStatus } from "@peculiar/asn1-ocsp";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Der, type ExtensionRow, readExtensions, tag } from "../../../src/pki/index.js";

/** Why there is no answer: a status other than successful, RFC 6960 4.2.1. */
export class OcspError extends Error {
  override readonly name = "OcspError";
  readonly responseStatus: OCSPResponseStatus;

  constructor(responseStatus: OCSPResponseStatus, message: string) {
    super(message);
    this.responseStatus = responseStatus;
  }
}

const malformed = (message: string) => new OcspError(OCSPResponseStatus.malformedRequest, message);
const refused = (message: string) => new OcspError(OCSPResponseStatus.unauthorized, message);

/** What a client asks. */
export interface OcspRequest {
  readonly certIDs: readonly CertID[];
  readonly nonce: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Reads an OCSPRequest, RFC 6960 4.1.1, in DER. Who asks (requestorName, optionalSignature) makes no difference
 * here and is passed over.
 * @throws OcspError malformedRequest; unauthorized for what is well-formed, but is not served
 */
export function readRequest(der: Uint8Array, maxRequests: number): OcspRequest {
  try {
    return new RequestReader(maxRequests).read(new Der(undefined, der));
  } catch (error) {
    throw error instanceof OcspError ? error : malformed("no OCSPRequest in DER");
  }
}

/** The reader's methods are the structures of RFC 6960 4.1.1. */
class RequestReader implements OcspRequest {
  readonly certIDs: CertID[] = [];
  nonce: Uint8Array<ArrayBuffer> | undefined;
  private readonly maxRequests: number;

  constructor(maxRequests: number) {
    this.maxRequests = maxRequests;
  }

  /** OCSPRequest: tbsRequest, optionalSignature [0]. */
  read(der: Der): this {
    const outer = der.enter(tag.SEQUENCE);
    this.readTbs(der);
    if (der.more) der.value(tag.CONSTRUCTED);
    der.leave(outer);
    der.finish();
    return this;
  }

  /** TBSRequest: version [0], requestorName [1], requestList, requestExtensions [2]. */
  private readTbs(der: Der): void {
    const outer = der.enter(tag.SEQUENCE);
    if (der.peek() === tag.CONSTRUCTED) readVersion(der);
    if (der.peek() === tag.CONSTRUCTED + 1) der.skip();
    this.readList(der);
    if (der.more) this.readExtensions(der, 2, requestExtensions);
    der.leave(outer);
  }

  private readList(der: Der): void {
    const outer = der.enter(tag.SEQUENCE);
    while (der.more) this.readSingle(der);
    der.leave(outer);
    if (this.certIDs.length === 0) throw malformed("no certificate is asked about");
  }

  /** Request: reqCert, singleRequestExtensions [0]. */
  private readSingle(der: Der): void {
    if (this.certIDs.length === this.maxRequests)
      throw refused(`more than ${this.maxRequests} certificates are asked about`);
    const outer = der.enter(tag.SEQUENCE);
    this.certIDs.push(readCertId(der));
    if (der.more) this.readExtensions(der, 0, singleRequestExtensions);
    der.leave(outer);
  }

  /** [n] EXPLICIT Extensions, 4.4: unknown ones are ignored, unless they are critical. None may stand twice. */
  private readExtensions(der: Der, n: number, rows: readonly ExtensionRow<RequestReader>[]): void {
    const outer = der.enter(tag.CONSTRUCTED + n);
    const unknownCritical = readExtensions(der, rows, this);
    der.leave(outer);
    if (unknownCritical) throw refused("unknown critical extension");
  }
}

/** RFC 9654 2.1: 1 to 128 octets; others "MUST" get malformedRequest. */
function readNonce(der: Der, request: RequestReader): void {
  const start = der.value(tag.OCTET_STRING);
  const length = der.at - start;
  if (length < 1 || length > 128) throw malformed(`nonce of ${length} octets`);
  request.nonce = Uint8Array.from(der.bytes.subarray(start, der.at));
}

/** id-pkix-ocsp-nonce, 4.4.1. */
const requestExtensions: readonly ExtensionRow<RequestReader>[] = Object.freeze([
  { oid: "\x2b\x06\x01\x05\x05\x07\x30\x01\x02", read: readNonce },
]);

/** id-pkix-ocsp-service-locator, 4.4.6: for responders that pass requests on. */
const singleRequestExtensions: readonly ExtensionRow<RequestReader>[] = Object.freeze([
  { oid: "\x2b\x06\x01\x05\x05\x07\x30\x01\x07", read: (der: Der) => der.skip() },
]);

/** Version is v1(0), which DER does not write; it passes if written. */
function readVersion(der: Der): void {
  const outer = der.enter(tag.CONSTRUCTED);
  if (der.small() !== 0) throw malformed("unknown version");
  der.leave(outer);
}

/** CertID: hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber. */
function readCertId(der: Der): CertID {
  const start = der.at;
  const outer = der.enter(tag.SEQUENCE);
  readAlgorithm(der);
  der.value(tag.OCTET_STRING);
  der.value(tag.OCTET_STRING);
  der.integer();
  der.leave(outer);
  return AsnConvert.parse(der.bytes.slice(start, der.at), CertID);
}

/** AlgorithmIdentifier of a hash: NULL for parameters, or nothing. */
function readAlgorithm(der: Der): void {
  const outer = der.enter(tag.SEQUENCE);
  der.oid();
  der.optionalNull();
  der.leave(outer);
}
