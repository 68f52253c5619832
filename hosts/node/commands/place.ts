import { InvalidArgumentError } from "commander";
import { withoutBrackets } from "../socket/server-name.js";
import { numberBetween } from "./usage.js";

/** Where a server is; without a port, where it usually is. */
export interface Place {
  readonly host: string;
  readonly port?: number;
}

/** Brackets, as an IPv6 address has them in a URL, are taken off. */
export function readHost(text: string): string {
  const host = withoutBrackets(text);
  if (host !== "") return host;
  throw new InvalidArgumentError("It must not be empty.");
}

export const readPort = numberBetween(1, 65535);

/** HOST, HOST:PORT, [ADDRESS]:PORT; what has more colons than one and no brackets is an IPv6 address without a port. */
export function readPlace(text: string): Place {
  const [, host, port] = /^(\[[^\]]*\]|[^:]*):([^:]*)$/.exec(text) ?? [];
  if (host === undefined) return { host: readHost(text) };
  return { host: readHost(host), port: readPort(port) };
}
