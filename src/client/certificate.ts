import { handshakeType, version } from "../wire/registry.js";
import type { ClientHandshake } from "./handshake.js";
import type { ClientState } from "./states.js";

/** What is sent to a server that asked for a certificate. */
export function afterRequest(s: ClientHandshake): ClientState {
  return s.scheme === 0 ? "SEND_NO_CERTIFICATE" : "SEND_CERTIFICATE";
}

/** Certificate with an empty list, RFC 8446 4.4.2 and RFC 5246 7.4.6: we have none, or none that the server takes. */
export function sendNoCertificate(s: ClientHandshake): ClientState {
  const tls13 = s.version === version.tls13;
  const w = s.engine.begin(handshakeType.certificate);
  if (tls13) w.u8(0);
  w.u24(0);
  s.engine.send();
  return tls13 ? "SEND_FINISHED" : "SEND_KEY_EXCHANGE";
}
