import { writeFileSync } from "node:fs";
import { dissection } from "./dissection.js";
import { sequence } from "./sequence.js";

/**
 * Draws the pictures of docs/walkthrough.md anew, by tshark from the captures that `npm run walkthrough` has left:
 * `node build/test/walkthrough/pictures.js`.
 */

const multi =
  "Thirteen packets of a TLS 1.2 connection. The server's flight holds a Certificate Status message of type OCSP " +
  "Multi with three OCSP responses; the first is unfolded: serial 7, certStatus good, with thisUpdate and nextUpdate.";
const revoked =
  "Nine packets of a TLS 1.2 connection. The first of three OCSP responses says certStatus revoked for serial 8; " +
  "the client answers with the fatal alert Certificate Revoked.";

writeFileSync("docs/stapling-sequence.svg", sequence());
writeFileSync(
  "docs/capture-good.svg",
  await dissection("captures/3-w3.pcapng", "captures/3-w3.pcapng in Wireshark: -W 3, all good", multi),
);
writeFileSync(
  "docs/capture-revoked.svg",
  await dissection(
    "captures/5-revoked.pcapng",
    "captures/5-revoked.pcapng in Wireshark: -W 3, revoked",
    revoked,
  ),
);
