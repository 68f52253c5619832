import type { Socket } from "node:net";
import {
  loadX509FromPem,
  makeTLSClient,
  setCryptoImplementation,
  type TLSClientOptions,
  type X509Certificate,
} from "@reclaimprotocol/tls";
import { webcryptoCrypto } from "@reclaimprotocol/tls/webcrypto";
import { openTcp, type Peer, request, scenariosOf, type Target } from "./peer.js";

setCryptoImplementation(webcryptoCrypto);

const roots = new Map<string, X509Certificate>();

function rootOf(pem: string): X509Certificate {
  const known = roots.get(pem) ?? loadX509FromPem(pem);
  roots.set(pem, known);
  return known;
}

const quiet = () => {};
const logger = { info: quiet, debug: quiet, trace: quiet, warn: quiet, error: quiet };

/**
 * P-256 alone, as by default it makes a key pair for each of three groups; X25519 alone would exclude servers
 * of TLS 1.2 with P-256 certificates (RFC 8422 5.1).
 */
function optionsOf({ name, root, version }: Target): Omit<TLSClientOptions, "write"> {
  return {
    host: name,
    verifyServerCertificate: true,
    rootCAs: [rootOf(root)],
    namedCurves: ["SECP256R1"],
    cipherSuites: [
      "TLS_AES_128_GCM_SHA256",
      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    ],
    supportedProtocolVersions: [version === "TLSv1.3" ? "TLS1_3" : "TLS1_2"],
    logger,
  };
}

function run(target: Target, n: number, socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let left = n;
    const client = makeTLSClient({
      ...optionsOf(target),
      write({ header, content }) {
        socket.write(header);
        socket.write(content);
      },
      onHandshake: () => void client.write(request(n)).catch(reject),
      onApplicationData(plaintext) {
        left -= plaintext.length;
        if (left > 0) return;
        const { version, cipherSuite } = client.getMetadata();
        resolve(`${version?.replace("TLS1_", "TLSv1.")} ${cipherSuite}`);
      },
      onTlsEnd: (error) => reject(error ?? new Error(`ended, with ${left} bytes to come`)),
    });
    socket.on("error", reject);
    socket.on("connect", () => void client.startHandshake().catch(reject));
    socket.on("data", (data) => void client.handleReceivedBytes(data).catch(reject));
  });
}

export const peer: Peer = {
  verifies: "chain, name",
  limits: "no staples",
  scenarios: scenariosOf("1.3", "1.2"),
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
