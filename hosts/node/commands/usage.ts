import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { InvalidArgumentError } from "commander";

/** Where a command writes: `process.stdout`, or a test's. */
export interface Output {
  write(text: string | Uint8Array): unknown;
}

/** Wrong use of the command line, found after its flags were read. Exit code 2, as for what commander finds. */
export class UsageError extends Error {}

/** Whether an error is the user's: what `connect` has against the options comes from the flags. */
export function isUsageError(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return error instanceof UsageError || (typeof code === "string" && code.startsWith("ERR_TLSTAPLE_OPTION"));
}

/** The version of this package. */
export function release(): string {
  return (createRequire(import.meta.url)("tlstaple/package.json") as { version: string }).version;
}

/** Reads a file that a flag names. */
export function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** A whole number within bounds. */
export function numberBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}
