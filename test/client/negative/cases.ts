import test, { type ExecutionContext } from "ava";
import { type ClientOptions, faults, wants } from "../../../src/client/index.js";
import { alertOf, type FaultName } from "../../../src/wire/fault.js";
import {
  contentType as ct,
  namedGroup as g,
  signatureScheme as s,
  version,
} from "../../../src/wire/registry.js";
import { named } from "../../faults.js";
import { concat, flip, none, u8, vec8, vec16 } from "../../peers/bytes.js";
import { servers } from "../../peers/identity.js";
import { bodyOf, type Extension, message } from "../../peers/messages.js";
import { plainRecord } from "../../peers/records.js";
import { edit, type Script, type Step, steps } from "../../peers/script.js";
import { Link } from "../link.js";

/** Our client against a puppet that misbehaves: each rule broken has its fault, and the server gets its alert. */

export const { tls12, tls13 } = version;

export interface Case {
  script?: Partial<Script>;
  options?: Partial<ClientOptions>;
  /** What happens once the script has run. */
  afterwards?: (link: Link) => void;
  /** Several where it depends on what a sealed record looks like. */
  fault: FaultName | readonly FaultName[];
  /** Client faults that the peer is not told, because it knows or is gone. */
  silent?: boolean;
  detail?: number;
}

export function check(
  t: ExecutionContext,
  only: number,
  { script, options, afterwards, fault, silent, detail = 0 }: Case,
): void {
  const link = new Link({ ...servers.p256, version: only, ...script }, options).run();
  afterwards?.(link);
  const { client, puppet } = link;
  const expected: readonly FaultName[] = typeof fault === "string" ? [fault] : fault;
  const found = expected.find((name) => name === named(client.fault)) ?? expected[0];
  t.is(named(client.fault), found, `in ${client.state}: ${String(client.cause)}`);
  t.is(puppet.ended, silent ? undefined : alertOf(faults[found]));
  if (expected.length === 1 && detail >= 0) t.is(client.faultDetail, detail);
  else t.true(client.faultDetail > 0 || expected.length > 1);
  t.is(client.wants, wants.CLOSED);
  const later = puppet.sendRecord(ct.application_data, Buffer.from("ignored"));
  t.deepEqual(link.deliver(later).received, none);
  t.is(named(client.fault), found);
}

export function cases(only: number, rows: Record<string, Case>): void {
  const name = only === tls12 ? "TLS 1.2" : "TLS 1.3";
  for (const [rule, row] of Object.entries(rows)) test(`${name}: ${rule}`, (t) => check(t, only, row));
}

export function bothVersions(rows: Record<string, Case>): void {
  cases(tls12, rows);
  cases(tls13, rows);
}

// Ways to break a message

/** Changes the body of messages of this type. */
export function body(type: number, change: (body: Buffer) => Buffer): Partial<Script> {
  return { mutate: (each, bytes) => (each === type ? message(type, change(bodyOf(bytes))) : bytes) };
}

export const longer = (type: number) => body(type, (bytes) => concat(bytes, u8(0)));
export const shorter = (type: number) => body(type, (bytes) => bytes.subarray(0, -1));
export const flipped = (type: number, at?: number) => body(type, (bytes) => flip(bytes, at));

export type Where =
  | "server_hello"
  | "hello_retry_request"
  | "encrypted_extensions"
  | "certificate"
  | "certificate_request";

export const request: NonNullable<Script["request"]> = { schemes: [s.ecdsa_secp256r1_sha256] };
export const retry = { group: g.secp256r1 };

export function extensions(where: Where, change: (list: Extension[]) => Extension[]): Partial<Script> {
  return { extensions: { [where]: change }, ...(where === "certificate_request" ? { request } : {}) };
}

export const add = (where: Where, ...added: Extension[]) => extensions(where, (list) => [...list, ...added]);
export const drop = (where: Where, type: number) =>
  extensions(where, (list) => list.filter((each) => each.type !== type));
export const change = (where: Where, type: number, apply: (data: Buffer) => Buffer) =>
  extensions(where, (list) =>
    list.map((each) => (each.type === type ? { type, data: apply(each.data) } : each)),
  );
export const set = (where: Where, type: number, data: Buffer) => change(where, type, () => data);
export const twice = (where: Where, type: number) =>
  extensions(where, (list) => [...list, ...list.filter((each) => each.type === type)]);

export const plan = (...edits: Parameters<typeof edit.all>): Partial<Script> => ({
  plan: edit.all(...edits),
});
export const before = (name: string, ...added: Step[]) => plan(edit.before(name, ...added));
export const after = (name: string, ...added: Step[]) => plan(edit.after(name, ...added));

export const alpn = vec16(vec8(Buffer.from("h2")));
export const handshake = (bytes: Buffer) => steps.record(ct.handshake, bytes);
export const changeCipherSpec = (content = u8(1)) => steps.raw(plainRecord(ct.change_cipher_spec, content));
export const times = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);

export const repeat =
  (count: number, act: (link: Link) => void) =>
  (link: Link): void => {
    for (let i = 0; i < count; i++) act(link);
  };
