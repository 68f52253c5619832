/** Runs the commands of the walkthrough as a reader would type them, and shows them with what they print. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../cli.js", import.meta.url));

/** Milliseconds until a command must be ready, or done. */
const PATIENCE = 20_000;

/** What a command that has ended leaves. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

/** A command that runs until it is stopped. */
export class Running {
  readonly child: ChildProcess;
  printed = "";
  errors = "";
  private readonly ended: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.child = child;
    this.ended = once(child, "close");
    child.stdout?.on("data", (bytes) => {
      this.printed += bytes;
    });
    child.stderr?.on("data", (bytes) => {
      this.errors += bytes;
    });
  }

  /** Resolves once it has printed that; rejects when it ends before. */
  async until(pattern: RegExp): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE);
    while (!pattern.test(this.printed)) {
      if (this.child.exitCode !== null) throw new Error(this.errors || "it ended");
      await Promise.race([once(this.child.stdout!, "data", { signal }), this.ended]);
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) this.child.kill("SIGTERM");
    await this.ended;
  }

  async end(): Promise<Ran> {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), PATIENCE);
    const [code] = (await this.ended) as [number | null];
    clearTimeout(timer);
    return { code: code ?? -1, out: this.printed, errors: this.errors };
  }
}

/** Where the walkthrough is played: it prints, and stops at the end what it has started. */
export class Stage {
  private readonly started: Running[] = [];
  private number = 0;

  /** A step's heading. */
  step(title: string): void {
    console.log(`\n${++this.number}. ${title}`);
  }

  say(text: string): void {
    for (const line of text.trimEnd().split("\n")) console.log(`   ${line}`);
  }

  /** Starts a command that goes on; it is ready when it has printed that. */
  async start(args: readonly string[], ready: RegExp): Promise<Running> {
    this.show(args, " &");
    const running = this.spawn(args);
    this.started.push(running);
    await running.until(ready);
    return running;
  }

  /** Runs a command to its end, and shows what it prints. */
  async run(args: readonly string[]): Promise<Ran> {
    this.show(args);
    const ran = await this.spawn(args).end();
    this.say(ran.out + ran.errors);
    return ran;
  }

  async close(): Promise<void> {
    for (const running of this.started.splice(0)) await running.stop();
  }

  private show(args: readonly string[], suffix = ""): void {
    const short = args.map((arg) => (arg.startsWith("/") ? relative(process.cwd(), arg) : arg));
    this.say(`$ tlstaple ${short.join(" ")}${suffix}`);
  }

  private spawn(args: readonly string[]): Running {
    return new Running(spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "pipe"] }));
  }
}
