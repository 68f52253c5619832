import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { FaultName } from "../src/wire/index.js";
import type { ChainRow, OcspRow } from "./rows.js";

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

/** The response, in DER, about a certificate of the good PKI; real servers can staple it at any time. */
export function stapleFile(edition: Edition, name: string): string {
  return fixtureFile(`good/${edition}/${name}-ocsp.der`);
}

/** A chain that a client must take or refuse. */
export interface ChainCase {
  readonly id: string;
  readonly description: string;
  /** PEM of `chain`; a certificate there need not be one. */
  readonly chainFile: string;
  /** As sent, the leaf first. */
  readonly chain: readonly Buffer[];
  /** PEM of `anchors`. */
  readonly anchorFile: string;
  readonly anchors: readonly Buffer[];
  /** PKCS#8 PEM of the leaf's private key. */
  readonly keyFile: string;
  /** The DNS name or address that the client asks for; undefined: any. */
  readonly name: string | undefined;
  readonly expected: FaultName | "good";
  /** The TLS alert that refuses it. */
  readonly alert: number | undefined;
}

/** All chains: those that must be accepted, then those that must be refused. */
export function chainCases(): ChainCase[] {
  const rows = ["good/chains/cases.json", "bad/cases.json"].flatMap((path) => readRows<ChainRow>(path));
  return rows.map(({ chain, anchors, key, ...row }) => ({
    name: undefined,
    alert: undefined,
    ...row,
    chainFile: fixtureFile(chain),
    chain: readCertificates(chain),
    anchorFile: fixtureFile(anchors),
    anchors: readCertificates(anchors),
    keyFile: fixtureFile(key),
  }));
}

/** An OCSP response that a client must take or refuse. */
export interface OcspCase {
  readonly id: string;
  readonly description: string;
  /** DER of `response`. */
  readonly responseFile: string;
  readonly response: Buffer;
  /** PEM of `subject`, the certificate that the response is stapled for. */
  readonly subjectFile: string;
  readonly subject: Buffer;
  readonly issuerFile: string;
  readonly issuer: Buffer;
  /** Seconds since 1970. */
  readonly at: number;
  /** Undefined: the client's default. */
  readonly skew: number | undefined;
  readonly maxAge: number | undefined;
  readonly allowMissingNextUpdate: boolean | undefined;
  readonly responders: readonly Buffer[];
  readonly nonce: Buffer | undefined;
  readonly expected: FaultName | "good";
  readonly alert: number | undefined;
  /** The CRLReason of a revocation. */
  readonly reason: number | undefined;
}

/** All responses, those that must be accepted and those that must be refused. */
export function ocspCases(): OcspCase[] {
  return readRows<OcspRow>("ocsp/cases.json").map(ocspCase);
}

/** Those with a nonce, and what they come to where a response may lack it. */
export function lenientCases(): OcspCase[] {
  const lacking = ["nonce-missing", "nonce-in-single", "nonce-extensions-empty"];
  const cases = ocspCases().filter(({ nonce }) => nonce !== undefined);
  return cases.map((row) =>
    lacking.includes(row.id) ? { ...row, expected: "good", alert: undefined } : row,
  );
}

function ocspCase(row: OcspRow): OcspCase {
  const { skew, maxAge, allowMissingNextUpdate, responders, nonce } = row.options ?? {};
  return {
    id: row.id,
    description: row.description,
    responseFile: fixtureFile(row.response),
    response: fixture(row.response),
    subjectFile: fixtureFile(row.subject),
    subject: readCertificates(row.subject)[0],
    issuerFile: fixtureFile(row.issuer),
    issuer: readCertificates(row.issuer)[0],
    at: row.at === undefined ? NOW : Date.parse(row.at) / 1000,
    skew,
    maxAge,
    allowMissingNextUpdate,
    responders: responders === undefined ? [] : readCertificates(responders),
    nonce: nonce === undefined ? undefined : Buffer.from(nonce, "hex"),
    expected: row.expected,
    alert: row.alert,
    reason: row.reason,
  };
}

function readRows<Row>(path: string): Row[] {
  return JSON.parse(fixture(path).toString("utf8"));
}
