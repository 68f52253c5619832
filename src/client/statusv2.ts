import { LIST_LENGTH, measureCertificate, readOcspResponse } from "../handshake/certificates.js";
import { extensionRows, inMessage } from "../handshake/extensionrow.js";
import { isV2 } from "../pki/policy.js";
import { rowsOf } from "../record/row.js";
import { faults } from "../wire/fault.js";
import { extensionType, handshakeType, version } from "../wire/registry.js";
import type { Writer } from "../wire/writer.js";
import { announceStatus, wantedStatus, writeOcspStatusRequest } from "./extensions.js";
import type { Feature } from "./feature.js";
import type { ClientHandshake } from "./handshake.js";
import type { ClientState } from "./states.js";

/** status_request_v2 of TLS 1.2, RFC 6961: a staple for the server's certificate, or a list of them for its chain. */
export const statusV2: Feature = Object.freeze({
  extensions: extensionRows<ClientHandshake>([
    {
      type: extensionType.status_request_v2,
      where: inMessage.client_hello | inMessage.server_hello12,
      sends: (s) => s.speaks(version.tls12) && isV2(s.config.ocsp.stapling),
      write: writeStatusRequestV2,
      read: (s) => announceStatus(s, extensionType.status_request_v2),
    },
  ]),
  rows12: rowsOf<ClientHandshake>([
    {
      state: "WAIT_STATUS_LIST",
      on: handshakeType.certificate_status,
      run: receiveStatusList,
      measure: () => LIST_LENGTH,
    },
    {
      state: "WAIT_STATUS_ENTRY",
      on: handshakeType.certificate_status,
      run: receiveStatusEntry,
      measure: measureCertificate,
    },
  ]),
});

/** CertificateStatusRequestListV2, RFC 6961 2.2: one item. */
function writeStatusRequestV2(s: ClientHandshake, w: Writer): void {
  const list = w.begin16();
  w.u8(wantedStatus(s));
  const request = w.begin16();
  writeOcspStatusRequest(s, w);
  w.finish16(request);
  w.finish16(list);
}

function receiveStatusList(s: ClientHandshake): ClientState {
  if (s.engine.reader.u24() !== s.engine.left || s.engine.left === 0) throw faults.DECODE_ERROR;
  return "WAIT_STATUS_ENTRY";
}

/** OCSPResponse<0..2^24-1>: in the order of the certificates, of whose last some may have none; empty, none. */
function receiveStatusEntry(s: ClientHandshake): ClientState {
  const r = s.engine.reader;
  const certificate = s.responsesSent++;
  if (certificate >= s.verifier.sent) throw faults.OCSP_MALFORMED;
  if (r.left > 3) readOcspResponse(s, r, certificate);
  else r.skip(3);
  return s.engine.left > 0 ? "WAIT_STATUS_ENTRY" : "WAIT_KEY_EXCHANGE";
}
