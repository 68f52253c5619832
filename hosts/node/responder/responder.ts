import { CertID, OCSPResponseStatus } from "@peculiar/asn1-ocsp";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate } from "@peculiar/asn1-x509";
import { valueError } from "../common/errors.js";
import type { Metric, Sample } from "../common/metrics.js";
import { type Certificates, readCertificates } from "../common/pem.js";
import { Cache } from "./cache.js";
import { attempt, ResponderError } from "./error.js";
import { type CertificateStatus, IndexFile, type IndexListener, serialText } from "./index-file.js";
import { certIDOf, type IssuerHash, issuerHashes, issuerKey, issuerKeyOf, splitCertID } from "./issuer.js";
import { OcspError, readRequest } from "./request.js";
import { type Answer, errorResponse, readUnsigned, signedResponse, type Times, termsOf } from "./response.js";
import { Signer, type SignerOptions } from "./signer.js";

/** Says what became of a certificate. `serial` is as openssl writes it: capital hexadecimal digits, two for each octet. */
export type Lookup = (serial: string) => CertificateStatus | Promise<CertificateStatus>;

/** A CA whose certificates the responder knows. */
export interface AuthorityOptions {
  /** The CA's certificate, PEM or DER; several if it has several. */
  readonly issuer: Certificates;
  /** Path of an index file of `openssl ca`, which is read again when it has changed; or a function in its place. */
  readonly index: string | Lookup;
  readonly signer: SignerOptions;
}

export interface ResponderOptions {
  readonly authorities: readonly AuthorityOptions[];
  /** Seconds from thisUpdate to nextUpdate. Without it there is no nextUpdate, and nothing is cached. */
  readonly validity?: number;
  /** Certificates that one request may ask about; 64 by default. */
  readonly maxRequests?: number;
  /** Signed responses to keep; 4096 by default. */
  readonly cacheSize?: number;
  /** Signatures under way at once; requests beyond them get tryLater. 256 by default. */
  readonly maxSignatures?: number;
  /** Seconds since 1970. */
  readonly clock?: () => number;
  /** Called when an index file was read again, or could not be. */
  readonly onIndex?: IndexListener;
  /** Called when a request could not be served for a reason that is not the client's. */
  readonly onError?: (error: Error) => void;
}

/** What the responder has done so far. */
export interface ResponderCounters {
  requests: number;
  /** Signatures made; the other responses came from the cache or are errors, which are not signed. */
  signatures: number;
  /** Responses by their status. */
  readonly statuses: Record<keyof typeof OCSPResponseStatus, number>;
}

/** A response, and what a cache may do with it. */
export interface Reply {
  readonly der: Buffer;
  readonly responseStatus: OCSPResponseStatus;
  /** Why, when that is not successful. */
  readonly problem?: string;
  readonly answers: readonly { readonly serial: string; readonly status: CertificateStatus["status"] }[];
  /**
   * For whoever asks the same: absent with a nonce, without nextUpdate, for errors, and where a certificate is
   * unknown, as it may be issued the next moment.
   */
  readonly lifetime?: Lifetime;
}

export interface Lifetime {
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Seconds for which no newer response will be made unless the status changes. */
  readonly maxAge: number;
}

/** A hundred years, in seconds. */
export const MAX_VALIDITY = 36525 * 86400;

/** Responses about certificates that no index has: they must not displace the others. */
const STRANGERS = 256;

const successful = OCSPResponseStatus.successful;

/**
 * An OCSP responder, RFC 6960 and RFC 9919, without a network: see `createServer` of http.ts for that. One response
 * is signed for one authority, the first of ours that the request names, and for those with the same signer.
 */
export class Responder {
  readonly counters: ResponderCounters = {
    requests: 0,
    signatures: 0,
    statuses: {
      successful: 0,
      malformedRequest: 0,
      internalError: 0,
      tryLater: 0,
      sigRequired: 0,
      unauthorized: 0,
    },
  };
  private readonly options: ResponderOptions;
  /** Authorities by what CertIDs call them. */
  private readonly authorities = new Map<string, Authority>();
  private readonly signed: Cache<Signed>;
  private readonly strangers = new Cache<Signed>(STRANGERS);
  /** Authorities by the beginning of their CertIDs, and what is signed for a status at a time. */
  private readonly starts = new Map<string, Authority>();
  private readonly agreed = new Cache<Buffer>(STRANGERS);
  private pending = 0;

  /** @internal */
  constructor(options: ResponderOptions, authorities: readonly Authority[]) {
    this.options = options;
    this.signed = new Cache(options.cacheSize ?? 4096);
    for (const authority of authorities)
      for (const hash of authority.hashes) {
        this.authorities.set(issuerKey(hash), authority);
        this.starts.set(hash.start.toString("latin1"), authority);
      }
  }

  /** The counters: see `metricsHandler`. */
  metrics(): Metric[] {
    const { requests, signatures, statuses } = this.counters;
    const responses = Object.entries(statuses).map(([status, value]) => ({ labels: { status }, value }));
    return [
      counter("requests", "OCSP requests", [{ value: requests }]),
      counter("signatures", "Signatures made", [{ value: signatures }]),
      counter("responses", "OCSP responses by their status", responses),
    ];
  }

  /** The DER OCSPResponse to a DER OCSPRequest. Never rejects: what goes wrong is an error response. */
  async respond(der: Uint8Array): Promise<Buffer> {
    return (await this.reply(der)).der;
  }

  /** The response, with what it says. Never rejects. */
  async reply(der: Uint8Array): Promise<Reply> {
    this.counters.requests++;
    const reply = await this.answer(der).catch((error) => this.refusal(error));
    this.counters.statuses[OCSPResponseStatus[reply.responseStatus] as keyof typeof OCSPResponseStatus]++;
    return reply;
  }

  // ---- Responses that are made ahead

  /**
   * @internal What to ask about each certificate that the index files have, by SHA-1 and by SHA-256.
   * @throws ResponderError where a function stands for an index
   */
  async *questions(): AsyncGenerator<Question> {
    for (const authority of new Set(this.authorities.values())) {
      if (!authority.serials)
        throw new ResponderError("which certificates there are only an index file can tell");
      const usual = authority.hashes.filter(({ algorithm }) => usualHashes.includes(algorithm));
      for (const serial of await authority.serials())
        for (const hash of usual) yield { authority, serial, certID: certIDOf(hash, serial) };
    }
  }

  /** @internal Whether a response is what this question would be answered with now, but for its time and signature. */
  async stands({ authority, serial, certID }: Question, response: Uint8Array): Promise<boolean> {
    const old = readUnsigned(response);
    if (!old?.certID.equals(certID)) return false;
    const { lookup, signer } = authority;
    const times = this.times(old.thisUpdate);
    const terms = this.terms(authority, await lookup(serial), times);
    return old.terms.equals(terms) && old.certificates.equals(signer.sent) && this.isFresh(times);
  }

  /** @internal Whether a response is about a certificate of ours that the index does not have any more. */
  async lost(response: Uint8Array): Promise<boolean> {
    const certID = readUnsigned(response)?.certID;
    if (!certID) return false;
    const { start, serial } = splitCertID(certID);
    const authority = this.starts.get(start.toString("latin1"));
    return authority !== undefined && (await authority.lookup(serial)).status === "unknown";
  }

  /** Most certificates have the same status, and many responses the same time. */
  private terms(authority: Authority, status: CertificateStatus, times: Times): Buffer {
    const { hashes, signer } = authority;
    const key = [issuerKey(hashes[0]), times.thisUpdate.getTime(), JSON.stringify(status)].join();
    const known = this.agreed.get(key);
    if (known) return known;
    const certID = AsnConvert.parse(certIDOf(hashes[0], "00"), CertID);
    const terms = termsOf(signer, { certID, status }, times);
    this.agreed.set(key, terms);
    return terms;
  }

  private async answer(der: Uint8Array): Promise<Reply> {
    const { certIDs, nonce } = readRequest(der, this.options.maxRequests ?? 64);
    const authority = this.authorityOf(certIDs);
    const looked = await Promise.all(certIDs.map((certID) => this.look(authority, certID)));
    const answers = looked.filter((answer) => answer !== undefined);
    const { response, times } = nonce
      ? this.sign(authority, answers, nonce)
      : this.signOnce(authority, answers);
    return {
      der: await response,
      responseStatus: successful,
      answers: answers.map(({ serial, status }) => ({ serial, status: status.status })),
      lifetime: nonce || answers.some(isUnknown) ? undefined : this.lifetime(times),
    };
  }

  private refusal(error: unknown): Reply {
    const expected = error instanceof OcspError;
    const responseStatus = expected ? error.responseStatus : OCSPResponseStatus.internalError;
    if (!expected) this.options.onError?.(error as Error);
    const problem = expected ? error.message : undefined;
    return { der: errorResponse(responseStatus), responseStatus, problem, answers: [] };
  }

  /** Without one of ours in it nobody here could sign an answer that counts: RFC 9919 3.2.3. */
  private authorityOf(certIDs: readonly CertID[]): Authority {
    for (const certID of certIDs) {
      const authority = this.authorities.get(issuerKeyOf(certID));
      if (authority) return authority;
    }
    throw new OcspError(OCSPResponseStatus.unauthorized, "none of the issuers is known");
  }

  /**
   * Each authority answers for its own. One whose signer is another's can't in this response, which says nothing of
   * its certificates then; what nobody here issued is unknown, RFC 6960 2.2.
   */
  private async look({ signer }: Authority, certID: CertID): Promise<Found | undefined> {
    const serial = serialText(certID.serialNumber);
    const authority = this.authorities.get(issuerKeyOf(certID));
    if (!authority) return { certID, serial, status: unknown };
    if (!authority.signer.isSame(signer)) return undefined;
    return { certID, serial, status: await authority.lookup(serial) };
  }

  /** Keeps what many may ask: one signature for a certificate, as long as its status and the time allow. */
  private signOnce(authority: Authority, answers: readonly Found[]): Signed {
    if (answers.length > 1) return this.sign(authority, answers);
    const [{ certID, status }] = answers;
    const cache = isUnknown(answers[0]) ? this.strangers : this.signed;
    const key = `${Buffer.from(AsnConvert.serialize(certID)).toString("hex")} ${JSON.stringify(status)}`;
    const kept = cache.get(key);
    if (kept && this.isFresh(kept.times)) return kept;
    const made = this.sign(authority, answers);
    cache.set(key, made);
    made.response.catch(() => cache.delete(key));
    return made;
  }

  private sign(authority: Authority, answers: readonly Answer[], nonce?: Uint8Array<ArrayBuffer>): Signed {
    const { signer } = authority;
    const now = this.now();
    if (!signer.validAt(now)) throw new ResponderError(`the certificate of ${signer.name} is not valid now`);
    if (this.pending >= (this.options.maxSignatures ?? 256))
      throw new OcspError(OCSPResponseStatus.tryLater, "too many signatures under way");
    this.pending++;
    this.counters.signatures++;
    const times = this.times(now);
    const response = signedResponse(signer, answers, times, nonce).finally(() => this.pending--);
    return { response, times };
  }

  private now(): number {
    return Math.floor(this.options.clock?.() ?? Date.now() / 1000);
  }

  private times(now: number): Times {
    const { validity } = this.options;
    const nextUpdate = validity === undefined ? undefined : new Date((now + validity) * 1000);
    return { thisUpdate: new Date(now * 1000), nextUpdate };
  }

  /** A response is made anew after half of its validity; one without end, after the second it was made in. */
  private refreshAt({ thisUpdate }: Times): number {
    return thisUpdate.getTime() / 1000 + Math.max(1, Math.floor((this.options.validity ?? 0) / 2));
  }

  private isFresh(times: Times): boolean {
    const now = this.now();
    return now >= times.thisUpdate.getTime() / 1000 && now < this.refreshAt(times);
  }

  private lifetime(times: Times): Lifetime | undefined {
    const { thisUpdate, nextUpdate } = times;
    return nextUpdate && { thisUpdate, nextUpdate, maxAge: Math.max(0, this.refreshAt(times) - this.now()) };
  }
}

function counter(what: string, help: string, samples: readonly Sample[]): Metric {
  return { name: `tlstaple_responder_${what}_total`, type: "counter", help, samples };
}

interface Found extends Answer {
  readonly serial: string;
}

interface Signed {
  readonly response: Promise<Buffer>;
  readonly times: Times;
}

const unknown: CertificateStatus = Object.freeze({ status: "unknown" });

const isUnknown = ({ status }: Answer) => status.status === "unknown";

/** An authority as it was read and checked. */
interface Authority {
  readonly hashes: readonly IssuerHash[];
  readonly signer: Signer;
  readonly lookup: Lookup;
  /** The certificates that something is known of, where there is a list of them. */
  readonly serials?: () => Promise<Iterable<string>>;
}

/** What may be asked about one certificate. */
export interface Question {
  readonly authority: Authority;
  /** As in an index. */
  readonly serial: string;
  /** In DER. */
  readonly certID: Buffer;
}

/** The algorithms that clients make CertIDs with: SHA-1 (RFC 5019 2.1.1), SHA-256 (RFC 9919 3.1.1). */
const usualHashes: readonly string[] = Object.freeze(["1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1"]);

/**
 * Makes a responder: reads the index files, and checks that each signer may sign for its authority.
 * @throws ResponderError that says what is wrong
 */
export async function createResponder(options: ResponderOptions): Promise<Responder> {
  const { validity = 0 } = options;
  if (!(validity >= 0 && validity <= MAX_VALIDITY))
    throw valueError("validity", "no number of seconds up to 100 years");
  const authorities = await Promise.all(options.authorities.map((each) => readAuthority(each, options)));
  return new Responder(options, authorities);
}

async function readAuthority(
  { issuer, index, signer: signing }: AuthorityOptions,
  { clock, onIndex }: ResponderOptions,
): Promise<Authority> {
  const issuers = attempt("issuer's certificate", () => readCertificates(issuer));
  const signer = new Signer(signing);
  if (!signing.configured) for (const each of issuers) signer.checkDelegation(each);
  if (!signer.validAt(clock?.() ?? Date.now() / 1000))
    throw new ResponderError(`the certificate of ${signer.name} is not valid now`);
  const hashes = issuers.flatMap(({ raw }) => issuerHashes(AsnConvert.parse(raw, Certificate)));
  if (typeof index === "function") return { hashes, signer, lookup: index };
  const file = await IndexFile.open(index, onIndex);
  const serials = async () =>
    [...(await file.current())].flatMap(([serial, status]) => (status.status === "unknown" ? [] : serial));
  return { hashes, signer, lookup: (serial) => file.lookup(serial), serials };
}
