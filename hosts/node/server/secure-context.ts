import type { Identity } from "../../../src/crypto/index.js";
import { Certificate, everything } from "../../../src/pki/index.js";
import type { Hello } from "../../../src/server/index.js";
import { equalBytes } from "../../../src/wire/index.js";
import { typeError, unsupportedError } from "../common/errors.js";
import { type KeyOptions, keyNames, readIdentities } from "../common/identities.js";
import { refuser, unsupportedAnywhere } from "../common/read.js";
import { nextUpdatesOf } from "../ocsp/claims.js";

/** One OCSP response in DER for each certificate of a chain, undefined where there is none. */
export type ChainStaples = readonly (Uint8Array | undefined)[];

/** What a server shows its clients. */
export interface SecureContextOptions extends KeyOptions {
  /**
   * OCSP responses to staple as they are, instead of fetching them: for the certificates of the chain, leaf first.
   * With several chains: an array of such lists, in the order of `cert`, and of `pfx`.
   */
  readonly staples?: ChainStaples | readonly ChainStaples[];
}

/** A chain with its key, and what is stapled to it without asking anyone. */
export interface Credentials {
  readonly identity: Identity;
  /** SignatureSchemes that its certificates are signed with, but for a root's; 0 is one that is unknown here. */
  readonly chainSchemes: readonly number[];
  readonly staples: ChainStaples | undefined;
  /** Seconds since 1970 when the first of them ends. */
  readonly staplesUntil: number | undefined;
}

/** The names of its options. */
export const contextNames: readonly string[] = [...keyNames, "staples"];

/** Certificates and keys, read and checked once: what a server has for one name or for all. */
export class SecureContext {
  /** @internal In the order of preference. */
  readonly credentials: readonly Credentials[];

  constructor(options: SecureContextOptions) {
    const identities = readIdentities(options);
    const staples = readStaples(options.staples, identities.length);
    this.credentials = identities.map((identity, i) => ({
      identity,
      chainSchemes: chainSchemesOf(identity),
      staples: staples?.[i],
      staplesUntil: staples && endOf(staples[i]),
    }));
  }

  /**
   * @internal What the client's session began with; else the first whose key can make one of its signatures, if possible
   * with a chain that it can verify (RFC 8446 4.4.2.2); else the first, so that the core says why not.
   */
  choose({ resumes, schemes, certificateSchemes }: Hello): Credentials | undefined {
    const { credentials } = this;
    const began = credentials.find(({ identity }) => resumes(identity));
    const fitting = credentials.filter(({ identity }) =>
      identity.signer.schemes.some((id) => schemes.includes(id)),
    );
    const verifiable = fitting.find((each) =>
      each.chainSchemes.every((id) => certificateSchemes.includes(id)),
    );
    return began ?? verifiable ?? fitting[0] ?? credentials[0];
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
  const { issuerStart, issuerEnd, subjectStart, subjectEnd, scheme } = certificate;
  return equalBytes(der, issuerStart, issuerEnd, der, subjectStart, subjectEnd) ? undefined : scheme;
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
