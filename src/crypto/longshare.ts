import { namedGroup } from "../wire/registry.js";
import { HYBRID_SHARE } from "./hybrid.js";

/** Bytes of uncompressed points. */
const P384 = 97;
const P521 = 133;

/** `longShare` of a provider that has all these groups. */
export function longShare(groups: readonly number[]): number {
  if (groups.includes(namedGroup.x25519mlkem768)) return HYBRID_SHARE - P384;
  return groups.includes(namedGroup.secp521r1) ? P521 - P384 : 0;
}
