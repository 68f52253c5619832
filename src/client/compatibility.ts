import type { ClientSession } from "./session.js";

/** RFC 8446 D.4: a ChangeCipherSpec of TLS 1.3 means nothing. */
export function ignoreCompatibilityChange(s: ClientSession): string {
  return s.state;
}

/** The client's one ChangeCipherSpec of TLS 1.3, for middleboxes, RFC 8446 D.4. */
export function sendCompatibilityChange(s: ClientSession): void {
  if (!s.changeCipherSpecSent) s.engine.sendChangeCipherSpec();
  s.changeCipherSpecSent = true;
}
