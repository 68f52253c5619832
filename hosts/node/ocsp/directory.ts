/** A directory of staples, so that they survive a restart. What is in it is not trusted: its reader verifies. */

import { randomBytes } from "node:crypto";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Names are hashes in hexadecimal, so nothing that a certificate says gets into a path. */
const stapleName = /^[0-9a-f]{64}\.ocsp$/;
const temporaryName = /^[0-9a-f]{64}\.ocsp\.[0-9a-f]{16}$/;

/** Milliseconds after which a file that was never renamed is one that a crash left behind. */
const abandoned = 60_000;

export class StapleDirectory {
  private readonly path: string;
  private readonly maxBytes: number;
  private readonly maxFiles: number;
  private readonly onError: (error: unknown) => void;
  /** Writes go one after the other: the last one wins. */
  private queue: Promise<void> = Promise.resolve();

  /** @throws Error when the directory neither exists nor can be made */
  constructor(path: string, maxBytes: number, maxFiles: number, onError: (error: unknown) => void) {
    mkdirSync(path, { recursive: true });
    this.path = path;
    this.maxBytes = maxBytes;
    this.maxFiles = maxFiles;
    this.onError = onError;
  }

  /** The bytes that were saved under this id, a SHA-256 in hexadecimal; undefined when there are none. */
  load(id: string): Buffer | undefined {
    try {
      return readLimited(this.file(id), this.maxBytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.onError(error);
      return undefined;
    }
  }

  remove(id: string): void {
    try {
      rmSync(this.file(id), { force: true });
    } catch (error) {
      this.onError(error);
    }
  }

  /** Saves in the background; a reader sees the old bytes or the new, whatever happens meanwhile. */
  save(id: string, bytes: Uint8Array): void {
    this.queue = this.queue.then(() => this.write(id, bytes)).catch(this.onError);
  }

  private file(id: string): string {
    return join(this.path, `${id}.ocsp`);
  }

  private async write(id: string, bytes: Uint8Array): Promise<void> {
    const temporary = `${this.file(id)}.${randomBytes(8).toString("hex")}`;
    try {
      await writeThrough(temporary, bytes);
      await rename(temporary, this.file(id));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await this.prune();
  }

  /** Removes what is too much, the oldest first, and what a crash left behind. */
  private async prune(): Promise<void> {
    const names = await readdir(this.path);
    const staples = names.filter((name) => stapleName.test(name));
    if (staples.length > this.maxFiles) {
      const oldest = (await this.byAge(staples)).slice(0, staples.length - this.maxFiles);
      await this.removeAll(oldest.map(({ file }) => file));
    }
    const temporary = await this.byAge(names.filter((name) => temporaryName.test(name)));
    await this.removeAll(
      temporary.filter(({ time }) => time < Date.now() - abandoned).map(({ file }) => file),
    );
  }

  private async byAge(names: readonly string[]): Promise<{ file: string; time: number }[]> {
    const files = await Promise.all(
      names.map(async (name) => {
        const file = join(this.path, name);
        return { file, time: (await stat(file)).mtimeMs };
      }),
    );
    return files.sort((a, b) => a.time - b.time);
  }

  private async removeAll(files: readonly string[]): Promise<void> {
    for (const file of files) await rm(file, { force: true });
  }
}

/** The size is looked at before anything is read. */
function readLimited(file: string, maxBytes: number): Buffer {
  const descriptor = openSync(file, "r");
  try {
    const { size } = fstatSync(descriptor);
    if (size > maxBytes) throw new Error(`${file} exceeds ${maxBytes} bytes`);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes a new file whose bytes are on the disk when it returns. */
async function writeThrough(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, "wx", 0o644);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
