import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import type { Authority } from "../../../../certs/certificate.js";
import { children, explicit, integer, octets, sequence } from "../../../../certs/der.js";
import { extension } from "../../../../certs/extensions.js";
import { credential, type Edition, fixtureFile, NOW } from "../../../../certs/fixtures.js";
import { readKey } from "../../../../certs/keys.js";
import { certId } from "../../../../certs/response.js";
import {
  type AuthorityOptions,
  createResponder,
  type Responder,
  type ResponderOptions,
  type SignerOptions,
} from "../../../../hosts/node/responder/index.js";

/** A CA of the good PKI, as the makers of fixtures take one. */
export function authority(edition: Edition, name: string): Authority {
  const { chain, keyFile } = credential(edition, name);
  const [tbs] = children(chain[0]);
  return { name: children(tbs)[5], key: readKey(readFileSync(keyFile, "utf8")) };
}

/** A holder of the good PKI as a signer. */
export function signerOptions(
  edition: Edition,
  name: string,
  more: Partial<SignerOptions> = {},
): SignerOptions {
  const { certificateFile, keyFile } = credential(edition, name);
  return { cert: readFileSync(certificateFile), key: readFileSync(keyFile), ...more };
}

/** An authority of the good PKI, with its delegate and its index. */
export function authorityOptions(
  edition: Edition,
  name: string,
  more: Partial<AuthorityOptions> = {},
): AuthorityOptions {
  return {
    issuer: credential(edition, name).chain[0],
    index: fixtureFile(`good/${edition}/index-${name}.txt`),
    signer: signerOptions(edition, `ocsp-${name}`),
    ...more,
  };
}

/** A responder of intermediate 1 at NOW, with an hour's validity. */
export function responderOf(
  edition: Edition = "p256",
  more: Partial<AuthorityOptions> = {},
  options: Partial<ResponderOptions> = {},
): Promise<Responder> {
  const authorities = [authorityOptions(edition, "intermediate1", more)];
  return createResponder({ authorities, validity: 3600, clock: () => NOW, ...options });
}

export interface RequestTemplate {
  /** Contents of CertIDs. */
  readonly certIds: readonly Buffer[];
  /** Octets of the nonce. */
  readonly nonce?: Uint8Array;
  /** Extension TLVs besides the nonce. */
  readonly extensions?: readonly Buffer[];
  readonly singleExtensions?: readonly Buffer[];
  /** TLVs before the requestList. */
  readonly before?: readonly Buffer[];
  /** The optionalSignature's contents. */
  readonly signature?: Buffer;
}

/** OCSPRequest, RFC 6960 4.1.1. */
export function ocspRequest(template: RequestTemplate): Buffer {
  const { certIds, nonce, singleExtensions = [], before = [], signature } = template;
  const extensions = [...(template.extensions ?? []), ...(nonce ? [nonceExtension(octets(nonce))] : [])];
  const single = singleExtensions.length > 0 ? [explicit(0, sequence(...singleExtensions))] : [];
  const list = sequence(...certIds.map((id) => sequence(id, ...single)));
  const tbs = [...before, list];
  if (extensions.length > 0) tbs.push(explicit(2, sequence(...extensions)));
  return sequence(sequence(...tbs), ...(signature ? [explicit(0, signature)] : []));
}

export const nonceExtension = (value: Buffer, critical = false) =>
  extension("1.3.6.1.5.5.7.48.1.2", critical, value);

/** The request of one certificate of intermediate 1: 5 is good, 6 revoked. */
export function requestOf(
  serial: number,
  edition: Edition = "p256",
  more: Partial<RequestTemplate> = {},
): Buffer {
  return ocspRequest({ certIds: [certId(authority(edition, "intermediate1"), integer(serial))], ...more });
}

/** A file that is there until the test ends. */
export function temporaryFile(t: ExecutionContext, contents: string | Uint8Array): string {
  const directory = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "file");
  writeFileSync(file, contents);
  return file;
}

/** The line of an index about a good certificate, or a revoked one. */
export function indexLine(serial: string, revocation = "", type = revocation ? "R" : "V"): string {
  return `${[type, "491231235959Z", revocation, serial, "unknown", `/CN=${serial}`].join("\t")}\n`;
}
