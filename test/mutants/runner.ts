/**
 * Runs one test file in a process of its own, and ends at the first test that fails: AVA's own start takes longer
 * than most files. The tests' `ava` is then that of test/xs, which runs them one after the other.
 */

import { pathToFileURL } from "node:url";

const failures: string[] = [];

Object.assign(globalThis, {
  host: {
    print(line: string) {
      const { passed, title, error } = JSON.parse(line);
      if (passed !== false) return;
      failures.push(`${title}: ${error}`);
      console.error(failures[0]);
      process.exit(1);
    },
    readFile: () => Buffer.from(JSON.stringify({ port: 0, skips: [] })),
  },
  programArguments: [""],
});
// what XS has for text
Object.assign(String, { fromArrayBuffer: (bytes: ArrayBuffer) => Buffer.from(bytes).toString() });

const { runAll } = await import("../xs/ava.js");
await import(pathToFileURL(process.argv[2]).href);
await runAll();
process.exit(0);
