/** Certificates and OCSP responses as plain objects, for people and for JSON. Nothing is verified here. */

import { createHash, X509Certificate } from "node:crypto";
import {
  BasicOCSPResponse,
  type CertID,
  OCSPResponse,
  OCSPResponseStatus,
  type ResponderID,
  type SingleResponse,
} from "@peculiar/asn1-ocsp";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AuthorityInfoAccessSyntax,
  BasicConstraints,
  Certificate,
  CRLReasons,
  ExtendedKeyUsage,
  type Extension,
  type GeneralName,
  KeyUsage,
  Name,
  SubjectAlternativeName,
} from "@peculiar/asn1-x509";

/** What a certificate says. Times are ISO 8601, octets are hex; `null` and an empty list mean absent. */
export interface CertificateInfo {
  subject: string;
  issuer: string;
  serialNumber: string;
  notBefore: string;
  notAfter: string;
  publicKey: string;
  signatureAlgorithm: string;
  subjectAltName: string[];
  keyUsage: string[];
  extendedKeyUsage: string[];
  basicConstraints: { ca: boolean; pathLength: number | null } | null;
  ocspResponders: string[];
  mustStaple: boolean;
  fingerprints: { sha1: string; sha256: string };
}

/** What one SingleResponse says. */
export interface SingleInfo {
  certID: { hashAlgorithm: string; issuerNameHash: string; issuerKeyHash: string; serialNumber: string };
  certStatus: "good" | "revoked" | "unknown";
  revocationTime: string | null;
  revocationReason: string | null;
  thisUpdate: string;
  nextUpdate: string | null;
  extensions: string[];
}

/** What an OCSP response says; only the status when it is not successful. */
export interface ResponseInfo {
  responseStatus: string;
  responderID?: string;
  producedAt?: string;
  responses?: SingleInfo[];
  nonce?: string | null;
  extensions?: string[];
  signatureAlgorithm?: string;
  certificates?: CertificateInfo[];
}

/** @throws Error when it is malformed */
export function describeCertificate(der: Uint8Array): CertificateInfo {
  const { publicKey } = new X509Certificate(der);
  const { tbsCertificate, signatureAlgorithm } = AsnConvert.parse(der, Certificate);
  return {
    subject: nameText(tbsCertificate.subject),
    issuer: nameText(tbsCertificate.issuer),
    serialNumber: hex(tbsCertificate.serialNumber),
    notBefore: isoTime(tbsCertificate.validity.notBefore.getTime()),
    notAfter: isoTime(tbsCertificate.validity.notAfter.getTime()),
    publicKey: keyText(publicKey),
    signatureAlgorithm: oidText(signatureAlgorithm.algorithm),
    ...describeExtensions(tbsCertificate.extensions ?? []),
    fingerprints: { sha1: digest("sha1", der), sha256: digest("sha256", der) },
  };
}

/** The same; null for what only our core, or Node, could make something of. */
export function certificateInfo(der: Uint8Array): CertificateInfo | null {
  try {
    return describeCertificate(der);
  } catch {
    return null;
  }
}

export function describeExtensions(extensions: Extension[]) {
  const find = <T>(id: string, type: new () => T): T | undefined => {
    const found = extensions.find(({ extnID }) => extnID === id);
    return found && AsnConvert.parse(found.extnValue.buffer, type);
  };
  const constraints = find("2.5.29.19", BasicConstraints);
  return {
    subjectAltName: (find("2.5.29.17", SubjectAlternativeName) ?? []).map(generalNameText),
    keyUsage: find("2.5.29.15", KeyUsage)?.toJSON() ?? [],
    extendedKeyUsage: (find("2.5.29.37", ExtendedKeyUsage) ?? []).map(oidText),
    basicConstraints: constraints
      ? { ca: constraints.cA, pathLength: constraints.pathLenConstraint ?? null }
      : null,
    ocspResponders: ocspResponders(extensions),
    mustStaple: extensions.some(isMustStaple),
  };
}

/** The locations of the OCSP responders that a certificate with these extensions names, RFC 5280 4.2.2.1. */
function ocspResponders(extensions: readonly Extension[]): string[] {
  const found = extensions.find(({ extnID }) => extnID === "1.3.6.1.5.5.7.1.1");
  if (!found) return [];
  return [...AsnConvert.parse(found.extnValue.buffer, AuthorityInfoAccessSyntax)]
    .filter(({ accessMethod }) => accessMethod === "1.3.6.1.5.5.7.48.1")
    .map(({ accessLocation }) => generalNameText(accessLocation).replace(/^URI:/, ""));
}

/** RFC 7633: the list of TLS features has status_request (5) or status_request_v2 (17) in it. */
function isMustStaple({ extnID, extnValue }: Extension): boolean {
  return extnID === "1.3.6.1.5.5.7.1.24" && /^30..(0201..)*0201(05|11)/.test(hex(extnValue.buffer));
}

/** @throws Error when it is malformed */
export function describeResponse(der: Uint8Array): ResponseInfo {
  const { responseStatus, responseBytes } = AsnConvert.parse(der, OCSPResponse);
  const status = OCSPResponseStatus[responseStatus] ?? String(responseStatus);
  if (!responseBytes) return { responseStatus: status };
  const basic = AsnConvert.parse(responseBytes.response.buffer, BasicOCSPResponse);
  const { responderID, producedAt, responses, responseExtensions = [] } = basic.tbsResponseData;
  return {
    responseStatus: status,
    responderID: responderText(responderID),
    producedAt: isoTime(producedAt),
    responses: responses.map(describeSingle),
    nonce: nonceText(responseExtensions),
    extensions: responseExtensions.map(extensionText),
    signatureAlgorithm: oidText(basic.signatureAlgorithm.algorithm),
    certificates: (basic.certs ?? []).map((each) =>
      describeCertificate(Buffer.from(AsnConvert.serialize(each))),
    ),
  };
}

/** The same; null for what is malformed. */
export function responseInfo(der: Uint8Array): ResponseInfo | null {
  try {
    return describeResponse(der);
  } catch {
    return null;
  }
}

function describeSingle(single: SingleResponse): SingleInfo {
  const { certID, certStatus, thisUpdate, nextUpdate, singleExtensions = [] } = single;
  const { revoked } = certStatus;
  const reason = revoked?.revocationReason?.reason;
  return {
    certID: certIdText(certID),
    certStatus: revoked ? "revoked" : certStatus.unknown !== undefined ? "unknown" : "good",
    revocationTime: revoked ? isoTime(revoked.revocationTime) : null,
    revocationReason: reason === undefined ? null : reasonText(reason),
    thisUpdate: isoTime(thisUpdate),
    nextUpdate: nextUpdate ? isoTime(nextUpdate) : null,
    extensions: singleExtensions.map(extensionText),
  };
}

export function certIdText(certID: CertID): SingleInfo["certID"] {
  return {
    hashAlgorithm: oidText(certID.hashAlgorithm.algorithm),
    issuerNameHash: hex(certID.issuerNameHash.buffer),
    issuerKeyHash: hex(certID.issuerKeyHash.buffer),
    serialNumber: hex(certID.serialNumber),
  };
}

function responderText({ byName, byKey }: ResponderID): string {
  return byName ? `byName ${nameText(byName)}` : `byKey ${hex(byKey!.buffer)}`;
}

/** RFC 9654: an OCTET STRING within that of the extension; shown whole where it is not. */
export function nonceText(extensions: Extension[]): string | null {
  const found = extensions.find(({ extnID }) => extnID === "1.3.6.1.5.5.7.48.1.2");
  if (!found) return null;
  try {
    return hex(AsnConvert.parse(found.extnValue.buffer, OctetString).buffer);
  } catch {
    return hex(found.extnValue.buffer);
  }
}

/** A time to the second, in UTC, as ISO 8601. Takes milliseconds or a Date. */
export function isoTime(time: number | Date): string {
  return new Date(time).toISOString().replace(/\.\d+/, "");
}

/** The name of a CRLReason, RFC 5280 5.3.1. */
export function reasonText(reason: number): string {
  return CRLReasons[reason] ?? `reason ${reason}`;
}

export const extensionText = ({ extnID, critical }: Extension) =>
  oidText(extnID) + (critical ? " (critical)" : "");

export function keyText({
  asymmetricKeyType: type,
  asymmetricKeyDetails: details,
}: X509Certificate["publicKey"]) {
  const size = details?.namedCurve ?? (details?.modulusLength ? `${details.modulusLength} bits` : "");
  return `${type ?? "unknown"} ${size}`.trim();
}

const attributeNames: Readonly<Record<string, string>> = Object.freeze({
  "2.5.4.3": "CN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "0.9.2342.19200300.100.1.25": "DC",
  "1.2.840.113549.1.9.1": "emailAddress",
});

/** A distinguished name in DER as text. @throws Error when it is malformed */
export function describeName(der: Uint8Array): string {
  return nameText(AsnConvert.parse(der, Name));
}

/** A distinguished name in the order of its DER, attributes with their usual short names. */
export function nameText(name: Name): string {
  const attributes = name.flatMap((rdn) => [...rdn]);
  return attributes
    .map(({ type, value }) => `${attributeNames[type] ?? type}=${value.toString()}`)
    .join(", ");
}

function generalNameText(name: GeneralName): string {
  if (name.dNSName !== undefined) return `DNS:${name.dNSName}`;
  if (name.iPAddress !== undefined) return `IP:${name.iPAddress}`;
  if (name.uniformResourceIdentifier !== undefined) return `URI:${name.uniformResourceIdentifier}`;
  if (name.rfc822Name !== undefined) return `email:${name.rfc822Name}`;
  if (name.directoryName !== undefined) return `DirName:${nameText(name.directoryName)}`;
  return "another kind of name";
}

const oidNames: Readonly<Record<string, string>> = Object.freeze({
  "1.2.840.10045.4.1": "ecdsa-with-SHA1",
  "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
  "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
  "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
  "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
  "1.2.840.113549.1.1.10": "RSASSA-PSS",
  "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
  "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
  "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
  "1.3.101.112": "Ed25519",
  "1.3.101.113": "Ed448",
  "1.3.14.3.2.26": "SHA-1",
  "2.16.840.1.101.3.4.2.1": "SHA-256",
  "2.16.840.1.101.3.4.2.2": "SHA-384",
  "2.16.840.1.101.3.4.2.3": "SHA-512",
  "1.3.6.1.5.5.7.3.1": "serverAuth",
  "1.3.6.1.5.5.7.3.2": "clientAuth",
  "1.3.6.1.5.5.7.3.9": "OCSPSigning",
  "2.5.29.37.0": "anyExtendedKeyUsage",
  "1.3.6.1.5.5.7.48.1.2": "nonce",
  "1.3.6.1.5.5.7.48.1.6": "archive-cutoff",
  "1.3.6.1.5.5.7.48.1.9": "extended-revoke",
  "1.3.6.1.4.1.11129.2.4.5": "signed-certificate-timestamps",
});

/** The name of an object identifier, or its dotted form. */
export const oidText = (oid: string) => oidNames[oid] ?? oid;

const hex = (bytes: ArrayBuffer) => Buffer.from(bytes).toString("hex");

const digest = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest("hex");
