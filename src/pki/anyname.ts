import type { Path } from "./path.js";

/**
 * Has a path take a leaf for any name, which is then somebody else's to judge: all else is checked as before. To be called
 * before the first certificate is added. For hosts that say so; no device has it.
 */
export function acceptAnyName(path: Path): void {
  path.reference = undefined;
}
