import { type Authority, pemBlock } from "./certificate.js";
import { bits, enumerated, explicit, implicit, integer, sequence, time } from "./der.js";
import { extension } from "./extensions.js";
import { type Algorithm, usualAlgorithm } from "./keys.js";

/** What an entry of revokedCertificates says, RFC 5280 section 5.1.2.6. */
export interface Revoked {
  /** The INTEGER of the serialNumber. */
  readonly serial: Buffer;
  readonly date?: Buffer;
  /** CRLReason. */
  readonly reason?: number;
  readonly extensions?: readonly Buffer[];
}

/** What to put into a CRL. Times are TLVs; null: none. */
export interface CrlTemplate {
  readonly signer: Authority;
  /** Entries, or TLVs. */
  readonly revoked?: readonly (Revoked | Buffer)[] | null;
  readonly thisUpdate?: Buffer;
  readonly nextUpdate?: Buffer | null;
  readonly version?: Buffer | null;
  readonly issuer?: Buffer;
  /** crlExtensions; null: none, not even an empty list. */
  readonly extensions?: readonly Buffer[] | null;
  readonly algorithm?: Algorithm;
  /** Outer signatureAlgorithm, where it is to differ. */
  readonly outerAlgorithm?: Buffer;
  /** Bends the TBSCertList before it is signed. */
  readonly bendTbs?: (tbs: Buffer) => Buffer;
  /** Bends the signature, before it is packed into a BIT STRING. */
  readonly bendSignature?: (signature: Buffer) => Buffer;
}

/** As long as the whole PKI. */
const from = time("2026-01-01T00:00:00Z");
const until = time("2049-12-31T23:59:59Z");

/** One CRL, RFC 5280 section 5.1; without entries, where nothing else is said. */
export function crl(template: CrlTemplate): Buffer {
  const {
    signer,
    extensions = [crlNumber(1)],
    revoked = null,
    thisUpdate = from,
    nextUpdate = until,
  } = template;
  const { version = integer(1), issuer = signer.name, algorithm = usualAlgorithm(signer.key) } = template;
  const entries = revoked?.map((each) => (Buffer.isBuffer(each) ? each : entry(each)));
  const parts = [
    version,
    algorithm.identifier,
    issuer,
    thisUpdate,
    nextUpdate,
    entries && sequence(...entries),
    extensions && explicit(0, sequence(...extensions)),
  ];
  const tbs = sequence(...parts.filter((part) => part !== null && part !== undefined));
  const bent = template.bendTbs?.(tbs) ?? tbs;
  const signature = algorithm.sign(signer.key.secret, bent);
  const outer = template.outerAlgorithm ?? algorithm.identifier;
  return sequence(bent, outer, bits(template.bendSignature?.(signature) ?? signature));
}

/** One entry. */
export function entry({ serial, date = from, reason, extensions = [] }: Revoked): Buffer {
  const all = reason === undefined ? extensions : [reasonCode(reason), ...extensions];
  return sequence(serial, date, ...(all.length > 0 ? [sequence(...all)] : []));
}

/** RFC 5280 section 5.3.1. */
export const reasonCode = (reason: number) => extension("2.5.29.21", false, enumerated(reason));

/** RFC 5280 section 5.2.3. */
export const crlNumber = (number: number) => extension("2.5.29.20", false, integer(number));

/** RFC 5280 section 5.2.4. */
export const deltaCrlIndicator = (base: number) => extension("2.5.29.27", true, integer(base));

/** RFC 5280 section 5.3.3: `issuer` is a Name. */
export const certificateIssuer = (issuer: Buffer) =>
  extension("2.5.29.29", true, sequence(explicit(4, issuer)));

/** A uniformResourceIdentifier, as distribution points have. */
export const uri = (text: string) => implicit(6, Buffer.from(text, "latin1"));

/** DistributionPointName of GeneralNames. */
export const fullName = (...names: Buffer[]) => explicit(0, ...names);

/** RFC 5280 section 4.2.1.13: each point with its name, reasons and cRLIssuer as they are given. */
export function distributionPoints(...points: Buffer[][]): Buffer {
  return extension("2.5.29.31", false, sequence(...points.map((parts) => sequence(...parts))));
}

/** A DistributionPoint's distributionPoint [0]. */
export const point = (...names: Buffer[]) => explicit(0, fullName(...names));

/** What issuingDistributionPoint says, RFC 5280 section 5.2.5. */
export interface Issuing {
  /** DistributionPointName. */
  readonly point?: Buffer;
  readonly onlyUsers?: boolean;
  readonly onlyAuthorities?: boolean;
  /** ReasonFlags: the contents of the BIT STRING. */
  readonly reasons?: Buffer;
  readonly indirect?: boolean;
  readonly onlyAttributes?: boolean;
}

export function issuingDistributionPoint(issuing: Issuing): Buffer {
  const { point, onlyUsers, onlyAuthorities, reasons, indirect, onlyAttributes } = issuing;
  const yes = (n: number, set = false) => (set ? [implicit(n, Buffer.of(0xff))] : []);
  const parts = [
    ...(point ? [explicit(0, point)] : []),
    ...yes(1, onlyUsers),
    ...yes(2, onlyAuthorities),
    ...(reasons ? [implicit(3, reasons)] : []),
    ...yes(4, indirect),
    ...yes(5, onlyAttributes),
  ];
  return extension("2.5.29.28", true, sequence(...parts));
}

/** PEM, RFC 7468. */
export const crlPem = (...lists: Uint8Array[]) => lists.map((der) => pemBlock("X509 CRL", der)).join("");
