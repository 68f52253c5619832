/** Staples on which the product's defaults decide, and what they have to say: no test of these gives an option. */

import type { Authority } from "../../certs/certificate.js";
import { generalizedTime } from "../../certs/der.js";
import { NOW } from "../../certs/fixtures.js";
import { certId, ocspResponse, singleResponse } from "../../certs/response.js";
import type { FaultName } from "../../src/wire/fault.js";
import { host, keys, root, server } from "../pki/kit.js";
import type { Script } from "./script.js";

/** Issued by `root`, for a server and for a client. */
export const subject = server(root);
export const script: Script = { chain: [subject.der], key: keys.leaf.secret };
export { host, root };

const DAY = 86400;
const time = (seconds: number) => generalizedTime(new Date(1000 * seconds).toISOString());

/** A response about `subject`, in seconds since 1970. */
export function staple(thisUpdate: number, nextUpdate: number | undefined, signer: Authority = root): Buffer {
  const single = singleResponse({
    certId: certId(root, subject.serial),
    thisUpdate: time(thisUpdate),
    nextUpdate: nextUpdate === undefined ? null : time(nextUpdate),
  });
  return ocspResponse({ signer, producedAt: time(thisUpdate), responses: [single] });
}

const stranger = server(root, { key: keys.other, subject: "a responder that nobody named" });

/** The staple, and the fault. */
export const rows: readonly (readonly [string, Buffer | undefined, FaultName | undefined])[] = [
  ["no staple", undefined, undefined],
  ["a response without nextUpdate", staple(NOW - 60, undefined), "OCSP_NO_NEXT_UPDATE"],
  ["a response of the year before", staple(NOW - 365 * DAY, NOW + DAY), undefined],
  ["a response from 900 seconds ahead", staple(NOW + 900, NOW + DAY), undefined],
  ["a response from 901 seconds ahead", staple(NOW + 901, NOW + DAY), "OCSP_NOT_YET_VALID"],
  ["a response that ended 900 seconds ago", staple(NOW - DAY, NOW - 900), undefined],
  ["a response that ended 901 seconds ago", staple(NOW - DAY, NOW - 901), "OCSP_EXPIRED"],
  ["a response that a stranger signed", staple(NOW - 60, NOW + DAY, stranger), "OCSP_RESPONDER"],
];
