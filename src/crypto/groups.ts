import { namedGroup } from "../wire/registry.js";

/** The groups that are taken by default, best first. */
export const groups: readonly number[] = Object.freeze([
  namedGroup.x25519,
  namedGroup.secp256r1,
  namedGroup.secp384r1,
]);

/** Those that are taken where they are asked for. */
export const moreGroups: readonly number[] = Object.freeze([
  namedGroup.secp521r1,
  namedGroup.x448,
  namedGroup.x25519mlkem768,
]);
