/** Files that hold secrets: their owner's alone, whatever they were before. */

import { closeSync, fchmodSync, fstatSync, openSync, writeSync } from "node:fs";

/**
 * Opens a file to write ("w") or to append to ("a"). A regular file that is there already becomes private too.
 * @throws Error of the system when it can't be opened, or belongs to someone else
 */
export function openPrivate(path: string, flags: "a" | "w"): number {
  const file = openSync(path, flags, 0o600);
  try {
    if (fstatSync(file).isFile()) fchmodSync(file, 0o600);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

export function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
