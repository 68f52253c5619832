import { type ChildProcess, spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./files.js";
import type { Chosen } from "./judges.js";
import type { Mutant } from "./mutations.js";
import type { Order } from "./runner.js";

/** What stands for `ava` in a bench: see runner.ts. */
const ava = {
  "package.json": JSON.stringify({ name: "ava", type: "module", exports: "./index.js" }),
  "index.js": 'export { default } from "../../test/xs/ava.js";\n',
};

/** A copy of the project, for one mutant at a time. */
export class Bench {
  readonly build: string;
  private readonly folder = mkdtempSync(join(tmpdir(), "tlstaple-mutants-"));
  private running: ChildProcess | undefined;

  constructor() {
    for (const name of readdirSync(root).filter((name) => !name.startsWith("build") && !name.startsWith(".")))
      symlinkSync(join(root, name), join(this.folder, name));
    this.build = join(this.folder, "build");
    cpSync(join(root, "build"), this.build, { recursive: true });
    mkdirSync(join(this.build, "node_modules/ava"), { recursive: true });
    for (const [name, text] of Object.entries(ava))
      writeFileSync(join(this.build, "node_modules/ava", name), text);
  }

  /** Whether a test file passes with the mutant in place. */
  async passesWith({ file, start, end, by }: Mutant, { test, skip, patience }: Chosen): Promise<boolean> {
    const path = join(this.build, file);
    const original = readFileSync(path, "utf8");
    writeFileSync(path, original.slice(0, start) + by + original.slice(end));
    try {
      return await this.run({ file: join("build", test), skip }, patience);
    } finally {
      writeFileSync(path, original);
    }
  }

  /** The titles of a test file's tests that fail as they are; `coverage` is a folder for what it reached. */
  async failures(test: string, patience: number, coverage: string): Promise<string[] | undefined> {
    const failures = join(this.folder, "failures.json");
    const order = { file: join("build", test), skip: [], failures };
    const ended = await this.run(order, patience, { NODE_V8_COVERAGE: coverage });
    return ended ? JSON.parse(readFileSync(failures, "utf8")) : undefined;
  }

  /** Whether the order was carried out within so many milliseconds, and nothing failed. */
  private run(order: Order, patience: number, extra: NodeJS.ProcessEnv = {}): Promise<boolean> {
    const child = spawn(process.execPath, ["build/test/mutants/runner.js", JSON.stringify(order)], {
      cwd: this.folder,
      env: { ...process.env, TLSTAPLE_FUZZ: "0.1", ...extra },
      stdio: "ignore",
      detached: true,
    });
    this.running = child;
    const timer = setTimeout(() => this.stop(), patience);
    return new Promise((resolve) => {
      child.on("close", (code) => {
        clearTimeout(timer);
        this.stop();
        resolve(code === 0);
      });
    });
  }

  /** Ends the tests, with all their processes. */
  private stop(): void {
    const { running } = this;
    this.running = undefined;
    try {
      if (running?.pid) process.kill(-running.pid, "SIGKILL");
    } catch {
      // they have ended
    }
  }

  remove(): void {
    this.stop();
    rmSync(this.folder, { recursive: true });
  }
}
