/** `tlstaple inspect`: names and shows what it is given, and verifies an OCSP response as the client does. */

import { readFileSync } from "node:fs";
import {
  Certificate,
  everything,
  judge,
  type OcspPolicy,
  responder,
  type Staple,
  type Status,
} from "../../../src/pki/index.js";
import {
  type Alert,
  type Fault,
  type FaultName,
  isFault,
  type WolfsslError,
} from "../../../src/wire/index.js";
import {
  type CertificateInfo,
  describeCertificate,
  isoTime,
  type ResponseInfo,
  reasonText,
  responseInfo,
} from "../common/describe.js";
import { advice, tlsError } from "../common/errors.js";
import { type Kind, type Part, partsOf } from "../common/kinds.js";
import { describeOther, type OtherInfo } from "../common/others.js";
import { readCertificates } from "../common/pem.js";
import { printable, toJson } from "../common/text.js";
import { provider } from "../provider.js";
import { isIssuedBy } from "./subject.js";

/** The command's flags. A response is verified when both `issuer` and `cert` are there. */
export interface InspectOptions {
  /** File of the certificate of the CA that issued `cert`. */
  issuer?: string;
  /** File of the certificate that the response is about. */
  cert?: string;
  /** The moment to verify for, ISO 8601 with a time zone; now by default. */
  at?: string;
  /** Seconds. */
  maxAge?: number | string;
  allowMissingNextUpdate?: boolean;
  /** File of certificates of responders that are trusted besides the issuer and its delegates. */
  responder?: string;
  /** Print one JSON object, an `Inspection`. */
  json?: boolean;
}

/** What verification found out. All is null, and `verified` false, where there was none, or no answer. */
export interface Verification {
  /** Whether the response counts, so that `status` can be believed. */
  verified: boolean;
  /** Why the certificate must not be accepted; null when it is good. */
  fault: FaultName | null;
  status: Status | null;
  thisUpdate: string | null;
  nextUpdate: string | null;
  producedAt: string | null;
  revokedAt: string | null;
  reason: string | null;
  responder: "byName" | "byKey" | null;
  delegated: boolean | null;
  alert: Alert | null;
  wolfssl: WolfsslError | null;
}

/** What `--json` prints. */
export interface Inspection extends Verification {
  certificates: CertificateInfo[];
  responses: ResponseInfo[];
  /** What else there is. */
  others: OtherInfo[];
}

interface Output {
  write(text: string): unknown;
}

/** Bad use of the command, or a file that cannot be read. */
class UsageError extends Error {}

const GOOD = 0;
const REFUSED = 1;
const USAGE = 2;

/** As the client's default, in seconds. */
const skew = 900;

/**
 * Shows what `files` hold, PEM or DER, and verifies the one response among them if `issuer` and `cert` say so.
 * Returns the exit status: 0, or 1 when the certificate is not shown to be good, or 2 for bad use.
 */
export function inspect(
  files: readonly string[],
  options: InspectOptions,
  out: Output,
  errors: Output = process.stderr,
): number {
  try {
    const items = files.flatMap(readItems);
    const request = readRequest(items, options);
    const shown = items.map(describe);
    const verification = request ? verify(request) : notVerified();
    if (options.json) writeJson(shown, verification, out);
    else writeText(shown, request && verification, out);
    return verification.fault ? REFUSED : GOOD;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    errors.write(`tlstaple inspect: ${printable(error.message)}\n`);
    return USAGE;
  }
}

// Reading

/** A part of a file. */
interface Item extends Part {
  readonly file: string;
}

const nothingKnown =
  "no certificate, OCSP response or request, key, CSR, CRL, PKCS #7 or PKCS #12 is in it, in PEM, DER or base64";

function readItems(file: string): Item[] {
  const parts = partsOf(read(file));
  if (parts.length === 0) throw new UsageError(`${nameOf(file)}: ${nothingKnown}`);
  return parts.map((part) => ({ file, ...part }));
}

const STDIN = 0;

/** As other commands have it, a hyphen stands for the standard input. */
const nameOf = (file: string) => (file === "-" ? "standard input" : file);

function read(file: string): Buffer {
  try {
    return readFileSync(file === "-" ? STDIN : file);
  } catch (error) {
    throw new UsageError(`${nameOf(file)}: ${(error as Error).message}`);
  }
}

/** All that a verification needs. */
interface Request {
  readonly response: Buffer;
  readonly subject: Certificate;
  readonly issuer: Certificate;
  /** Seconds since 1970. */
  readonly at: number;
  readonly policy: OcspPolicy;
}

function readRequest(items: readonly Item[], options: InspectOptions): Request | undefined {
  const at = readTime(options.at);
  const maxAge = readMaxAge(options.maxAge);
  const trusted = options.responder === undefined ? [] : readChain(options.responder);
  const responders = trusted.map(({ raw }) => readable(options.responder!, () => responder(raw, everything)));
  if (options.issuer === undefined && options.cert === undefined) return undefined;
  if (options.issuer === undefined || options.cert === undefined)
    throw new UsageError("--issuer and --cert go together: both are needed to verify a response");
  const responses = items.filter(({ kind }) => kind === "OCSP response");
  if (responses.length !== 1)
    throw new UsageError(`one OCSP response can be verified, the files hold ${responses.length}`);
  const { allowMissingNextUpdate = false } = options;
  return {
    response: responses[0].der,
    ...readPair(options.cert, options.issuer),
    at,
    policy: { skew, maxAge, allowMissingNextUpdate, responders },
  };
}

/** The certificate and its issuer's. The client knows one to have issued the other; here it has to be checked. */
function readPair(certFile: string, issuerFile: string): { subject: Certificate; issuer: Certificate } {
  const [cert] = readChain(certFile);
  const [issuer] = readChain(issuerFile);
  if (!isIssuedBy(cert, issuer))
    throw new UsageError(`${certFile}: not issued by the first certificate in ${issuerFile}`);
  return { subject: parsed(certFile, cert.raw), issuer: parsed(issuerFile, issuer.raw) };
}

function readChain(file: string): ReturnType<typeof readCertificates> {
  const bytes = read(file);
  try {
    return readCertificates(bytes);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

function parsed(file: string, der: Buffer): Certificate {
  const certificate = new Certificate();
  readable(file, () => certificate.read(everything, der, 0, der.length));
  return certificate;
}

/** Our own parser is stricter than OpenSSL's: what only it refuses is said with its fault. */
function readable<T>(file: string, parse: () => T): T {
  try {
    return parse();
  } catch (fault) {
    if (!isFault(fault)) throw fault;
    const { code, message } = tlsError(fault);
    throw new UsageError(`${file}: ${message} (${code})`);
  }
}

const isoForm = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

function readTime(text: string | undefined): number {
  if (text === undefined) return Date.now() / 1000;
  const time = isoForm.test(text) ? Date.parse(text) / 1000 : Number.NaN;
  if (Number.isNaN(time)) throw new UsageError(`--at: ${text} is no time such as 2026-07-01T12:00:00Z`);
  return time;
}

function readMaxAge(value: number | string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(String(value))) throw new UsageError(`--max-age: ${value} is no number of seconds`);
  return Number(value);
}

// Verifying

function verify({ response, subject, issuer, policy, at }: Request): Verification {
  const { staple, fault } = judge(
    response,
    { certificate: subject, issuer },
    { provider, pki: everything, ocsp: policy },
    at,
  );
  return describeVerdict(staple, fault);
}

function describeVerdict(staple: Staple, fault: Fault | undefined): Verification {
  const { status, thisUpdate, nextUpdate, producedAt, revokedAt, revocationReason } = staple;
  if (Number.isNaN(thisUpdate)) return { ...notVerified(), ...describeFault(fault) };
  return {
    verified: status !== undefined,
    ...describeFault(fault),
    status: status ?? null,
    thisUpdate: timeOrNull(thisUpdate),
    nextUpdate: timeOrNull(nextUpdate),
    producedAt: timeOrNull(producedAt),
    revokedAt: timeOrNull(revokedAt),
    reason: revocationReason < 0 ? null : reasonText(revocationReason),
    responder: staple.responder,
    delegated: status === undefined ? null : staple.delegated,
  };
}

const timeOrNull = (seconds: number) => (Number.isNaN(seconds) ? null : isoTime(seconds * 1000));

function describeFault(fault: Fault | undefined): Pick<Verification, "fault" | "alert" | "wolfssl"> {
  if (!fault) return { fault: null, alert: null, wolfssl: null };
  const { code, alert, wolfssl = null } = tlsError(fault);
  return { fault: code, alert, wolfssl };
}

function notVerified(): Verification {
  return {
    verified: false,
    fault: null,
    status: null,
    thisUpdate: null,
    nextUpdate: null,
    producedAt: null,
    revokedAt: null,
    reason: null,
    responder: null,
    delegated: null,
    alert: null,
    wolfssl: null,
  };
}

// Writing

/** What is shown of an item. */
type Shown = { readonly file: string } & (
  | { kind: "certificate"; info: CertificateInfo }
  | { kind: "OCSP response"; info: ResponseInfo }
  | { kind: Exclude<Kind, "certificate" | "OCSP response">; info: OtherInfo }
);

/** A malformed response is shown as such, as it may be just what is looked for. */
function describe({ file, kind, der }: Item): Shown {
  if (kind === "OCSP response")
    return { file, kind, info: responseInfo(der) ?? { responseStatus: "malformed" } };
  if (kind !== "certificate") return { file, kind, info: describeOther(kind, der) };
  try {
    return { file, kind, info: describeCertificate(der) };
  } catch (error) {
    throw new UsageError(`${nameOf(file)}: malformed certificate: ${(error as Error).message}`);
  }
}

function writeJson(shown: readonly Shown[], verification: Verification, out: Output): void {
  const inspection: Inspection = { ...verification, certificates: [], responses: [], others: [] };
  for (const { kind, info } of shown) {
    if (kind === "certificate") inspection.certificates.push(info);
    else if (kind === "OCSP response") inspection.responses.push(info);
    else inspection.others.push(info);
  }
  out.write(`${toJson(inspection, 2)}\n`);
}

function writeText(shown: readonly Shown[], verification: Verification | undefined, out: Output): void {
  for (const { file, kind, info } of shown) {
    out.write(`${kind[0].toUpperCase()}${kind.slice(1)} in ${printable(nameOf(file))}\n`);
    out.write(`${outline({ ...info, kind: undefined }, "  ")}\n`);
  }
  if (verification) out.write(`Verification\n${outline(withAdvice(verification), "  ")}`);
}

function withAdvice({ fault, alert, wolfssl, ...found }: Verification) {
  if (!fault) return { result: "good", ...found };
  return {
    result: `refused: ${fault}`,
    alert: `${alert!.name} (${alert!.number})`,
    wolfSSL: wolfssl ? `${wolfssl.name} (${wolfssl.number})` : null,
    advice: advice[fault],
    ...found,
  };
}

/** The fields of an object, one in a line, indented by depth; absent ones are left out. */
export function outline(value: object, indent: string): string {
  return Object.entries(value)
    .map(([name, field]) => outlineField(name, field, indent))
    .join("");
}

function outlineField(name: string, field: unknown, indent: string): string {
  if (field === null || field === undefined || (Array.isArray(field) && field.length === 0)) return "";
  if (Array.isArray(field) && typeof field[0] === "object")
    return field.map((each) => `${indent}${name}\n${outline(each, `${indent}  `)}`).join("");
  if (typeof field === "object" && !Array.isArray(field))
    return `${indent}${name}\n${outline(field, `${indent}  `)}`;
  const text = Array.isArray(field) ? field.join(", ") : String(field);
  return `${indent}${name}: ${printable(text)}\n`;
}
