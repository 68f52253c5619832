/** The option `clientStaple`: what a client staples for its own certificates. */

import { X509Certificate } from "node:crypto";
import type { Staples } from "../../../src/client/index.js";
import type { Identity } from "../../../src/crypto/index.js";
import { everything, judge } from "../../../src/pki/index.js";
import { type Fault, faults, isFault } from "../../../src/wire/index.js";
import { tlsError, typeError, valueError } from "../common/errors.js";
import { attempt, type Read } from "../common/read.js";
import { type Claim, claimsAbout, untimely } from "../ocsp/claims.js";
import { StapleError, sourceFailed, whyOf } from "../ocsp/staple-error.js";
import type { StapleSource } from "../ocsp/stapler.js";
import { isIssuedBy, readSubject, type Subject } from "../ocsp/subject.js";
import { provider } from "../provider.js";

/** OCSP responses in DER: one for the client's certificate, or for each of its chain, undefined where there is none. */
export type GivenStaples = Uint8Array | Staples;

/** Such responses, a Stapler, or who is asked for them whenever a server wants them. */
export type ClientStaple =
  | GivenStaples
  | StapleSource
  | (() => GivenStaples | undefined | Promise<GivenStaples | undefined>);

const form = "an OCSP response in DER, an array of them, a Stapler or a function";

export const clientStaple: Read<ClientStaple> = (value, name) => {
  if (typeof value === "function" || isGiven(value) || isSource(value)) return value as ClientStaple;
  throw typeError(name, form);
};

function isGiven(value: unknown): value is GivenStaples {
  return value instanceof Uint8Array || (Array.isArray(value) && value.every(isStaple));
}

const isStaple = (each: unknown) => each === undefined || each instanceof Uint8Array;

function isSource(value: unknown): value is StapleSource {
  return typeof (value as Partial<StapleSource> | null)?.ready === "function";
}

// ---- Responses that are given

/** A response that is about its certificate, and what it says of that. */
interface OwnStaple {
  readonly der: Uint8Array;
  readonly claims: readonly Claim[];
}

/**
 * Checks that there may be these staples for a client's chain, whenever that is; what they say is for the server to judge.
 * @throws RangeError whose `code` is `ERR_TLSTAPLE_OPTION_VALUE`
 */
export function checkStaple(option: ClientStaple | undefined, identity: Identity | undefined): void {
  if (option === undefined) return;
  if (identity === undefined) throw valueError("clientStaple", "it takes cert and key");
  if (isGiven(option)) ownStaples(option, identity);
}

/** What was found about responses, by where they stand: each chain's are looked at once. */
const known = new WeakMap<object, { readonly identity: Identity; readonly own: OwnStaples }>();

type OwnStaples = readonly (OwnStaple | undefined)[];

function ownStaples(given: GivenStaples, identity: Identity): OwnStaples {
  const before = known.get(given);
  if (before?.identity === identity) return before.own;
  const own = read(given, identity.certificates);
  known.set(given, { identity, own });
  return own;
}

function read(given: GivenStaples, chain: readonly Uint8Array[]): OwnStaples {
  const list = given instanceof Uint8Array ? [given] : given;
  if (list.length > chain.length)
    throw valueError("clientStaple", `${list.length} responses for ${chain.length} certificates`);
  return list.map((der, i) => {
    const fault = der && attempt(() => check(der, chain, i));
    if (isFault(fault)) throw valueError("clientStaple", `response ${i}: ${tlsError(fault).message}`);
    return fault;
  });
}

/** What is for the server to judge: what a response says, and who may say it. */
const elsewhere: readonly (Fault | undefined)[] = [
  undefined,
  faults.OCSP_CERT_REVOKED,
  faults.OCSP_CERT_UNKNOWN,
  faults.OCSP_RESPONDER,
];

/** Throws the fault of a response that is not about the certificate at `place`; the signature too, where the chain has the issuer. */
function check(given: Uint8Array, chain: readonly Uint8Array[], place: number): OwnStaple {
  const der = Uint8Array.from(given);
  const claims = claimsAbout(der, chain[place]);
  const certificate = new X509Certificate(chain[place]);
  const issuer = chain.map((each) => new X509Certificate(each)).find((each) => isIssuedBy(certificate, each));
  const subject = issuer && attempt(() => readSubject({ certificate: certificate.raw, issuer: issuer.raw }));
  if (subject && !isFault(subject)) verify(der, subject, claims[0].thisUpdate);
  return { der, claims };
}

/** As of when it was made: its time is looked at whenever it is to be sent. */
function verify(der: Uint8Array, subject: Subject, now: number): void {
  const ocsp = { skew: 0, allowMissingNextUpdate: true, responders: [] };
  const { fault } = judge(der, subject, { provider, pki: everything, ocsp }, now);
  if (!elsewhere.includes(fault)) throw fault;
}

// ---- One connection's

/** Whom they are for. */
export interface Owner {
  readonly identity: Identity;
  readonly clock: () => number | undefined;
  /** Takes what comes later. */
  readonly take: (staples: Staples) => void;
  /** Hears why a certificate has no staple. */
  readonly tell: (error: StapleError) => void;
}

const none: Staples = Object.freeze([]);

/** The staples of one connection. What has ended, or does not come, the handshake goes on without. */
export class OwnStapling {
  /** What was handed over. */
  staples: Staples = none;
  private readonly option: ClientStaple;
  private readonly owner: Owner;

  constructor(option: ClientStaple, owner: Owner) {
    this.option = option;
    this.owner = owner;
  }

  /** A server wants them: what there is, or undefined where that comes later. */
  readonly ask = (): Staples | undefined => {
    try {
      const found = this.find();
      if (isStaples(found)) return this.keep(found);
      found.then(this.keep, this.fail).then(this.owner.take);
      return undefined;
    } catch (cause) {
      return this.fail(cause);
    }
  };

  private find(): Staples | PromiseLike<Staples> {
    const { option } = this;
    const { certificates: chain } = this.owner.identity;
    if (isSource(option)) {
      const ready = option.ready(chain, chain.length);
      return ready?.staples ?? option.staples(chain, chain.length).then(({ staples }) => staples);
    }
    const found = typeof option === "function" ? option() : option;
    return isPromise(found) ? found.then(this.fresh) : this.fresh(found);
  }

  /** Those that may be sent now. */
  private readonly fresh = (found: GivenStaples | undefined): Staples => {
    if (found === undefined) return none;
    if (!isGiven(found)) throw typeError("clientStaple", form);
    const { clock, identity, tell } = this.owner;
    const now = clock();
    return ownStaples(found, identity).map((own, i) => {
      const fault = own && now !== undefined ? untimely(own.claims, now) : undefined;
      if (fault) tell(new StapleError(identity.certificates[i], whyOf(fault)));
      return fault ? undefined : own?.der;
    });
  };

  private readonly keep = (staples: Staples): Staples => {
    this.staples = staples;
    return staples;
  };

  private readonly fail = (cause: unknown): Staples => {
    const { identity, tell } = this.owner;
    tell(new StapleError(identity.certificates[0], sourceFailed(cause)));
    return none;
  };
}

function isStaples(found: Staples | PromiseLike<Staples>): found is Staples {
  return Array.isArray(found);
}

function isPromise<T>(found: T | Promise<T>): found is Promise<T> {
  return typeof (found as Partial<Promise<T>> | undefined)?.then === "function";
}
