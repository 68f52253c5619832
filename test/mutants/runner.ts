/**
 * Runs one test file in a process of its own, and ends at the first test that fails: AVA's own start takes longer
 * than most files. The tests' `ava` is then that of test/xs, which runs them one after the other.
 */

import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** What bench.ts asks for. */
export interface Order {
  readonly file: string;
  /** Titles of tests that judge nothing. */
  readonly skip: readonly string[];
  /** Where to write the titles of those that fail, of all; without it the first one ends the run. */
  readonly failures?: string;
}

const { file, skip, failures }: Order = JSON.parse(process.argv[2]);
const failed: string[] = [];

function print(line: string): void {
  const { passed, title } = JSON.parse(line);
  if (passed !== false) return;
  if (failures === undefined) process.exit(1);
  failed.push(title);
}

const literally = (title: string) => title.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
const skips =
  skip.length > 0 ? [{ file, titles: `^(${skip.map(literally).join("|")})$`, reason: "it fails" }] : [];

Object.assign(globalThis, {
  host: { print, readFile: () => Buffer.from(JSON.stringify({ port: 0, skips })) },
  programArguments: [""],
});
// what XS has for text
Object.assign(String, { fromArrayBuffer: (bytes: ArrayBuffer) => Buffer.from(bytes).toString() });

const { runAll } = await import("../xs/ava.js");
await import(pathToFileURL(file).href);
await runAll();
if (failures !== undefined) writeFileSync(failures, JSON.stringify(failed));
process.exit(0);
