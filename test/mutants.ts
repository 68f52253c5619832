/**
 * Breaks each check of src, one at a time, and runs the tests: whatever survives is not tested.
 *
 *   npm run mutants              all of src
 *   npm run mutants -- record    files whose path contains "record"
 *
 * The mutants are made of what tsc compiled, in copies of build/. Verdicts are kept in build/mutants.json:
 * a run that is stopped goes on where it was, and only what has changed, or survived, is tried again.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAst } from "rollup/parseAst";
import { equivalent } from "./equivalent.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const ledger = join(root, "build/mutants.json");

const workers = 2;
/** Milliseconds after which a mutant counts as killed: it loops. */
const patience = 180_000;

// ---- What is mutated

interface Mutant {
  /** Below build/. */
  readonly file: string;
  readonly line: number;
  /** The source that is replaced, and what replaces it. */
  readonly text: string;
  readonly by: string;
  readonly start: number;
  readonly end: number;
  /** The line as it was, for the report. */
  readonly code: string;
}

interface Node {
  type: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit);
}

/** Functions that throw their second argument unless the first one holds. */
const assertions = new Set(["expect", "demand"]);

/** What to replace in a node so that its check is gone, but nothing else that it does. */
function replacements(node: Node, text: (node: Node) => string): [Node, string][] {
  const { type } = node;
  if (type === "ThrowStatement") return [[node, ";"]];
  if (type === "IfStatement" && isNode(node.consequent) && text(node.consequent) === "return false;")
    return [[node.consequent, ";"]];
  if (type === "LogicalExpression" && node.operator !== "??") {
    const neutral = node.operator === "&&";
    return [node.left, node.right].filter(isNode).map((side) => [side, `(${text(side)}, ${neutral})`]);
  }
  const callee = node.callee as Node | undefined;
  if (type === "CallExpression" && assertions.has(String(callee?.name))) {
    const [condition] = node.arguments as Node[];
    return [[condition, `[${text(condition)}]`]];
  }
  return [];
}

function mutantsOf(file: string): Mutant[] {
  const source = readFileSync(join(root, "build", file), "utf8");
  const lines = source.split("\n");
  const mutants: Mutant[] = [];
  const text = ({ start, end }: Node) => source.slice(start, end);
  walk(parseAst(source) as unknown as Node, (node) => {
    for (const [{ start, end }, by] of replacements(node, text)) {
      const line = source.slice(0, start).split("\n").length;
      mutants.push({
        file,
        line,
        text: source.slice(start, end),
        by,
        start,
        end,
        code: lines[line - 1].trim(),
      });
    }
  });
  return mutants;
}

/** What is compiled of the sources below a folder; build/ itself may hold more, of sources that are gone. */
function compiled(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name.replace(/ts$/, "js")))
    .sort();
}

// ---- The tests that judge

/** The tests that stand closest to a layer, then all that need no other program. */
const near: Record<string, string[]> = {
  wire: ["test/wire"],
  crypto: ["test/crypto", "test/vectors"],
  pki: ["test/pki"],
  record: ["test/record"],
  client: ["test/client"],
  server: ["test/server"],
};
const far = [...new Set(Object.values(near).flat()), "test/certs", "test/fuzz"];
/** Too slow, or about something else. */
const apart = /memory|openssl|fixtures/;

function testsIn(folders: string[]): string[] {
  return folders.flatMap((folder) => compiled(folder, ".test.ts")).filter((file) => !apart.test(file));
}

/** Tests that fail without any mutant judge nothing. */
const unfit = new Set<string>();

/** Both steps for a file of src; the second one without the tests of the first. */
function judges(file: string): string[][] {
  const first = testsIn(near[file.split("/")[1]]);
  const second = testsIn(far).filter((test) => !first.includes(test));
  return [first, second].map((tests) => tests.filter((test) => !unfit.has(test)));
}

/** A copy of the project, for one mutant at a time. */
class Bench {
  private readonly folder = mkdtempSync(join(tmpdir(), "tlstaple-mutants-"));
  private running: ChildProcess | undefined;

  constructor() {
    for (const name of readdirSync(root).filter((name) => !name.startsWith("build") && !name.startsWith(".")))
      symlinkSync(join(root, name), join(this.folder, name));
    cpSync(join(root, "build"), join(this.folder, "build"), { recursive: true });
  }

  /** Whether the tests pass with the mutant in place. */
  async passesWith({ file, start, end, by }: Mutant, tests: string[]): Promise<boolean> {
    const path = join(this.folder, "build", file);
    const original = readFileSync(path, "utf8");
    writeFileSync(path, original.slice(0, start) + by + original.slice(end));
    try {
      return await this.passes(tests);
    } finally {
      writeFileSync(path, original);
    }
  }

  passes(tests: string[]): Promise<boolean> {
    const files = tests.map((test) => join("build", test));
    const cli = join(root, "node_modules/ava/entrypoints/cli.mjs");
    const env = { ...process.env, TLSTAPLE_FUZZ: "0.1" };
    const child = spawn(process.execPath, [cli, "--fail-fast", "--concurrency", "1", ...files], {
      cwd: this.folder,
      env,
      stdio: "ignore",
      detached: true,
    });
    this.running = child;
    const timer = setTimeout(() => this.stop(), patience);
    return new Promise((resolve) => {
      child.on("close", (code) => {
        clearTimeout(timer);
        this.running = undefined;
        resolve(code === 0);
      });
    });
  }

  /** Ends the tests, with all their processes. */
  private stop(): void {
    if (this.running?.pid) process.kill(-this.running.pid, "SIGKILL");
  }

  remove(): void {
    this.stop();
    rmSync(this.folder, { recursive: true });
  }
}

// ---- The ledger

type Verdict = "killed" | "survived";

/** By mutant; a mutant of a changed file is another one. */
const verdicts: Record<string, Verdict> = existsSync(ledger) ? JSON.parse(readFileSync(ledger, "utf8")) : {};

function keyOf({ file, start, by }: Mutant): string {
  const source = readFileSync(join(root, "build", file));
  return `${file} ${createHash("sha256").update(source).digest("hex").slice(0, 16)} ${start} ${by}`;
}

function note(mutant: Mutant, verdict: Verdict): void {
  verdicts[keyOf(mutant)] = verdict;
  writeFileSync(ledger, JSON.stringify(verdicts, undefined, 1));
}

function describe({ file, line, text, code }: Mutant): string {
  return `${file.replace(/js$/, "ts")} (line ${line} compiled)\n    without: ${text.replace(/\s+/g, " ")}\n    in:      ${code}`;
}

// ---- A run

/** Finds the tests that are unfit. */
async function prove(bench: Bench, tests: string[]): Promise<void> {
  for (let test = tests.shift(); test; test = tests.shift()) {
    if (await bench.passes([test])) continue;
    unfit.add(test);
    console.log(`left out, it fails as it is: ${test}`);
  }
}

async function judge(bench: Bench, mutant: Mutant): Promise<Verdict> {
  for (const tests of judges(mutant.file)) if (!(await bench.passesWith(mutant, tests))) return "killed";
  return "survived";
}

/** Takes mutants off the queue until it is empty. */
async function work(bench: Bench, queue: Mutant[]): Promise<void> {
  for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
    const verdict = await judge(bench, mutant);
    note(mutant, verdict);
    if (verdict === "survived") console.log(`SURVIVED ${describe(mutant)}`);
    if (queue.length % 20 === 0) console.log(`${queue.length} to go`);
  }
}

function isEquivalent({ file, code, text }: Mutant): boolean {
  return equivalent.some(
    (row) => file.endsWith(row.file) && code.includes(row.code) && text.includes(row.text ?? ""),
  );
}

async function main(filters: string[]): Promise<void> {
  const files = compiled("src", ".ts").filter(
    (file) => filters.length === 0 || filters.some((f) => file.includes(f)),
  );
  const all = files.flatMap(mutantsOf).filter((mutant) => !isEquivalent(mutant));
  const queue = all.filter((mutant) => verdicts[keyOf(mutant)] !== "killed");
  console.log(`${all.length} mutants, ${queue.length} to try`);
  const benches = Array.from({ length: workers }, () => new Bench());
  try {
    const needed = [...new Set(queue.flatMap(({ file }) => judges(file)).flat())];
    await Promise.all(benches.map((bench) => prove(bench, needed)));
    await Promise.all(benches.map((bench) => work(bench, queue)));
  } finally {
    for (const bench of benches) bench.remove();
  }
  const survivors = all.filter((mutant) => verdicts[keyOf(mutant)] === "survived");
  console.log(`${all.length - survivors.length} killed, ${survivors.length} survived`);
  for (const mutant of survivors) console.log(`  ${describe(mutant)}`);
  process.exitCode = survivors.length > 0 ? 1 : 0;
}

await main(process.argv.slice(2));
