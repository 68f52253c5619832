import { describeResponse, type ResponseInfo, type SingleInfo } from "../common/describe.js";
import { malformed, shortened } from "./fields.js";

/** What an OCSP response claims: each certificate's status, then who says so. */
export function describeStaple(der: Buffer): string[] {
  let response: ResponseInfo;
  try {
    response = describeResponse(der);
  } catch {
    return [`OCSP response ${malformed(der)}`];
  }
  const { responseStatus, responses, producedAt } = response;
  if (responses === undefined) return [`OCSP response: ${responseStatus}`];
  const singles = responses.flatMap((single) => [
    `OCSP ${describeSingle(single)}, produced ${producedAt}`,
    `  ${describeCertID(single)}`,
  ]);
  return [...singles, `  ${describeSigner(response)}`];
}

function describeSingle(single: SingleInfo): string {
  const { certID, certStatus, revocationTime, revocationReason, thisUpdate, nextUpdate } = single;
  const since = revocationTime ? ` since ${revocationTime}` : "";
  const why = revocationReason ? ` (${revocationReason})` : "";
  const until = nextUpdate ?? "no nextUpdate";
  return `${certStatus}${since}${why}, serial ${certID.serialNumber}, ${thisUpdate} to ${until}`;
}

function describeCertID({ certID }: SingleInfo): string {
  const { hashAlgorithm, issuerNameHash, issuerKeyHash } = certID;
  return `issuerNameHash ${shortened(issuerNameHash)}, issuerKeyHash ${shortened(issuerKeyHash)} (${hashAlgorithm})`;
}

function describeSigner({ responderID, signatureAlgorithm, nonce }: ResponseInfo): string {
  const nonceText = nonce === null || nonce === undefined ? "no nonce" : `nonce ${shortened(nonce)}`;
  return `responder ${responderID}; ${signatureAlgorithm}; ${nonceText}`;
}
