import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
export const tsc = join(root, "node_modules/.bin/tsc");

/** A program that is not part of this project's. */
export const standardProgram = join(root, "test/types/standard.ts");
/** The typings that npm has. */
export const npmTypings = join(root, "node_modules/@moddable/typings");

/** Typings of what `standardProgram` imports, in a folder of the SDK's typings. */
export const socketTypings = (typings: string) =>
  ["tcp", "tls"].map((name) => join(typings, `embedded_io/socket/${name}.d.ts`));

/** The TypeScript in docs/moddable.md: an application's `main.ts` each. */
export function examples(): string[] {
  const doc = readFileSync(join(root, "docs/moddable.md"), "utf8");
  return [...doc.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
}

/**
 * Compiles files strictly as mcconfig has them compiled, where modules are found by paths; what is wrong, "" if nothing.
 * Declarations are checked too, unless `trusting`.
 */
export function compile(
  files: readonly string[],
  paths: Readonly<Record<string, string>>,
  trusting = false,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-types-"));
  const options = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    types: [],
    skipLibCheck: trusting,
  };
  const found = Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, [path]]));
  const compilerOptions = { module: "preserve", target: "es2025", lib: ["es2025"], paths: found, ...options };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  return new Promise((resolve) => {
    execFile(tsc, ["-p", folder], (error, stdout, stderr) => {
      rmSync(folder, { recursive: true });
      resolve(error ? `${stdout}${stderr}` || error.message : "");
    });
  });
}
