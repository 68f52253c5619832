import type { Socket } from "node:net";
import forge from "node-forge";
import { openTcp, type Peer, request, type Target } from "./peer.js";

/** forge checks the chain by itself, and leaves the name to its caller. */
function hasName(certificate: Parameters<VerifyFunction>[3][0], name: string): boolean {
  const names = certificate.getExtension("subjectAltName")?.altNames ?? [];
  return names.some(({ type, value }) => type === DNS_NAME && value === name);
}

type VerifyFunction = Parameters<typeof forge.tls.createConnection>[0]["verify"];

/** GeneralName's dNSName, RFC 5280 4.2.1.6. */
const DNS_NAME = 2;

function run({ name, root }: Target, n: number, socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let left = n;
    const client = forge.tls.createConnection({
      server: false,
      caStore: [root],
      virtualHost: name,
      cipherSuites: [forge.tls.CipherSuites.TLS_RSA_WITH_AES_128_CBC_SHA],
      verify: (_, verified, depth, chain) => (depth === 0 && !hasName(chain[0], name) ? false : verified),
      connected: (connection) => connection.prepare(request(n).toString("latin1")),
      tlsDataReady: ({ tlsData }) => socket.write(tlsData.getBytes(), "latin1"),
      dataReady({ data }) {
        left -= data.length();
        data.getBytes();
        if (left <= 0) resolve("TLSv1.1 TLS_RSA_WITH_AES_128_CBC_SHA");
      },
      closed: () => reject(new Error(`closed, with ${left} bytes to come`)),
      error: (_, { message }) => reject(new Error(message)),
    });
    socket.on("error", reject);
    socket.on("connect", () => client.handshake());
    socket.on("data", (data) => client.process(data.toString("latin1")));
  });
}

export const peer: Peer = {
  verifies: "chain; name by our callback",
  limits: "TLS 1.1 at most, RSA key transport, AES-CBC with HMAC-SHA-1; no ECDSA, no staples",
  scenarios: ["1.1 RSA"],
  staples: false,
  async fetch(target: Target, n: number): Promise<string> {
    const socket = openTcp(target.port);
    try {
      return await run(target, n, socket);
    } finally {
      socket.destroy();
    }
  },
};
