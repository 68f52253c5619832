/** What is asked of a runtime, and what it reports. */

import type { Edition } from "../../certs/fixtures.js";
import type { ProtocolVersion } from "../../hosts/node/index.js";

/** Done with both sides in the runtime itself: what a user of node:tls may count on. */
export const alone = [
  "offered AEADs",
  "resumption",
  "client certificate",
  "getPeerCertificate",
  "exportKeyingMaterial",
  "pfx",
  "https.get with createConnection",
  "https.get with Agent",
  "connectHttp2",
  "ocsp.lookup",
  "Stapler",
] as const;

export type Deed = "client" | "server" | (typeof alone)[number];

/** A server that is to be connected to, or to be. */
export interface Secured {
  readonly edition: Edition;
  readonly name: string;
  readonly version?: ProtocolVersion;
  readonly port?: number;
}

export type Report = Readonly<Record<string, unknown>>;
