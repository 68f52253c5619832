// HTTPS with a required staple: no connection unless the server proves that its certificate is not revoked.

import TLSSocket from "embedded:io/socket/tcp/tls";
import HTTPClient from "embedded:network/http/client";
import config from "mc/config";

const { dns, socket } = device.network.http;

const https = new HTTPClient({
  host: config.host, // of the manifest, which has its CA in data: ca170, DigiCert Global Root G2
  port: config.port,
  dns,
  socket: {
    io: TLSSocket,
    TCP: socket,
    secure: {
      applicationLayerProtocolNegotiation: "http/1.1",
      ocsp: { policy: "leaf" },
      onSecure({ session }) {
        if (session.resumed) return; // it was good when the session began, and still is
        const [{ status, nextUpdate }] = session.verdicts;
        trace(`the certificate is ${status} until ${new Date(nextUpdate * 1000).toISOString()}\n`);
      },
      onError({ code, message }) {
        if (code === "OCSP_CERT_REVOKED") trace("the server's certificate was withdrawn\n");
        else trace(`no connection: ${message}\n`);
      },
    },
  },
});

https.request({
  path: "/",
  onHeaders(status) {
    trace(`status ${status}\n`);
  },
  onReadable(count) {
    trace(`${this.read(count).byteLength} bytes\n`);
  },
  onDone(error) {
    trace(error ? "the answer is not complete\n" : "done\n");
    https.close();
  },
});
