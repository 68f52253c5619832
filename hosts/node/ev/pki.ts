/** The certificates of charging, made on the spot, as ISO 15118 has them: V2G roots, two sub-CAs each, chargers and vehicles. */

import { type Issued, issue, pem } from "../../../certs/certificate.js";
import { ia5, oid, sequence, set, utf8 } from "../../../certs/der.js";
import {
  authorityKeyIdentifier,
  basicConstraints,
  keyUsage,
  subjectKeyIdentifier,
} from "../../../certs/extensions.js";
import { type KeyType, newKey } from "../../../certs/keys.js";

/** A chain as it is shown, and who is above it. */
export interface Branch {
  readonly root: Issued;
  /** Under the root, and under the first. */
  readonly subCas: readonly [Issued, Issued];
  readonly leaf: Issued;
}

/** What the leaf of a branch is for: its name, its domainComponent and its CAs' operator. */
export interface Holder {
  readonly name: string;
  readonly domain: string;
  readonly operator: string;
  readonly root: string;
}

/** Makes a branch whose keys are all of this type. */
export function branch(type: KeyType, { name, domain, operator, root: rootName }: Holder): Branch {
  const root = authority(type, undefined, rootName, "V2G");
  const first = authority(type, root, `${operator} Sub-CA 1`, "V2G", 1);
  const second = authority(type, first, `${operator} Sub-CA 2`, "V2G", 0);
  return { root, subCas: [first, second], leaf: leaf(type, second, name, domain) };
}

/** The branch with another leaf, of another domainComponent. */
export function posing(type: KeyType, under: Branch, name: string, domain: string): Branch {
  return { ...under, leaf: leaf(type, under.subCas[1], name, domain) };
}

function authority(
  type: KeyType,
  issuer: Issued | undefined,
  name: string,
  domain: string,
  pathLength?: number,
): Issued {
  const key = newKey(type);
  return issue(issuer, {
    subject: subject(name, domain),
    key,
    extensions: {
      constraints: basicConstraints(true, pathLength),
      usage: keyUsage("digitalSignature", "keyCertSign", "cRLSign"),
      subjectKey: subjectKeyIdentifier(key.spki),
      authorityKey: issuer && authorityKeyIdentifier(issuer.key.spki),
    },
  });
}

function leaf(type: KeyType, issuer: Issued, name: string, domain: string): Issued {
  const key = newKey(type);
  return issue(issuer, {
    subject: subject(name, domain),
    key,
    extensions: {
      constraints: basicConstraints(false),
      usage: keyUsage("digitalSignature", "keyAgreement"),
      subjectKey: subjectKeyIdentifier(key.spki),
      authorityKey: authorityKeyIdentifier(issuer.key.spki),
    },
  });
}

/** O, CN and domainComponent, which is an IA5String (RFC 4519 2.4). */
function subject(name: string, domain: string): Buffer {
  const attribute = (id: string, value: Buffer) => set(sequence(oid(id), value));
  return sequence(
    attribute("2.5.4.10", utf8("tlstaple test")),
    attribute("2.5.4.3", utf8(name)),
    attribute("0.9.2342.19200300.100.1.25", ia5(domain)),
  );
}

/** The chain as it is shown, without its root, and its key. */
export function shown({ leaf: own, subCas: [first, second] }: Branch) {
  return { cert: pem(own.der, second.der, first.der), key: own.key.pem };
}

/** As an OCSP responder's index writes a serial number. */
export function serialOf({ serial }: Issued): string {
  return serial.subarray(2).toString("hex").toUpperCase();
}
