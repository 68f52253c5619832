import {
  BasicOCSPResponse,
  OCSPResponse,
  OCSPResponseStatus,
  type SingleResponse,
} from "@peculiar/asn1-ocsp";
import { AsnConvert } from "@peculiar/asn1-schema";

/** What an OCSP response claims, one line for each certificate in it. Nothing is verified: this is for traces. */
export function describeStaple(der: Uint8Array): string[] {
  try {
    const { responseStatus, responseBytes } = AsnConvert.parse(der, OCSPResponse);
    if (!responseBytes) return [`OCSP ${OCSPResponseStatus[responseStatus] ?? responseStatus}`];
    const basic = AsnConvert.parse(responseBytes.response.buffer, BasicOCSPResponse);
    const { responses, producedAt } = basic.tbsResponseData;
    return responses.map((single) => `OCSP ${describe(single)}, produced ${time(producedAt)}`);
  } catch {
    return [`OCSP response of ${der.length} bytes, malformed`];
  }
}

function describe({ certID, certStatus, thisUpdate, nextUpdate }: SingleResponse): string {
  const { revoked } = certStatus;
  const status = revoked
    ? `revoked ${time(revoked.revocationTime)}`
    : "unknown" in certStatus && certStatus.unknown !== undefined
      ? "unknown"
      : "good";
  const serial = Buffer.from(certID.serialNumber).toString("hex");
  const until = nextUpdate ? time(nextUpdate) : "no nextUpdate";
  return `${status}, serial ${serial}, ${time(thisUpdate)} to ${until}`;
}

/** To the second, in UTC, as the response has it. */
function time(date: Date): string {
  return date.toISOString().replace(".000", "");
}
