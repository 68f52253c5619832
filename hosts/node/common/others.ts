/** What else stands in files beside certificates and OCSP responses, as plain objects. Nothing is verified here. */

import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { OCSPRequest } from "@peculiar/asn1-ocsp";
import { AsnConvert } from "@peculiar/asn1-schema";
import { CertificateList, Extensions } from "@peculiar/asn1-x509";
import {
  type CertificateInfo,
  certIdText,
  certificateInfo,
  describeExtensions,
  describeName,
  extensionText,
  isoTime,
  keyText,
  nameText,
  nonceText,
  oidText,
} from "./describe.js";
import { type Kind, valuesIn } from "./kinds.js";

/** A kind, and what it says: text, numbers, lists. */
export interface OtherInfo {
  readonly kind: Kind;
  readonly [field: string]: unknown;
}

type Other = Exclude<Kind, "certificate" | "OCSP response">;

const describers: Readonly<Record<Other, (der: Buffer) => object>> = Object.freeze({
  "private key": describePrivateKey,
  "encrypted private key": () => ({}),
  "public key": (der) => ({ publicKey: keyText(createPublicKey({ key: der, format: "der", type: "spki" })) }),
  CSR: describeRequest,
  CRL: describeCrl,
  "PKCS #7": describePkcs7,
  "PKCS #12": () => ({}),
  "OCSP request": describeOcspRequest,
});

/** What can't be read is `malformed`. */
export function describeOther(kind: Other, der: Buffer): OtherInfo {
  try {
    return { kind, ...describers[kind](der) };
  } catch {
    return { kind, malformed: true };
  }
}

/** Of the key itself nothing is shown. */
function describePrivateKey(der: Buffer): object {
  const [outer] = valuesIn(der);
  const [, second] = valuesIn(outer.content);
  const type = second.tag === 0x30 ? "pkcs8" : second.tag === 0x04 ? "sec1" : "pkcs1";
  const key: KeyObject = createPrivateKey({ key: der, format: "der", type });
  return { publicKey: keyText(createPublicKey(key)) };
}

/** extensionRequest, RFC 2985 5.4.2. */
const EXTENSION_REQUEST = "06092a864886f70d01090e";

/** CertificationRequest, RFC 2986 section 4. */
function describeRequest(der: Buffer): object {
  const [info] = valuesIn(valuesIn(der)[0].content);
  const [, subject, publicKey, attributes] = valuesIn(info.content);
  const request = attributes && valuesIn(attributes.content).map(({ content }) => valuesIn(content));
  const wanted = request?.find(([type]) => type.whole.toString("hex") === EXTENSION_REQUEST);
  const extensions = wanted ? AsnConvert.parse(valuesIn(wanted[1].content)[0].whole, Extensions) : [];
  const key = createPublicKey({ key: publicKey.whole, format: "der", type: "spki" });
  return {
    subject: describeName(subject.whole),
    publicKey: keyText(key),
    ...describeExtensions([...extensions]),
  };
}

/** CertificateList, RFC 5280 section 5. */
function describeCrl(der: Buffer): object {
  const { signatureAlgorithm, tbsCertList } = AsnConvert.parse(der, CertificateList);
  const { crlExtensions = [], issuer, nextUpdate, revokedCertificates = [], thisUpdate } = tbsCertList;
  return {
    issuer: nameText(issuer),
    thisUpdate: isoTime(thisUpdate.getTime()),
    nextUpdate: nextUpdate ? isoTime(nextUpdate.getTime()) : null,
    revokedCertificates: revokedCertificates.length,
    extensions: crlExtensions.map(extensionText),
    signatureAlgorithm: oidText(signatureAlgorithm.algorithm),
  };
}

/** SignedData's, RFC 5652 5.1, by the OID of its ContentInfo. */
const SIGNED_DATA = "06092a864886f70d010702";

/** The certificates of SignedData are shown, as most such files are a bag of these alone. */
function describePkcs7(der: Buffer): { certificates: (CertificateInfo | null)[] } {
  const [type, explicit] = valuesIn(valuesIn(der)[0].content);
  if (type.whole.toString("hex") !== SIGNED_DATA) return { certificates: [] };
  const parts = valuesIn(valuesIn(explicit.content)[0].content);
  const bag = parts.find(({ tag }) => tag === 0xa0);
  return { certificates: bag ? valuesIn(bag.content).map(({ whole }) => certificateInfo(whole)) : [] };
}

/** OCSPRequest, RFC 6960 4.1.1. */
function describeOcspRequest(der: Buffer): object {
  const { optionalSignature, tbsRequest } = AsnConvert.parse(der, OCSPRequest);
  const { requestExtensions = [], requestList } = tbsRequest;
  return {
    requests: requestList.map(({ reqCert }) => certIdText(reqCert)),
    nonce: nonceText(requestExtensions),
    extensions: requestExtensions.map(extensionText),
    signed: optionalSignature !== undefined,
  };
}
