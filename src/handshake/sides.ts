import { secretLabel } from "../crypto/keys13.js";

/** What one side of a connection is called where both have the same: labels, the key log's lines, the signed context. */
export interface Side {
  /** Labels of its traffic secrets, RFC 8446 7.1, and what the key log calls them (RFC 9850). */
  readonly handshake: string;
  readonly handshakeLog: string;
  readonly application: string;
  readonly applicationLog: string;
  /** The label of its Finished in TLS 1.2, RFC 5246 7.4.9. */
  readonly finished: string;
  /** What its CertificateVerify says that it is about, RFC 8446 4.4.3. */
  readonly context: string;
}

export const clientSide: Side = Object.freeze({
  handshake: secretLabel.clientHandshake,
  handshakeLog: "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
  application: secretLabel.clientApplication,
  applicationLog: "CLIENT_TRAFFIC_SECRET_0",
  finished: "client finished",
  context: "TLS 1.3, client CertificateVerify",
});

export const serverSide: Side = Object.freeze({
  handshake: secretLabel.serverHandshake,
  handshakeLog: "SERVER_HANDSHAKE_TRAFFIC_SECRET",
  application: secretLabel.serverApplication,
  applicationLog: "SERVER_TRAFFIC_SECRET_0",
  finished: "server finished",
  context: "TLS 1.3, server CertificateVerify",
});
