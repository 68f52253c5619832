import { credential, type Edition, fixture } from "../../certs/fixtures.js";

/** The name that every peer asks for and, where it can, verifies. */
export const SERVER_NAME = "server1.tlstaple.test";

/** Who signed the staple that the server has ready for clients that ask. */
export type StapleKind = "issuer" | "delegate";

/** A server to connect to: one port of the server process. */
export interface Scenario {
  readonly id: string;
  readonly version: "TLSv1.3" | "TLSv1.2" | "TLSv1.1" | "none" | "opening" | "sealing";
  readonly edition: Edition;
  readonly staple: StapleKind;
}

/**
 * Chains of three certificates, of which leaf and intermediate are sent. "tcp" is a server without TLS, and for "opening" and
 * "sealing" there is none: see peers/ciphers.ts.
 */
export const scenarios: readonly Scenario[] = Object.freeze([
  { id: "1.3 P-256", version: "TLSv1.3", edition: "p256", staple: "issuer" },
  { id: "1.3 P-256 delegate", version: "TLSv1.3", edition: "p256", staple: "delegate" },
  { id: "1.3 RSA", version: "TLSv1.3", edition: "rsa", staple: "issuer" },
  { id: "1.2 P-256", version: "TLSv1.2", edition: "p256", staple: "issuer" },
  { id: "1.2 RSA", version: "TLSv1.2", edition: "rsa", staple: "issuer" },
  { id: "1.1 RSA", version: "TLSv1.1", edition: "rsa", staple: "issuer" },
  { id: "tcp", version: "none", edition: "p256", staple: "issuer" },
  { id: "opening", version: "opening", edition: "p256", staple: "issuer" },
  { id: "sealing", version: "sealing", edition: "p256", staple: "issuer" },
]);

/** Those in which somebody connects. */
export const connecting: readonly Scenario[] = scenarios.filter(
  ({ id }) => id !== "opening" && id !== "sealing",
);

/** Those in which servers are compared. */
export const servedScenarios: readonly string[] = ["1.3 P-256", "1.3 RSA", "1.2 P-256", "1.2 RSA"];

export function findScenario(id: string): Scenario {
  const found = scenarios.find((scenario) => scenario.id === id);
  if (!found) throw new Error(`no such scenario: ${id}`);
  return found;
}

/** The root that the peers trust, as PEM. */
export function trustedRoot(edition: Edition): string {
  return fixture(`good/${edition}/root.pem`).toString("latin1");
}

/** What the server sends of its chain, as PEM: all but the root. */
export function serverChain(edition: Edition): string {
  const { chain } = credential(edition, "server1");
  return chain.slice(0, -1).map(pem).join("");
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** The OCSP response that the server staples. */
export function stapleOf({ edition, staple }: Scenario): Buffer {
  const by = staple === "issuer" ? "issuer" : "delegate";
  return fixture(edition === "rsa" ? `ocsp/rsa-${by}.der` : `ocsp/by-${by}.der`);
}
