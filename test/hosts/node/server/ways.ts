import { type ConnectOptions, connect, type OcspVerdict } from "../../../../hosts/node/index.js";

/** The ways in which a client of ours asks a server for staples. */

export type OcspOptions = NonNullable<ConnectOptions["ocsp"]>;

export interface Way {
  readonly version: "TLSv1.2" | "TLSv1.3";
  readonly ocsp: OcspOptions;
  /** How many certificates are stapled, of the three that the server shows. */
  readonly stapled: number;
}

export const ways: Readonly<Record<string, Way>> = {
  "TLS 1.2, v1": { version: "TLSv1.2", ocsp: { stapling: "v1", policy: "leaf" }, stapled: 1 },
  "TLS 1.2, v2": { version: "TLSv1.2", ocsp: { stapling: "v2", policy: "leaf" }, stapled: 1 },
  "TLS 1.2, v2-multi": { version: "TLSv1.2", ocsp: { stapling: "v2-multi", policy: "chain" }, stapled: 3 },
  "TLS 1.3": { version: "TLSv1.3", ocsp: { stapling: "v1", policy: "chain" }, stapled: 3 },
};

export const only = (version: Way["version"]) => ({ minVersion: version, maxVersion: version }) as const;

/** One connection of our client from its beginning to its end; what it found of staples. Throws its error. */
export async function visit(port: number, options: ConnectOptions): Promise<OcspVerdict[]> {
  const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ...options });
  for await (const _ of socket);
  return socket.ocsp;
}
