import type { ExecutionContext } from "ava";
import type { Fault } from "../../src/client/index.js";
import { type ServerOptions, TlsServer } from "../../src/server/index.js";
import { alertOf } from "../../src/wire/fault.js";
import { named } from "../faults.js";
import { extension } from "../peers/messages.js";
import { serverDefaults } from "./pair.js";
import { type Hello, Scripted, type Settings } from "./scripted.js";

/** ClientHellos with changes, and what becomes of them. */

export function greet(settings: Settings, options: Partial<ServerOptions> = {}): Scripted {
  return new Scripted(new TlsServer({ ...serverDefaults, ...options }), settings).hello();
}

export function refused(
  t: ExecutionContext,
  fault: Fault,
  settings: Settings,
  options?: Partial<ServerOptions>,
): void {
  const { server, alert: told, level } = greet(settings, options);
  t.is(server.fault, fault, `${named(server.fault)}`);
  t.is(told, alertOf(fault));
  t.is(level, 2);
}

export function accepted(
  t: ExecutionContext,
  settings: Settings,
  options?: Partial<ServerOptions>,
): Scripted {
  const client = greet(settings, options);
  t.is(client.server.fault, undefined, named(client.server.fault));
  client.complete();
  t.true(client.server.established, named(client.server.fault));
  return client;
}

/** The ClientHello with one of its extensions replaced, left out or added. */
export function having(type: number, ...data: Uint8Array[]): Settings["edit"] {
  return (hello) => ({
    ...hello,
    extensions: [...hello.extensions.filter((each) => each.type !== type), extension(type, ...data)],
  });
}

export function lacking(...types: number[]): Settings["edit"] {
  return (hello) => ({
    ...hello,
    extensions: hello.extensions.filter(({ type }) => !types.includes(type)),
  });
}

export function fields(change: Partial<Hello>): Settings["edit"] {
  return (hello) => ({ ...hello, ...change });
}
