import {
  BasicOCSPResponse,
  type CertID,
  CertStatus,
  id_pkix_ocsp_basic,
  id_pkix_ocsp_nonce,
  OCSPResponse,
  type OCSPResponseStatus,
  ResponseBytes,
  ResponseData,
  RevokedInfo,
  SingleResponse,
} from "@peculiar/asn1-ocsp";
import { AsnConvert, AsnObjectIdentifierConverter, OctetString } from "@peculiar/asn1-schema";
import { CRLReason, Extension, InvalidityDate, id_ce_invalidityDate } from "@peculiar/asn1-x509";
import { Der, tag } from "../../../src/pki/index.js";
import { enterBasicResponse } from "../common/der.js";
import type { CertificateStatus, Revoked } from "./index-file.js";
import type { Signer } from "./signer.js";

/** What is said of one certificate. */
export interface Answer {
  readonly certID: CertID;
  readonly status: CertificateStatus;
}

/** When a response is made, and when the next one is there at the latest. */
export interface Times {
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
}

/** A response that says only why there is none. */
export function errorResponse(responseStatus: OCSPResponseStatus): Buffer {
  return Buffer.from(AsnConvert.serialize(new OCSPResponse({ responseStatus })));
}

/** What is signed, RFC 6960 4.2.1. */
export function responseData(
  signer: Signer,
  answers: readonly Answer[],
  times: Times,
  nonce?: Uint8Array<ArrayBuffer>,
): ResponseData {
  return new ResponseData({
    responderID: signer.responderID,
    producedAt: times.thisUpdate,
    responses: answers.map((answer) => singleResponse(answer, times)),
    responseExtensions: nonce && [
      extension(id_pkix_ocsp_nonce, AsnConvert.serialize(new OctetString(nonce))),
    ],
  });
}

/** OCSPResponse with a BasicOCSPResponse in it, RFC 6960 4.2.1. */
export async function signedResponse(
  signer: Signer,
  answers: readonly Answer[],
  times: Times,
  nonce: Uint8Array<ArrayBuffer> | undefined,
): Promise<Buffer> {
  const tbsResponseData = responseData(signer, answers, times, nonce);
  const basic = new BasicOCSPResponse({
    tbsResponseData,
    signatureAlgorithm: signer.algorithm,
    signature: bytesOf(await signer.sign(AsnConvert.serialize(tbsResponseData))),
    certs: [...signer.certificates],
  });
  const response = new OctetString(AsnConvert.serialize(basic));
  const responseBytes = new ResponseBytes({ responseType: id_pkix_ocsp_basic, response });
  return Buffer.from(AsnConvert.serialize(new OCSPResponse({ responseStatus: 0, responseBytes })));
}

/** A response about one certificate, without its signature. */
export interface Unsigned {
  /** In DER. */
  readonly certID: Buffer;
  /** All else that is signed, in DER, one element after the other. */
  readonly terms: Buffer;
  /** Seconds since 1970. */
  readonly thisUpdate: number;
  /** Those that are sent, in DER, one after the other. */
  readonly certificates: Buffer;
}

/** Reads what `signedResponse` made; undefined for anything else. It is quick, as there may be millions of them. */
export function readUnsigned(bytes: Uint8Array): Unsigned | undefined {
  const der = new Der(undefined, bytes);
  try {
    enterBasicResponse(der);
    const signed = readData(der);
    der.skip();
    der.skip();
    der.enter(tag.CONSTRUCTED);
    der.enter(tag.SEQUENCE);
    return { ...signed, certificates: Buffer.from(bytes.subarray(der.at, der.end)) };
  } catch {
    return undefined;
  }
}

/** What is signed about one certificate, but for who that is. */
export function termsOf(signer: Signer, answer: Answer, times: Times): Buffer {
  const data = new Uint8Array(AsnConvert.serialize(responseData(signer, [answer], times)));
  return readData(new Der(undefined, data)).terms;
}

/** ResponseData, RFC 6960 4.2.1, with one SingleResponse. */
function readData(der: Der): Omit<Unsigned, "certificates"> {
  const { bytes } = der;
  const outer = der.enter(tag.SEQUENCE);
  const start = der.at;
  // responderID, producedAt
  der.skip();
  der.skip();
  const head = bytes.subarray(start, der.at);
  const data = der.enter(tag.SEQUENCE);
  const list = der.enter(tag.SEQUENCE);
  const certID = Buffer.from(bytes.subarray(der.skip(), der.at));
  const terms = Buffer.concat([head, bytes.subarray(der.at, der.end)]);
  der.skip();
  const thisUpdate = der.date();
  der.drop(list);
  der.leave(data);
  der.leave(outer);
  return { certID, terms, thisUpdate };
}

function singleResponse({ certID, status }: Answer, { thisUpdate, nextUpdate }: Times): SingleResponse {
  const singleExtensions = status.status === "revoked" ? revocationExtensions(status) : [];
  return new SingleResponse({
    certID,
    certStatus: certStatus(status),
    thisUpdate,
    nextUpdate,
    singleExtensions: singleExtensions.length > 0 ? singleExtensions : undefined,
  });
}

function certStatus(status: CertificateStatus): CertStatus {
  if (status.status !== "revoked") return new CertStatus({ [status.status]: null });
  const { revocationTime, revocationReason } = status;
  const reason = revocationReason === undefined ? undefined : new CRLReason(revocationReason);
  return new CertStatus({ revoked: new RevokedInfo({ revocationTime, revocationReason: reason }) });
}

/** RFC 3280 5.3.2; RFC 5280 leaves it out. */
const id_ce_holdInstructionCode = "2.5.29.23";

/** The extensions of a CRL's entries serve here too, RFC 6960 4.4.5. */
function revocationExtensions({ holdInstruction, invalidityDate }: Revoked): Extension[] {
  const extensions: Extension[] = [];
  if (holdInstruction !== undefined) {
    const oid = AsnObjectIdentifierConverter.toASN(holdInstruction);
    extensions.push(extension(id_ce_holdInstructionCode, oid.toBER()));
  }
  if (invalidityDate)
    extensions.push(
      extension(id_ce_invalidityDate, AsnConvert.serialize(new InvalidityDate(invalidityDate))),
    );
  return extensions;
}

function extension(extnID: string, value: ArrayBuffer): Extension {
  return new Extension({ extnID, extnValue: new OctetString(value) });
}

function bytesOf({ buffer, byteOffset, byteLength }: Buffer): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}
