/** Key exchanges without a handshake: what a group costs each side, and how many bytes go over the wire. */

import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { groupName } from "../../hosts/node/common/read.js";
import { provider as node } from "../../hosts/node/index.js";
import { hybrid, portable } from "../../hosts/portable/index.js";
import type { Provider } from "../../src/client/index.js";
import { median } from "./stats.js";

export interface KeyExchange {
  readonly provider: string;
  readonly group: string;
  /** Bytes of the shares of both sides. */
  readonly bytes: { readonly client: number; readonly server: number };
  /** For a key pair and the secret. */
  readonly cpuMicroseconds: { readonly client: number; readonly server: number };
}

/** Each group of the providers of Node and of noble, `rounds` times. */
export function exchanges(rounds: number): KeyExchange[] {
  const noble = hybrid(portable({ random: node.random }), ml_kem768);
  return [node, noble].flatMap((provider) =>
    [...provider.groups, ...(provider.moreGroups ?? [])].map((group) => measured(provider, group, rounds)),
  );
}

function measured(provider: Provider, group: number, rounds: number): KeyExchange {
  const all = Array.from({ length: rounds + WARM_UP }, () => once(provider, group)).slice(WARM_UP);
  const of = (role: "client" | "server") => median(all.map(({ cpuMicroseconds }) => cpuMicroseconds[role]));
  const cpuMicroseconds = { client: of("client"), server: of("server") };
  return { provider: provider.name, group: groupName(group), bytes: all[0].bytes, cpuMicroseconds };
}

const WARM_UP = 20;
/** More than any share takes. */
const ROOM = 2048;

function once(provider: Provider, group: number): Omit<KeyExchange, "provider" | "group"> {
  const [share, reply, secret] = [ROOM, ROOM, ROOM].map((size) => new Uint8Array(size));
  const spent = { client: 0, server: 0 };
  const timed = <T>(role: keyof typeof spent, work: () => T): T => {
    const { user, system } = process.cpuUsage();
    const done = work();
    const after = process.cpuUsage();
    spent[role] += after.user + after.system - user - system;
    return done;
  };
  const client = timed("client", () => provider.exchange(group));
  const asked = timed("client", () => client.publicKey(share, 0));
  const server = timed("server", () => provider.exchange(group));
  timed("server", () => server.agree(share, 0, asked, secret, 0));
  const answered = timed("server", () => server.publicKey(reply, 0));
  timed("client", () => client.agree(reply, 0, answered, secret, 0));
  return { bytes: { client: asked, server: answered }, cpuMicroseconds: spent };
}
