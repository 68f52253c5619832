import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { which } from "../peers/process.js";

/** The user's Moddable SDK: `$MODDABLE`. No part of it is in this project. */

const moddable = process.env.MODDABLE ?? "";
const tools = join(moddable, "build/bin/lin/release");

/** The types that the SDK has of its modules. */
export const sdkTypings = join(moddable, "typings");

/** Where the tools are found: on the PATH, or where the SDK's makefiles put them. */
const path = () => `${process.env.PATH}:${tools}`;

/** What is missing, each with the way to get it; empty when all is there. */
export async function missing(): Promise<string[]> {
  if (process.platform !== "linux") return ["Linux: the SDK's clients run here on its platform `lin`"];
  if (!existsSync(join(moddable, "tools/mcconfig.js")))
    return [
      "$MODDABLE, the folder of the Moddable SDK 8:\n" +
        "      git clone https://github.com/Moddable-OpenSource/moddable ~/moddable && export MODDABLE=~/moddable",
    ];
  const absent = ["xsc", "xsl", "xsid", "mcconfig"].filter((name) => !built(name));
  const lacks = absent.length === 0 ? [] : [`${absent.join(", ")}, the SDK's tools. ${howToBuild()}`];
  for (const name of ["gcc", "make", "git", "pkg-config"])
    if (!which(name)) lacks.push(`${name}: apt-get install gcc make git pkg-config`);
  if (which("pkg-config") && !(await succeeds("pkg-config", ["--exists", "glib-2.0", "gio-2.0"])))
    lacks.push("GLib: apt-get install libglib2.0-dev");
  return lacks;
}

const built = (name: string) =>
  path()
    .split(":")
    .some((folder) => existsSync(join(folder, name)));

function howToBuild(): string {
  const parts = "$MODDABLE/xs/makefiles/lin/{xsc,xsid,xsl}.mk tools.mk";
  return (
    "To build them:\n      cd $MODDABLE/build/makefiles/lin && make release\n" +
    "    or, without a display, those that are needed (bash):\n" +
    "      export XS_DIR=$MODDABLE/xs BUILD_DIR=$MODDABLE/build; cd $MODDABLE/build/makefiles/lin\n" +
    `      for part in ${parts}; do make GOAL=release -f $part; done`
  );
}

/** Runs a command; its output. Throws with what it printed when it fails. */
async function run(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}) {
  const options = {
    cwd,
    env: { ...process.env, MODDABLE: moddable, PATH: path(), ...env },
    maxBuffer: 1 << 26,
  };
  try {
    return (await promisify(execFile)(command, args, options)).stdout;
  } catch (error) {
    const { message, stdout, stderr } = error as Error & { stdout?: string; stderr?: string };
    const last = `${stdout ?? ""}${stderr ?? ""}`.trim().split("\n").slice(-12).join("\n        ");
    throw new Error(`${message.split("\n")[0]}\n        ${last}`);
  }
}

export function succeeds(command: string, args: string[]): Promise<boolean> {
  return run(command, args, ".").then(
    () => true,
    () => false,
  );
}

/** The SDK's version, as git or its package tells it. */
export async function sdkVersion(): Promise<string> {
  const tell = ["describe", "--tags", "--always"];
  return run("git", ["-C", moddable, ...tell], ".").then(
    (text) => text.trim(),
    () => "of unknown version",
  );
}

/** Builds applications in a folder, as the SDK does, but never starts one. */
export class Builder {
  private readonly folder: string;
  private readonly output: string;
  private idf: NodeJS.ProcessEnv | undefined;

  constructor(folder: string) {
    this.folder = folder;
    this.output = join(folder, "out");
    mkdirSync(this.output, { recursive: true });
  }

  /** For the simulator; the library that came out. `build` is the target that does not start mcsim. */
  async lin(app: string): Promise<string> {
    await run("mcconfig", ["-p", "lin", "-o", this.output], app);
    const name = app.split("/").pop()!;
    await run("make", ["-j2", "-C", join(this.output, "tmp/lin/mc/release", name), "build"], app);
    return join(this.output, "bin/lin/mc/release", name, "mc.so");
  }

  /** For a device, "esp32/esp32c3", as far as it goes without a compiler for it: the folder with mc.xs.c. */
  async esp32(app: string, platform = "esp32"): Promise<string> {
    this.idf ??= await this.findIdf();
    await run("mcconfig", ["-p", platform, "-o", this.output], app, this.idf);
    const made = join(this.output, "tmp", platform, "release", app.split("/").pop()!);
    const files = ["mc.xs.c", "mc.resources.c"].map((name) => join(made, name));
    await run("make", ["-C", made, ...files], app, this.idf);
    return made;
  }

  /** The loader that takes the place of mcsim. */
  async headless(source: string): Promise<string> {
    const flags = (await run("pkg-config", ["--cflags", "--libs", "glib-2.0"], ".")).trim().split(/\s+/);
    const file = join(this.folder, "headless");
    const include = `-I${join(moddable, "build/simulators/modules")}`;
    await run("gcc", ["-O1", "-Wall", "-rdynamic", "-o", file, source, include, ...flags, "-ldl"], ".");
    return file;
  }

  /** Bytes of byte code of each module of a device's application, by its name. */
  modules(made: string): Map<string, number> {
    const folder = join(made, "modules");
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
    const compiled = files.filter((name) => name.endsWith(".xsb"));
    return new Map(compiled.map((name) => [name.replace(/\.xsb$/, ""), statSync(join(folder, name)).size]));
  }

  /** Bytes of a device's image of an application: mc.xs.c compiled for 32 bits. Undefined when gcc can't. */
  async image(made: string): Promise<number | undefined> {
    const xs = (name: string) => `-I${join(moddable, "xs", name)}`;
    const glib = (await run("pkg-config", ["--cflags", "glib-2.0", "gio-2.0"], ".")).trim().split(/\s+/);
    const define = ["-DXS_ARCHIVE=1", "-DINCLUDE_XSPLATFORM=1", '-DXSPLATFORM="lin_xs.h"', "-D_RELEASE=1"];
    const include = [xs("includes"), xs("platforms"), xs("sources"), `-I${made}`, ...glib];
    const object = join(made, "image.o");
    const how = ["-m32", "-Os", "-w", "-c", ...define, ...include];
    if (!(await succeeds("gcc", [...how, join(made, "mc.xs.c"), "-o", object]))) return undefined;
    const [, sizes] = (await run("size", [object], ".")).trim().split("\n");
    const [text, data] = sizes.trim().split(/\s+/).map(Number);
    return text + data;
  }

  /** Whether the user's ESP-IDF was used. */
  get realIdf(): boolean {
    return this.idf !== undefined && Object.keys(this.idf).length === 0;
  }

  private async findIdf(): Promise<NodeJS.ProcessEnv> {
    return process.env.IDF_PATH && which("idf.py") ? {} : this.standIn();
  }

  /**
   * Empty folders where ESP-IDF would be, for the SDK's makefile asks for its version and for a configuration. That
   * is enough up to mc.xs.c, which no C of ESP-IDF goes into.
   */
  private async standIn(): Promise<NodeJS.ProcessEnv> {
    const idf = join(this.folder, "idf");
    for (const folder of this.idfFolders()) mkdirSync(join(idf, folder), { recursive: true });
    const { EXPECTED_ESP_IDF } = readJson(join(moddable, "build/devices/esp32/manifest.json")).build;
    const author = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"];
    await run("git", ["init", "-q"], idf);
    await run("git", [...author, "commit", "-q", "--allow-empty", "-m", "stand-in"], idf);
    await run("git", ["tag", EXPECTED_ESP_IDF], idf);
    const bin = join(idf, "bin");
    mkdirSync(bin);
    const script = "#!/bin/sh\nmkdir -p build/config && : > build/config/sdkconfig.h\n";
    writeFileSync(join(bin, "idf.py"), script, { mode: 0o755 });
    return { IDF_PATH: idf, PATH: `${bin}:${path()}` };
  }

  /** Those that our manifest asks for. */
  private idfFolders(): string[] {
    const manifest = join(this.folder, "node_modules/tlstaple/hosts/moddable/manifest.json");
    const found = readFileSync(manifest, "utf8").matchAll(/"\$\(IDF_PATH\)\/([^"]+)"/g);
    return [...found].map(([, folder]) => folder);
  }
}

export function readJson(file: string) {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** A path as a reader likes it. */
export const short = (file: string) => file.replace(homedir(), "~");
