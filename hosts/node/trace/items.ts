/** Certificates and their status in words. */

import { nameOf, statusType } from "../../../src/client/index.js";
import { describeCertificate } from "../common/describe.js";
import { malformed } from "./fields.js";
import { type Item, readStatuses, type StatusExtension } from "./parts.js";
import { describeStaple } from "./staple.js";

/** What a message, or a part of one, says: a summary, and lines of detail below it or below the last one. */
export interface Description {
  readonly summary?: string;
  readonly details?: readonly string[];
}

export function describeItem(item: Item): Description {
  switch (item.kind) {
    case "certificate":
      return { summary: describeSubject(item.der), details: item.extensions && stapledIn(item.extensions) };
    case "nobody":
      return { summary: "empty" };
    case "status":
      return { summary: nameOf(statusType, item.type) ?? `type ${item.type}` };
    case "response":
      return { details: describeResponse(item.der, item.index) };
    case "surplus":
      return { details: [malformed(item.bytes)] };
  }
}

function describeSubject(der: Buffer): string {
  try {
    const { subject, issuer, notAfter } = describeCertificate(der);
    return `${subject}; issuer ${issuer}; until ${notAfter}`;
  } catch {
    return malformed(der);
  }
}

/** The staples among a certificate's extensions. */
function stapledIn(block: Buffer): string[] {
  try {
    return readStatuses(block).flatMap(describeStatus);
  } catch {
    return [`extensions ${malformed(block)}`];
  }
}

function describeStatus({ type, der }: StatusExtension): string[] {
  return der ? describeStaple(der) : [`status of type ${type}`];
}

function describeResponse(der: Buffer, index: number | undefined): string[] {
  if (index === undefined) return describeStaple(der);
  const [first, ...rest] = der.length > 0 ? describeStaple(der) : ["none"];
  return [`${index}: ${first}`, ...rest.map((line) => `   ${line}`)];
}
