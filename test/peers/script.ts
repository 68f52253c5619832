import type { KeyObject } from "node:crypto";
import type { Extension, ServerHello } from "./messages.js";
import type { Puppet } from "./puppet.js";

/** What a puppet does. Everything but `chain` and `key` may be left out: the result is a well-behaved server. */
export interface Script {
  /** DER certificates, leaf first, and the leaf's key. They need not fit each other. */
  chain: Buffer[];
  key: KeyObject;

  // Choices; the defaults are the client's first offer that the puppet can do.
  version?: number;
  suite?: number;
  group?: number;
  scheme?: number;
  /** Sends a HelloRetryRequest that asks for a group, hands out a cookie, or both. */
  retry?: { group?: number; cookie?: Buffer };
  /** TLS 1.2: answers extended_master_secret. Default: when offered. */
  ems?: boolean;
  /**
   * An OCSP response per certificate, sent when the client asked for them; TLS 1.2 sends the first, or with
   * ocsp_multi of status_request_v2 all.
   */
  staples?: (Buffer | undefined)[];
  /** TLS 1.2: answers status_request_v2. Default: when offered. */
  statusV2?: boolean;
  /** Sent when the client offered ALPN. */
  alpn?: string;
  /** What the puppet answers to a client that offers the extension, and then demands of its records. */
  recordSizeLimit?: number;
  maxFragmentLength?: boolean;
  /** Asks the client for a certificate; `stapled`: and for its staples, in TLS 1.3. */
  request?: {
    schemes: number[];
    context?: Buffer;
    authorities?: Buffer[];
    required?: boolean;
    stapled?: boolean;
  };
  /** TLS 1.3: NewSessionTicket messages to send after the handshake. */
  tickets?: Buffer[];
  /** Sends application data back. */
  echo?: boolean;
  /** TLS 1.3: does not answer KeyUpdates that ask for one. */
  ignoreKeyUpdate?: boolean;

  // Wire form
  /** How consecutive handshake messages under one key are cut into records; see `layouts`. */
  layout?: Layout;
  /** TLS 1.3: zeros behind the content of each protected record. */
  padding?: number;
  /** TLS 1.3: sends the change_cipher_spec of middlebox compatibility. Default: if the client sent a session id. */
  ccs?: boolean;

  // Misbehaviour
  /** Changes a handshake message before it is hashed, so that the handshake stays consistent. */
  mutate?: (type: number, message: Buffer) => Buffer | Buffer[];
  /** Changes a record after it is sealed; an empty result drops it. */
  tamper?: (record: Buffer, about: { index: number; type: number; content: Buffer }) => Buffer;
  /** Changes the list of steps: inserts, omits, reorders, repeats; see `steps` and `edit`. */
  plan?: Edit;
  /** Changes the extensions of a message by its name; for a certificate, entry by entry. */
  extensions?: Record<string, (list: Extension[], index: number) => Extension[]>;
  /** Replaces fields of the ServerHello, and of the HelloRetryRequest. */
  hello?: Partial<ServerHello>;
  retryHello?: Partial<ServerHello>;
  /** Changes the key share (TLS 1.3) or the ECDH point (TLS 1.2) that is sent. */
  share?: (share: Buffer) => Buffer;
  /** TLS 1.2: changes the ServerECDHParams before they are signed. */
  params?: (params: Buffer) => Buffer;
  /** What the signature claims to be, when that is not `scheme`. */
  claimedScheme?: number;
  /** TLS 1.3: the context string in the CertificateVerify. */
  verifyContext?: string;
}

export type Layout = (messages: Buffer[]) => Buffer[];

/** Ways to cut handshake messages into records. The puppet cuts further where a record would be too large. */
export const layouts = {
  each: (messages: Buffer[]): Buffer[] => messages,
  joined: (messages: Buffer[]): Buffer[] => [Buffer.concat(messages)],
  /** Records of `size` bytes, whatever the messages' bounds. */
  pieces:
    (size: number): Layout =>
    (messages) => {
      const all = Buffer.concat(messages);
      const count = Math.ceil(all.length / size);
      return Array.from({ length: count }, (_, i) => all.subarray(i * size, (i + 1) * size));
    },
  /** Two records, the first of `at` bytes. */
  cut:
    (at: number): Layout =>
    (messages) => {
      const all = Buffer.concat(messages);
      return [all.subarray(0, at), all.subarray(at)].filter((part) => part.length > 0);
    },
};

/** One thing that the server does, after waiting, where it says so, for a message or change_cipher_spec. */
export interface Step {
  name: string;
  awaits?: number | "change_cipher_spec";
  run(puppet: Puppet, message: Buffer): void;
}

/** Steps for a plan, beyond those of the handshake. */
export const steps = {
  message: (bytes: Buffer, name = "extra"): Step => ({ name, run: (puppet) => puppet.send(bytes) }),
  /** A record under the current keys, however large. */
  record: (type: number, content: Buffer, name = "record"): Step => ({
    name,
    run: (puppet) => puppet.record(type, content),
  }),
  raw: (bytes: Buffer, name = "raw"): Step => ({ name, run: (puppet) => puppet.raw(bytes) }),
  alert: (level: number, description: number): Step => ({
    name: "alert",
    run: (puppet) => puppet.record(21, Buffer.from([level, description])),
  }),
};

export type Edit = (plan: Step[]) => Step[];

/** Edits of a plan by the names of its steps; an unknown name throws. */
export const edit = {
  before:
    (name: string, ...added: Step[]): Edit =>
    (plan) =>
      splice(plan, find(plan, name), 0, added),
  after:
    (name: string, ...added: Step[]): Edit =>
    (plan) =>
      splice(plan, find(plan, name) + 1, 0, added),
  without:
    (name: string): Edit =>
    (plan) =>
      splice(plan, find(plan, name), 1),
  twice:
    (name: string): Edit =>
    (plan) =>
      splice(plan, find(plan, name), 0, [plan[find(plan, name)]]),
  swap:
    (first: string, second: string): Edit =>
    (plan) => {
      const swapped = plan.slice();
      swapped[find(plan, first)] = plan[find(plan, second)];
      swapped[find(plan, second)] = plan[find(plan, first)];
      return swapped;
    },
  all:
    (...edits: Edit[]): Edit =>
    (plan) =>
      edits.reduce((edited, apply) => apply(edited), plan),
};

/** A copy of the plan with `count` steps at `index` replaced. */
export function splice(plan: Step[], index: number, count: number, added: Step[] = []): Step[] {
  return [...plan.slice(0, index), ...added, ...plan.slice(index + count)];
}

function find(plan: Step[], name: string): number {
  const index = plan.findIndex((step) => step.name === name);
  if (index < 0) throw new Error(`no step ${name} among ${plan.map((step) => step.name).join(", ")}`);
  return index;
}
