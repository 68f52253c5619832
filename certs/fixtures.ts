import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The moment that tests take for now, in seconds since 1970: 2026-07-01, well inside every good validity. */
export const NOW = Date.parse("2026-07-01T12:00:00Z") / 1000;

/** The file of a fixture, by its path below certs/. */
export function fixtureFile(path: string): string {
  return fileURLToPath(new URL(`../../certs/${path}`, import.meta.url));
}

/** The bytes of a fixture. */
export function fixture(path: string): Buffer {
  return readFileSync(fixtureFile(path));
}

/** The DER of each certificate of a PEM fixture, in the order of the file. */
export function readCertificates(path: string): Buffer[] {
  const blocks = fixture(path)
    .toString("latin1")
    .matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g);
  return [...blocks].map(([, base64]) => Buffer.from(base64, "base64"));
}

/** The editions of the walkthrough's PKI. */
export type Edition = "p256" | "rsa";

/** What someone who holds a private key has: files for tools, bytes for tests. */
export interface Credential {
  /** PEM: the certificate and, for servers and clients, the chain that goes with it. */
  readonly certificateFile: string;
  /** PKCS#8 PEM. */
  readonly keyFile: string;
  /** DER of the certificates in `certificateFile`. */
  readonly chain: readonly Buffer[];
}

/** A holder of the good PKI: "root", "intermediate1", "ocsp-intermediate1", "server1", "must-staple"… */
export function credential(edition: Edition | "client", name: string): Credential {
  const path = `good/${edition}/${name}`;
  return {
    certificateFile: fixtureFile(`${path}.pem`),
    keyFile: fixtureFile(`${path}-key.pem`),
    chain: readCertificates(`${path}.pem`),
  };
}
