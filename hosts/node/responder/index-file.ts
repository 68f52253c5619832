/** The index files of `openssl ca`: one line for each certificate that a CA issued. */

import { type BigIntStats, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setImmediate as pause } from "node:timers/promises";
import { CRLReasons } from "@peculiar/asn1-x509";
import { attempt, ResponderError } from "./error.js";

/** What an authority says of a certificate. */
export type CertificateStatus = { readonly status: "good" | "unknown" } | Revoked;

/** RevokedInfo, RFC 6960 4.2.1, and the extensions of a CRL's entry that go with it, RFC 5280 5.3. */
export interface Revoked {
  readonly status: "revoked";
  readonly revocationTime: Date;
  /** CRLReason, RFC 5280 5.3.1. */
  readonly revocationReason?: number;
  /** The OID of what to do about a certificate on hold. */
  readonly holdInstruction?: string;
  /** Since when the key may have been compromised. */
  readonly invalidityDate?: Date;
}

/** Certificates by serial number, as openssl writes it: capital hexadecimal digits, two for each octet. */
export type Index = ReadonlyMap<string, CertificateStatus>;

const good: CertificateStatus = Object.freeze({ status: "good" });
const unknown: CertificateStatus = Object.freeze({ status: "unknown" });

/** Lines that are read at a stretch, before others get their turn. */
const SLICE = 2000;
const NEWLINE = 0x0a;

/**
 * Reads an index. As with openssl, a line that begins with # is a comment and an empty line is an error.
 * @throws ResponderError with the number of the line
 */
export async function parseIndex(bytes: Buffer): Promise<Index> {
  const entries = new Map<string, CertificateStatus>();
  for (let start = 0, number = 1; start < bytes.length; number++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const line = bytes.toString("latin1", start, end);
    if (!line.startsWith("#")) addLine(entries, line, number);
    start = end + 1;
    if (number % SLICE === 0) await pause();
  }
  return entries;
}

function addLine(entries: Map<string, CertificateStatus>, line: string, number: number): void {
  const [serial, status] = attempt(`line ${number}`, () => parseLine(line));
  if (entries.has(serial)) throw new ResponderError(`line ${number}: serial ${serial} stands there twice`);
  entries.set(serial, status);
}

/** Tabs separate six fields; one after a backslash does not. */
const separator = /(?<!\\)\t/;

/** Type, expiry, revocation, serial, file name, subject. */
function parseLine(line: string): [serial: string, status: CertificateStatus] {
  const fields = line.split(separator);
  if (fields.length !== 6)
    throw new ResponderError(`6 fields separated by tabs expected, ${fields.length} found`);
  const [type, expiry, revocation, serial] = fields;
  parseTime(expiry, "expiry date");
  return [parseSerial(serial), parseStatus(type, revocation)];
}

/** An expired certificate (E) is not known to be revoked, nor has anyone watched since. */
function parseStatus(type: string, revocation: string): CertificateStatus {
  if (type === "R") return parseRevocation(revocation);
  if (type !== "V" && type !== "E") throw new ResponderError(`type ${quoted(type)} is none of V, R and E`);
  if (revocation !== "") throw new ResponderError(`type ${type}, but it has a revocation date`);
  return type === "V" ? good : unknown;
}

function parseSerial(text: string): string {
  const [, sign, digits] = /^(-?)0*([0-9a-f]+)$/i.exec(text) ?? [];
  if (digits === undefined) throw new ResponderError(`serial ${quoted(text)} is not hexadecimal`);
  return sign + evenDigits(digits);
}

/** A serial number as an index has it, of an INTEGER's contents octets: two's complement. */
export function serialText(integer: ArrayBuffer): string {
  const hex = Buffer.from(integer).toString("hex");
  const number = BigInt.asIntN(hex.length * 4, BigInt(`0x${hex}`));
  return number < 0 ? `-${evenDigits((-number).toString(16))}` : evenDigits(number.toString(16));
}

/** The contents octets of the INTEGER that an index names so. */
export function serialOctets(text: string): Buffer {
  const number = BigInt(`0x${text.replace("-", "")}`) * (text.startsWith("-") ? -1n : 1n);
  // One octet more than the digits have room for the sign
  const size = evenDigits(text.replace("-", "")).length / 2 + 1;
  const hex = BigInt.asUintN(size * 8, number)
    .toString(16)
    .padStart(size * 2, "0");
  const octets = Buffer.from(hex, "hex");
  const sign = octets[1] & 0x80 ? 0xff : 0;
  return octets[0] === sign ? octets.subarray(1) : octets;
}

function evenDigits(digits: string): string {
  return (digits.length % 2 === 0 ? digits : `0${digits}`).toUpperCase();
}

/** The reason's name in lower case, as openssl compares them, and its CRLReason. */
const reasons: ReadonlyMap<string, number> = new Map(
  Object.entries(CRLReasons)
    .filter((entry): entry is [string, CRLReasons] => typeof entry[1] === "number")
    .map(([name, reason]) => [name.toLowerCase(), reason]),
);

/** The revocation's time, reason, and the reason's argument, separated by commas. */
function parseRevocation(text: string): Revoked {
  const [time, reason, argument] = text.split(",");
  const revoked = { status: "revoked", revocationTime: parseTime(time, "revocation date") } as const;
  if (reason === undefined) return revoked;
  const name = reason.toLowerCase();
  const revocationReason = reasons.get(name);
  if (revocationReason !== undefined) return { ...revoked, revocationReason };
  const parse = reasonsWithArgument.get(name);
  if (!parse) throw new ResponderError(`reason ${quoted(reason)} is not known`);
  return { ...revoked, ...parse(argument ?? "") };
}

/** What `openssl ca -crl_hold`, `-crl_compromise` and `-crl_CA_compromise` write. */
const reasonsWithArgument: ReadonlyMap<string, (argument: string) => Partial<Revoked>> = new Map([
  ["holdinstruction", parseHold],
  ["keytime", (argument) => parseCompromise(CRLReasons.keyCompromise, argument)],
  ["cakeytime", (argument) => parseCompromise(CRLReasons.cACompromise, argument)],
]);

/** RFC 3280 5.3.2. */
const holdInstructions: ReadonlyMap<string, string> = new Map([
  ["holdInstructionNone", "1.2.840.10040.2.1"],
  ["holdInstructionCallIssuer", "1.2.840.10040.2.2"],
  ["holdInstructionReject", "1.2.840.10040.2.3"],
]);

function parseHold(argument: string): Partial<Revoked> {
  const holdInstruction = holdInstructions.get(argument) ?? argument;
  if (!/^[0-2](\.(0|[1-9]\d{0,8})){2,20}$/.test(holdInstruction))
    throw new ResponderError(`hold instruction ${quoted(argument)} is not known`);
  return { revocationReason: CRLReasons.certificateHold, holdInstruction };
}

function parseCompromise(revocationReason: number, argument: string): Partial<Revoked> {
  return { revocationReason, invalidityDate: parseTime(argument, "time of compromise") };
}

/** YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ; 50 to 99 are 1950 to 1999, as in a UTCTime. */
function parseTime(text: string, what: string): Date {
  const [, year, month, day, hour, minute, second] =
    /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  const century = year?.length === 2 ? (year < "50" ? "20" : "19") : "";
  const iso = `${century}${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = new Date(iso);
  // A Date carries the 30th of February over to March.
  if (Number.isNaN(time.getTime()) || time.toISOString() !== iso)
    throw new ResponderError(`${what} ${quoted(text)} is not a time like 301231235959Z`);
  return time;
}

/** A field of the file in a message: a broken file may have anything there, and much of it. */
const quoted = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** Called when an index file was read again: with the error if it could not be, and so the last one stays. */
export type IndexListener = (path: string, entries: number, error?: Error) => void;

/** Within one tick of the file system's clock, in milliseconds, two changes of a file look like one. */
const TICK = 20;

/** An index file that is read again when it has changed. */
export class IndexFile {
  readonly path: string;
  private readonly listener: IndexListener;
  private entries: Index = new Map();
  /** What the file looked like when it was last read, or failed to be. */
  private seen = "";
  private reading: Promise<void> = Promise.resolve();
  /** The reading that has not begun yet. */
  private queued: Promise<void> | undefined;

  private constructor(path: string, listener: IndexListener) {
    this.path = path;
    this.listener = listener;
  }

  /** @throws ResponderError when the file cannot be read or is malformed */
  static async open(path: string, listener: IndexListener = () => undefined): Promise<IndexFile> {
    const file = new IndexFile(path, listener);
    file.seen = appearance(path);
    await file.read();
    return file;
  }

  /** What the index says now of a certificate; `serial` is as in `Index`. */
  async lookup(serial: string): Promise<CertificateStatus> {
    return (await this.current()).get(serial) ?? unknown;
  }

  /** The file as it is now, or as it was when it could be read last. */
  async current(): Promise<Index> {
    const now = appearance(this.path);
    if (now !== this.seen) {
      this.seen = now;
      this.readAgain();
    }
    await this.reading;
    return this.entries;
  }

  /** One reading is under way and one waits at most: a third would find nothing that the second does not. */
  private readAgain(): void {
    if (this.queued) return;
    this.queued = this.reading.then(() => {
      this.queued = undefined;
      return this.read().then(
        () => this.listener(this.path, this.entries.size),
        (error) => this.listener(this.path, this.entries.size, error),
      );
    });
    this.reading = this.queued;
  }

  private async read(): Promise<void> {
    try {
      this.entries = await parseIndex(await readFile(this.path));
    } catch (error) {
      throw new ResponderError(`${this.path}: ${(error as Error).message}`);
    }
  }
}

/** All that tells one version of a file from the next. It is looked at first, then read: what comes later differs. */
function appearance(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs }: BigIntStats = statSync(path, { bigint: true });
    const age = Date.now() - Number(ctimeNs / 1_000_000n);
    return [dev, ino, size, mtimeNs, ctimeNs, age >= 0 && age < TICK ? performance.now() : ""].join();
  } catch (error) {
    return `${(error as Error).message}`;
  }
}
