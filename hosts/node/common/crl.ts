import { type CrlVerdict as CoreVerdict, CrlReader, Crls, everything } from "../../../src/pki/index.js";
import { type FaultName, faultName, isFault } from "../../../src/wire/index.js";
import { revocationReason } from "../ocsp/verdict.js";
import { provider } from "../provider.js";
import { tlsError, typeError, valueError } from "./errors.js";
import type { Read } from "./read.js";

/** CRLs as node:tls takes them, PEM, any number in each; or one in DER. */
export type CrlList = string | Uint8Array | readonly (string | Uint8Array)[];

/** What was found out by CRL about one certificate of the path. Fields are absent where there is no list for it. */
export interface CrlVerdict {
  /** "none": there is no list for it; "bad": there is one that does not count, see `fault`; "unchecked": it was not looked at. */
  status: CoreVerdict["status"];
  thisUpdate?: Date;
  nextUpdate?: Date;
  revokedAt?: Date;
  /** CRLReason, by its name in RFC 5280 5.3.1. */
  revocationReason?: string;
  /** Why the certificate was refused. */
  fault?: FaultName;
}

/** Bytes of a list that are looked at together. */
const WINDOW = 65536;

/** What a connection's certificates are judged by. */
export function crlsOf(lists: readonly Uint8Array[], policy?: Crls["policy"]): Crls {
  return new Crls(lists, policy, WINDOW);
}

// ---- Reading

const block = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g;
/** What DER begins with: SEQUENCE. */
const SEQUENCE = 0x30;

/** Lists in DER. What can never count, whatever the time and the certificate, is refused here. */
export const readCrls: Read<readonly Uint8Array[]> = (value, name) => {
  if (!isList(value)) throw typeError(name, "PEM text, DER bytes or an array of these");
  const lists = dersOf(value, name);
  if (lists.length === 0) throw valueError(name, "there is none");
  for (const der of lists) check(der, name);
  return lists;
};

function isList(value: unknown): value is CrlList {
  const single = typeof value === "string" || value instanceof Uint8Array;
  return single || (Array.isArray(value) && value.every(isList));
}

function dersOf(value: CrlList, name: string): Uint8Array[] {
  if (typeof value === "string") return pemBlocks(value, name);
  if (!(value instanceof Uint8Array)) return value.flatMap((each) => dersOf(each, name));
  return value[0] === SEQUENCE ? [value] : pemBlocks(Buffer.from(value).toString("latin1"), name);
}

function pemBlocks(text: string, name: string): Uint8Array[] {
  const lists = [...text.matchAll(block)].map(([, base64]) => Buffer.from(base64, "base64"));
  if (lists.length === 0) throw valueError(name, "no CRL found");
  return lists;
}

function check(der: Uint8Array, name: string): void {
  const reader = new CrlReader({ provider, pki: everything }, new Uint8Array(WINDOW));
  try {
    reader.begin();
    reader.update(der, 0, der.length);
    reader.finish();
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown;
    const { code, message } = tlsError(thrown);
    throw valueError(name, `${message} (${code})`);
  }
}

// ---- Telling

const times = ["thisUpdate", "nextUpdate", "revokedAt"] as const;

/** A time that is absent is NaN. */
export function toCrlVerdict(verdict: CoreVerdict): CrlVerdict {
  const found: CrlVerdict = { status: verdict.status };
  if (verdict.fault) found.fault = faultName(verdict.fault);
  for (const name of times) if (Number.isFinite(verdict[name])) found[name] = new Date(verdict[name] * 1000);
  if (verdict.revocationReason >= 0) found.revocationReason = revocationReason(verdict.revocationReason);
  return found;
}
