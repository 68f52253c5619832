import type { Signature } from "../crypto/provider.js";
import { sendCertificates, sendCertificateVerify13, writeSignature } from "../handshake/identity.js";
import { rowsOf, STEP } from "../record/row.js";
import { handshakeType, version } from "../wire/registry.js";
import type { Beginning, Called } from "./feature.js";
import type { ClientHandshake } from "./handshake.js";
import type { ClientState } from "./states.js";

/** Shows a certificate of our own to a server that asks for one. */
export const clientCertificates: Called<Beginning> = Object.freeze({
  calls: Object.freeze({ begin: beginSignatures }),
  rows13: rowsOf<ClientHandshake>([
    { state: "SEND_CERTIFICATE", on: STEP, run: sendCertificate, sends: true },
    { state: "SEND_CERTIFICATE_VERIFY", on: STEP, run: sendCertificateVerify13, sends: true },
  ]),
  rows12: rowsOf<ClientHandshake>([
    { state: "SEND_CERTIFICATE", on: STEP, run: sendCertificate, sends: true },
    { state: "SEND_CERTIFICATE_VERIFY", on: STEP, run: sendCertificateVerify12, sends: true },
  ]),
});

/** In TLS 1.2 the client's signature covers the messages themselves, from the first on (RFC 5246 7.4.8). */
function beginSignatures(s: ClientHandshake): void {
  const signer = s.identity?.signer;
  if (signer && s.speaks(version.tls12))
    s.transcript.companions = signer.schemes.map((scheme) => signer.begin(scheme));
}

/** Only who has an identity comes here: `afterRequest`. */
export function sendCertificate(s: ClientHandshake): ClientState {
  if (!sendCertificates(s, s.identity!.certificates)) return "SEND_CERTIFICATE";
  return s.version === version.tls13 ? "SEND_CERTIFICATE_VERIFY" : "SEND_KEY_EXCHANGE";
}

/** CertificateVerify, RFC 5246 7.4.8: over all handshake messages so far. */
function sendCertificateVerify12(s: ClientHandshake): ClientState {
  const place = s.identity!.signer.schemes.indexOf(s.scheme);
  const signature = s.transcript.companions![place] as Signature;
  s.transcript.dropCompanions();
  writeSignature(s, s.engine.begin(handshakeType.certificate_verify), signature);
  s.engine.send();
  return "SEND_FINISHED";
}
