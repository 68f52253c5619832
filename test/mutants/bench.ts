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
import type { Mutant } from "./mutations.js";

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
  async passesWith({ file, start, end, by }: Mutant, test: string, patience: number): Promise<boolean> {
    const path = join(this.build, file);
    const original = readFileSync(path, "utf8");
    writeFileSync(path, original.slice(0, start) + by + original.slice(end));
    try {
      return await this.passes(test, patience);
    } finally {
      writeFileSync(path, original);
    }
  }

  /** Whether a test file passes within so many milliseconds; `coverage` is a folder for what it reached. */
  passes(test: string, patience: number, coverage?: string): Promise<boolean> {
    const env = { ...process.env, TLSTAPLE_FUZZ: "0.1", ...(coverage && { NODE_V8_COVERAGE: coverage }) };
    const child = spawn(process.execPath, ["build/test/mutants/runner.js", join("build", test)], {
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
