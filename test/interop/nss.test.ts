import { version } from "../../src/client/index.js";
import { nssServer } from "../peers/peers.js";
import { withPeer } from "../peers/with-peer.js";
import { outcome, session } from "./session.js";

/** NSS staples what must be refused. Its true answers are refused as well: it signs them with SHA-1. */

const staples = {
  good: "OCSP_SIGNATURE_ALGORITHM",
  revoked: "OCSP_SIGNATURE_ALGORITHM",
  unknown: "OCSP_SIGNATURE_ALGORITHM",
  badsig: "OCSP_SIGNATURE_ALGORITHM",
  failure: "OCSP_NOT_SUCCESSFUL",
  corrupted: "OCSP_MALFORMED",
} as const;

const run = withPeer("nss");

for (const [staple, fault] of Object.entries(staples) as [keyof typeof staples, string][]) {
  for (const protocol of [version.tls12, version.tls13]) {
    run(`nss, ${staple}, TLS 1.${protocol - 0x0301}`, async (t) => {
      const peer = await nssServer(protocol, staple);
      t.teardown(() => peer.stop());
      t.is(await outcome(session(peer, "rsa", "server1")), fault);
      const without = session(peer, "rsa", "server1", { ocsp: { stapling: "off" } });
      t.is(await outcome(without), "good");
      without.destroy();
    });
  }
}
