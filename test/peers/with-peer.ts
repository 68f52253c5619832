import test, { type ExecutionContext } from "ava";
import { absent } from "./peers.js";

type Body = (t: ExecutionContext) => Promise<void>;

/**
 * Declares tests that need peers: one at a time, as each starts processes. Where a peer is not installed they are
 * skipped, and their title says why.
 */
export function withPeer(...names: (keyof typeof absent)[]): (title: string, body: Body) => void {
  const reason = names.map((name) => absent[name]).find((each) => each !== undefined);
  if (reason === undefined) return (title, body) => test.serial(title, body);
  return (title, body) => test.serial.skip(`${title}: ${reason}`, body);
}
