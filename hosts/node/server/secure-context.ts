import { X509Certificate } from "node:crypto";
import type { Identity } from "../../../src/crypto/index.js";
import { Certificate, everything, type TrustAnchor, trustAnchor } from "../../../src/pki/index.js";
import { type Hello, identify, isSameAuthority, type TrustedAuthority } from "../../../src/server/index.js";
import { equalBytes, identifierType } from "../../../src/wire/index.js";
import { typeError, unsupportedError } from "../common/errors.js";
import { type KeyOptions, keyNames, readIdentities } from "../common/identities.js";
import type { Certificates } from "../common/pem.js";
import { certificates, refuser, unsupportedAnywhere } from "../common/read.js";
import { nextUpdatesOf } from "../ocsp/claims.js";
import { provider } from "../provider.js";

/** One OCSP response in DER for each certificate of a chain, undefined where there is none. */
export type ChainStaples = readonly (Uint8Array | undefined)[];

/** What a server shows its clients. */
export interface SecureContextOptions extends KeyOptions {
  /**
   * OCSP responses to staple as they are, instead of fetching them: for the certificates of the chain, leaf first.
   * With several chains: an array of such lists, in the order of `cert`, and of `pfx`.
   */
  readonly staples?: ChainStaples | readonly ChainStaples[];
  /**
   * CAs that chains end in and do not hold themselves. Of several chains a client is shown one that ends in a CA that it names
   * (RFC 6066 section 6, RFC 8446 4.2.4); by its hash it can be found only here, or in the chain. The server's own Stapler
   * verifies with them what they say of the CAs below.
   */
  readonly roots?: Certificates;
}

/** A chain with its key, and what is stapled to it without asking anyone. */
export interface Credentials {
  readonly identity: Identity;
  /** SignatureSchemes that its certificates are signed with, but for a root's; 0 is one that is unknown here. */
  readonly chainSchemes: readonly number[];
  /** The CAs above its first certificate, in each way that a client may name them. */
  readonly authorities: readonly TrustedAuthority[];
  readonly staples: ChainStaples | undefined;
  /** Seconds since 1970 when the first of them ends. */
  readonly staplesUntil: number | undefined;
}

/** What a client is shown, and whether that is so because the client names a CA of it. */
export interface Choice {
  readonly credentials: Credentials;
  readonly named: boolean;
}

/** The names of its options. */
export const contextNames: readonly string[] = [...keyNames, "staples", "roots"];

/** Certificates and keys, read and checked once: what a server has for one name or for all. */
export class SecureContext {
  /** @internal In the order of preference. */
  readonly credentials: readonly Credentials[];

  constructor(options: SecureContextOptions) {
    const identities = readIdentities(options);
    const staples = readStaples(options.staples, identities.length);
    const roots = options.roots === undefined ? [] : certificates(options.roots, "roots");
    this.credentials = identities.map((identity, i) => ({
      identity,
      chainSchemes: chainSchemesOf(identity),
      authorities: authoritiesOf(identity, roots),
      staples: staples?.[i],
      staplesUntil: staples && endOf(staples[i]),
    }));
  }

  /**
   * @internal What the client's session began with; else the first whose key can make one of its signatures, if possible
   * with a chain that ends in a CA which it names, and that it can verify (RFC 8446 4.4.2.2); else the first, so that the
   * core says why not.
   */
  choose({ resumes, schemes, certificateSchemes, authorities }: Hello): Choice | undefined {
    const { credentials } = this;
    const began = credentials.find(({ identity }) => resumes(identity));
    const fitting = credentials.filter(({ identity }) =>
      identity.signer.schemes.some((id) => schemes.includes(id)),
    );
    const verifiable = (each: Credentials) =>
      each.chainSchemes.every((id) => certificateSchemes.includes(id));
    const named = fitting.filter((each) => isNamed(each, authorities));
    const usable = named.length > 0 ? named : fitting;
    const chosen = began ?? usable.find(verifiable) ?? usable[0] ?? credentials[0];
    return chosen && { credentials: chosen, named: named.includes(chosen) };
  }
}

/**
 * Reads certificates and keys, for `addContext`, `setSecureContext` and `SNICallback`.
 * @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION`
 */
export function createSecureContext(options: SecureContextOptions): SecureContext {
  for (const name in options) if (options[name as keyof SecureContextOptions] !== undefined) refuse(name);
  return new SecureContext(options);
}

export function toContext(context: SecureContext | SecureContextOptions): SecureContext {
  return context instanceof SecureContext ? context : createSecureContext(context);
}

const refuseUnsafe = refuser(contextNames, {
  ...unsupportedAnywhere,
  ca: "the CAs of clients' certificates are the server's own option",
  crl: "the CRLs for clients' certificates are the server's own option, which setCrl replaces",
  crlPolicy: "the CRLs for clients' certificates are the server's own option",
  minVersion: "the versions are the server's own option",
  maxVersion: "the versions are the server's own option",
  ticketKeys: "the keys of tickets are the server's own option",
  requestCert: "whether clients are asked for a certificate is the server's own option",
  rejectUnauthorized: "whether clients are verified is the server's own option",
});

/** A context has no other options than its own. */
function refuse(name: string): void {
  refuseUnsafe(name);
  if (!contextNames.includes(name)) throw unsupportedError(name, `known are ${contextNames.join(", ")}`);
}

// ---- CAs that clients name

function isNamed(credentials: Credentials, authorities: readonly TrustedAuthority[]): boolean {
  return credentials.authorities.some((own) => authorities.some((other) => isSameAuthority(own, other)));
}

const { cert_sha1_hash, key_sha1_hash, x509_name } = identifierType;
const types = Object.freeze([cert_sha1_hash, key_sha1_hash, x509_name]);

/** Those that the chain holds, the root above it, and by its name whoever issued its last certificate. */
function authoritiesOf(
  { certificates: chain }: Identity,
  roots: readonly X509Certificate[],
): TrustedAuthority[] {
  const last = new X509Certificate(chain[chain.length - 1]);
  const above = roots.filter((root) => last.checkIssued(root) && last.verify(root.publicKey));
  const known = [...chain.slice(1), ...above.map(({ raw }) => raw)].map(anchorOf);
  return [
    ...known.flatMap((anchor) => (anchor ? types.map((type) => identify(provider, anchor, type)) : [])),
    { type: x509_name, identifier: issuerOf(last.raw) },
  ];
}

/** Undefined for a CA with a key that is unknown here. */
function anchorOf(der: Uint8Array): TrustAnchor | undefined {
  try {
    return trustAnchor(der, everything);
  } catch {
    return undefined;
  }
}

/** Empty where the certificate is unreadable here: nobody names that. */
function issuerOf(der: Uint8Array): Uint8Array {
  const certificate = new Certificate();
  try {
    certificate.read(everything, der, 0, der.length);
  } catch {
    return new Uint8Array(0);
  }
  return der.subarray(certificate.issuerStart, certificate.issuerEnd);
}

// ---- Chains

function chainSchemesOf({ certificates: chain }: Identity): number[] {
  return chain.map(signatureSchemeOf).filter((scheme) => scheme !== undefined);
}

/** Undefined for a root, whose own signature nobody needs to verify. */
function signatureSchemeOf(der: Uint8Array): number | undefined {
  const certificate = new Certificate();
  try {
    certificate.read(everything, der, 0, der.length);
  } catch {
    return 0;
  }
  const { issuerStart, issuerEnd, nameStart, nameEnd, scheme } = certificate;
  return equalBytes(der, issuerStart, issuerEnd, der, nameStart, nameEnd) ? undefined : scheme;
}

// ---- Staples

/** A list for each chain. */
function readStaples(staples: SecureContextOptions["staples"], chains: number): ChainStaples[] | undefined {
  if (staples === undefined) return undefined;
  if (!Array.isArray(staples)) throw typeError("staples", "an array of OCSP responses in DER");
  const lists = staples.some(Array.isArray) ? staples : [staples];
  if (lists.length !== chains || !lists.every(isStaples))
    throw typeError("staples", "an array of OCSP responses in DER, or one such array for each chain");
  return lists;
}

function isStaples(list: unknown): list is ChainStaples {
  return Array.isArray(list) && list.every((each) => each === undefined || each instanceof Uint8Array);
}

/** Seconds since 1970 when the first of them ends; 0, so that no ticket lives, where that can't be told. */
function endOf(staples: ChainStaples): number | undefined {
  const present = staples.filter((each) => each !== undefined);
  return present.length > 0 ? Math.min(...present.map(nextUpdateOf)) : undefined;
}

function nextUpdateOf(der: Uint8Array): number {
  try {
    return Math.min(...nextUpdatesOf(der));
  } catch {
    return 0;
  }
}
