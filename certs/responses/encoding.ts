import { contents, enumerated, explicit, integer, nil, sequence, tag, tlv } from "../der.js";
import { certId } from "../response.js";
import type { OcspMatrix } from "./matrix.js";

/** Encodings that DER forbids, and damage. */
export function encodingCases(m: OcspMatrix): void {
  const refused = (id: string, description: string, response: Buffer) =>
    m.bad(id, "OCSP_MALFORMED", description, response);
  const bend = (id: string, description: string, change: (der: Buffer) => Buffer) =>
    refused(id, description, m.response({ bend: change }));
  const append = (der: Buffer) => Buffer.concat([der, Buffer.of(0)]);
  const inside = (der: Buffer) => sequence(contents(der), nil);
  refused("empty", "no byte at all", Buffer.of());
  refused("garbage", "an HTML page", Buffer.from("<html><body>503 Service Unavailable</body></html>"));
  bend("truncated", "the last byte is missing", (der) => der.subarray(0, -1));
  bend("halved", "the second half is missing", (der) => der.subarray(0, der.length >> 1));
  bend("trailing", "a byte after the response", append);
  bend("trailing-inside", "a NULL after the responseBytes", inside);
  refused("trailing-basic", "a byte after the BasicOCSPResponse", m.response({ bendBasic: append }));
  refused("trailing-in-basic", "a NULL after the certificates", m.response({ bendBasic: inside }));
  refused("trailing-in-data", "a NULL after the answers", m.response({ bendData: inside }));
  bend("length-padded", "the outer length has a leading zero", (der) =>
    Buffer.concat([Buffer.of(0x30, 0x83, 0), der.subarray(2)]),
  );
  bend("length-indefinite", "the outer length is indefinite", (der) =>
    Buffer.concat([Buffer.of(0x30, 0x80), contents(der), Buffer.of(0, 0)]),
  );
  m.good(
    "version-explicit",
    "version 1, the default, spelt out, as some responders do: Chromium and mozilla::pkix let them",
    m.response({ version: explicit(0, integer(0)) }),
  );
  refused("responder-id-missing", "no responderID", m.response({ responderId: Buffer.of() }));
  refused(
    "serial-padded",
    "the CertID's serial number has a needless leading zero",
    m.response({ single: { certId: certId(m.issuer, tlv(tag.integer, Buffer.of(0, 5))) } }),
  );
  refused("status-long", "a response status of two octets", m.response({ bend: (der) => longStatus(der) }));
}

/** OCSPResponseStatus as 00 00, which DER writes in one octet. */
function longStatus(der: Buffer): Buffer {
  const successful = enumerated(0);
  const rest = contents(der).subarray(successful.length);
  return sequence(tlv(tag.enumerated, Buffer.of(0, 0)), rest);
}
