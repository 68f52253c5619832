import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { type Ran, runJob, type Target } from "../../hosts/xs/driver/machine.js";
import type { Line, Result } from "./ava.js";
import { bundleTest } from "./bundle.js";
import { obstacle, rv32Obstacle } from "./machine.js";
import { lendModules } from "./remote-server.js";
import type { Skip, SuiteJob } from "./suite-job.js";

const tests = fileURLToPath(new URL("../", import.meta.url));
const SUFFIX = ".test.js";
/** Milliseconds for one file. */
const PATIENCE = 200_000;

/** Runs the tests of folders in XS, and makes each of them a test of AVA's here. */
export async function testInXs(
  folders: readonly string[],
  skips: readonly Skip[] = [],
  target: Target = "native",
): Promise<void> {
  const found: (() => void)[] = [];
  for (const folder of folders)
    for (const file of filesOf(folder)) found.push(await tryFile(folder, file, skips, target));
  // Not before: AVA wants all tests declared together
  for (const declare of found) declare();
}

function filesOf(folder: string): string[] {
  const files = readdirSync(join(tests, folder), { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(SUFFIX)).map((file) => file.slice(0, -SUFFIX.length));
}

/** What declares a file's tests. */
async function tryFile(
  folder: string,
  file: string,
  skips: readonly Skip[],
  target: Target,
): Promise<() => void> {
  const title = `${folder}/${file}`;
  const own = skips.filter((skip) => skip.file === file);
  const blocked = target === "rv32" ? rv32Obstacle : obstacle;
  const reason = blocked ?? own.find(({ titles }) => titles === undefined)?.reason;
  if (reason) return () => declareSkipped(title, reason);
  const result = await runInXs(join(tests, title + SUFFIX), own, target);
  return () => declare(title, result);
}

function declareSkipped(title: string, reason: string): void {
  console.log(`skipped in XS: ${title}: ${reason}`);
  test.skip(`${title}: ${reason}`, (t) => t.pass());
}

interface FileResult extends Ran {
  readonly lines: readonly Line[];
}

async function runInXs(file: string, skips: readonly Skip[], target: Target): Promise<FileResult> {
  const directory = mkdtempSync(join(tmpdir(), "tlstaple-xs-"));
  const node = await lendModules();
  const job: SuiteJob = { port: node.port, skips };
  let output = "";
  try {
    const program = join(directory, "test.js");
    await bundleTest(file, program);
    const ran = await runJob(program, job, { patience: PATIENCE, target }, (bytes) => {
      output += bytes;
    });
    return { ...ran, lines: linesOf(output) };
  } finally {
    node.close();
    rmSync(directory, { recursive: true });
  }
}

function linesOf(output: string): Line[] {
  const lines = output.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

/** Every test of the file, and one for whether it came to its end. */
function declare(title: string, { code, errors, lines }: FileResult): void {
  test(`${title}: all was run`, (t) => {
    t.is(code, 0, errors);
    t.deepEqual(lines.at(-1), { done: lines.length - 1 });
  });
  for (const line of lines) if ("title" in line) declareOne(title, line);
}

function declareOne(file: string, { title, passed, skipped, error }: Result): void {
  if (skipped !== undefined) declareSkipped(`${file}: ${title}`, skipped);
  else test(`${file}: ${title}`, (t) => (passed ? t.pass() : t.fail(error)));
}
