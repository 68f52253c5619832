import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { connect, createServer } from "node:net";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** Child processes of tests: started until ready, stopped for certain. */

/** A running server. */
export interface Peer {
  port: number;
  /** All that it printed. */
  log(): string;
  /** Resolves when the log matches; throws with the log after 10 s. */
  logs(pattern: RegExp): Promise<void>;
  /** Writes to its standard input. */
  type(text: string): void;
  /** Ends it and waits until it has ended. May be called again. */
  stop(): Promise<void>;
}

export interface Launch {
  /** The port, where it is known before; else the number in `ready`. */
  port?: number;
  /** What it prints when it listens, with the port in the first group. Without it, a connection tells. */
  ready?: RegExp;
  env?: Record<string, string>;
  /** Called once it has ended. */
  cleanup?: () => void;
}

/** Ready after this, in ms, or not at all. */
const patience = 10_000;
/** No peer outlives this, in ms, whatever the test does. */
const lifetime = 120_000;

/** Where the tool is, on the PATH or in the sbin folders that a user's PATH may lack. */
export function which(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  const folder = folders.find((each) => existsSync(`${each}/${name}`));
  return folder && `${folder}/${name}`;
}

/** Where the tool is; throws when it is nowhere. */
export function tool(name: string): string {
  const file = which(name);
  if (!file) throw new Error(`${name} is not installed: npm run setup installs it`);
  return file;
}

export async function launch(command: string, args: string[], options: Launch = {}): Promise<Peer> {
  const [program, ...rest] = [...mortal(), command, ...args];
  const child = spawn(program, rest, { stdio: "pipe", env: { ...process.env, ...options.env } });
  const peer = new Child(child, command, options);
  try {
    peer.port = await peer.listening(options);
    return peer;
  } catch (error) {
    await peer.stop();
    throw error;
  }
}

/** Before a command: the kernel kills it when we die, even where no exit handler runs (util-linux). */
function mortal(): string[] {
  const setpriv = which("setpriv");
  return setpriv ? [setpriv, "--pdeathsig", "KILL", "--"] : [];
}

class Child implements Peer {
  port = 0;
  private readonly child: ChildProcess;
  private readonly command: string;
  private printed = "";
  private failure: Error | undefined;
  private readonly ended: Promise<void>;

  constructor(child: ChildProcess, command: string, { cleanup }: Launch) {
    this.child = child;
    this.command = command;
    const kill = () => child.kill("SIGKILL");
    const timer = setTimeout(kill, lifetime).unref();
    process.on("exit", kill);
    child.stdin!.on("error", () => {}); // it ended while we wrote: its log says why
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on("data", (bytes) => {
        this.printed += bytes.toString("latin1");
      });
    }
    child.on("error", (error) => {
      this.failure = error;
    });
    this.ended = new Promise((resolve) => {
      child.on("close", () => {
        clearTimeout(timer);
        process.off("exit", kill);
        cleanup?.();
        resolve();
      });
    });
  }

  log(): string {
    return this.printed;
  }

  async logs(pattern: RegExp): Promise<void> {
    await this.until(async () => pattern.test(this.printed) || undefined, `${pattern} in its output`);
  }

  type(text: string): void {
    this.child.stdin!.write(text);
  }

  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    const gone = await Promise.race([this.ended.then(() => true), sleep(2000, false, { ref: false })]);
    if (!gone) this.child.kill("SIGKILL");
    await this.ended;
  }

  /** Waits until it listens; its port. */
  listening({ port, ready }: Launch): Promise<number> {
    if (!ready) return this.until(async () => ((await answers(port!)) ? port : undefined), `port ${port}`);
    return this.until(async () => {
      const match = ready.exec(this.printed);
      return match ? (port ?? Number(match[1])) : undefined;
    }, `${ready}`);
  }

  private async until<T>(probe: () => Promise<T | undefined>, what: string): Promise<T> {
    for (const end = Date.now() + patience; Date.now() < end; await sleep(20)) {
      const found = await probe();
      if (found !== undefined) return found;
      if (this.failure || this.child.exitCode !== null) break;
    }
    const reason = this.failure?.message ?? `waited for ${what}`;
    throw new Error(`${this.command}: ${reason}\n${this.printed}`);
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** A port of 127.0.0.1 that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/**
 * Compiles a C source of test/, given by its path there, into build/ when that is absent or older; the
 * file that came out. Several test processes may do so at once, hence the rename.
 */
export function compile(source: string, output: string, ...flags: string[]): string {
  const input = fileURLToPath(new URL(`../../../test/${source}`, import.meta.url));
  const file = fileURLToPath(new URL(`../../c/${output}`, import.meta.url));
  if (existsSync(file) && statSync(file).mtimeMs > statSync(input).mtimeMs) return file;
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}`;
  execFileSync(tool("gcc"), ["-O1", "-Wall", "-Wextra", "-Werror", "-o", fresh, input, ...flags], {
    stdio: "pipe",
  });
  renameSync(fresh, file);
  return file;
}
