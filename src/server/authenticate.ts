import { faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { statusType, extensionType as type } from "../wire/registry.js";
import { expect } from "./extensiondata.js";
import type { ServerSession } from "./session.js";

/** The extensions of one CertificateEntry of a client, RFC 8446 4.4.2: a staple if we asked, and nothing else. */
export function readEntryExtensions(s: ServerSession, r: Reader): void {
  const all = r.enter16();
  let seen = false;
  while (r.left > 0) {
    const wanted = r.u16() === type.status_request && s.config.ocsp.stapling === "v1";
    expect(wanted, faults.UNSUPPORTED_EXTENSION);
    expect(!seen, faults.DUPLICATE_EXTENSION);
    seen = true;
    const data = r.enter16();
    readCertificateStatus(s, r);
    r.leave(data);
  }
  r.leave(all);
}

/** CertificateStatus, RFC 6066 section 8: ocsp(1), OCSPResponse<1..2^24-1>. */
function readCertificateStatus(s: ServerSession, r: Reader): void {
  expect(r.u8() === statusType.ocsp, faults.OCSP_MALFORMED);
  const response = r.enter24();
  expect(r.left > 0, faults.OCSP_MALFORMED);
  const start = r.skip(r.left);
  s.verifier.staple(s.verifier.sent - 1, r.bytes, start, r.end);
  r.leave(response);
}

/** What follows once the client has proved itself: `next`, unless the owner wants to look at it first. */
export function admitted(s: ServerSession, next: string): string {
  return s.config.holdClients && s.verifier.sent > 0 ? "AWAIT_APPROVAL" : next;
}
