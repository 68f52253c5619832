/** A store in a directory, for the processes of one machine, and so that what is stored survives a restart. */

import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { constants, link, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { nested, number, type SchemaOf } from "./read.js";
import type { KeyValueStore } from "./store.js";

export interface FileStoreOptions {
  /** How many files there are at most, those that end first going first; 10,000 by default. */
  readonly maxFiles?: number;
  /** The largest value; 131,072 by default. */
  readonly maxBytes?: number;
}

const schema = { maxFiles: number, maxBytes: number } satisfies SchemaOf<FileStoreOptions>;

/** What other files there are is not ours. */
const valueName = /\.value$/;
const temporaryName = /\.value\.[0-9a-f]{16}$/;

/** Milliseconds after which a file that was never renamed is one that a crash left behind. */
const ABANDONED = 60_000;

interface Found {
  readonly file: string;
  /** When it was written, or, of a value, when it ends: milliseconds since 1970. */
  readonly time: number;
}

/**
 * Values in files of a directory, which only their owner can read. A file's time of modification is when its value ends. A
 * reader sees the old value or the new, whatever happens meanwhile.
 */
export class FileStore implements KeyValueStore {
  private readonly directory: string;
  private readonly maxFiles: number;
  private readonly maxBytes: number;
  /** Writes go one after the other: the last one wins. */
  private queue: Promise<unknown> = Promise.resolve();

  /**
   * @throws Error of the file system when the directory neither exists nor can be made; TypeError or RangeError whose `code`
   * begins with `ERR_TLSTAPLE_OPTION`
   */
  constructor(directory: string, options: FileStoreOptions = {}) {
    const { maxFiles = 10_000, maxBytes = 131_072 } = nested(schema)(options, "FileStore");
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.directory = directory;
    this.maxFiles = maxFiles;
    this.maxBytes = maxBytes;
  }

  async get(key: string): Promise<string | undefined> {
    const found = await read(this.file(key), this.maxBytes).catch(unless("ENOENT"));
    return found && found.ends > Date.now() ? found.value : undefined;
  }

  set(key: string, value: string, ttl: number): Promise<void> {
    return this.next(async () => {
      await this.write(key, value, ttl, rename);
      await this.prune();
    });
  }

  async delete(key: string): Promise<void> {
    await this.next(() => rm(this.file(key), { force: true }));
  }

  /** True when there was no value; of several processes that do so at once, for one alone. */
  add(key: string, value: string, ttl: number): Promise<boolean> {
    return this.next(async () => {
      if ((await this.get(key)) !== undefined) return false;
      await this.discard(key);
      return this.write(key, value, ttl, place);
    });
  }

  /** Keys become names of files as they are, as far as they may. */
  private file(key: string): string {
    return join(this.directory, `${encodeURIComponent(key)}.value`);
  }

  private next<T>(act: () => Promise<T>): Promise<T> {
    const done = this.queue.then(act);
    this.queue = done.catch(() => undefined);
    return done;
  }

  private async write<T>(
    key: string,
    value: string,
    ttl: number,
    put: (from: string, to: string) => Promise<T>,
  ): Promise<T> {
    const temporary = temporaryOf(this.file(key));
    try {
      await writeThrough(temporary, value, Date.now() + ttl);
      return await put(temporary, this.file(key));
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** Takes away a value that has ended, and puts back what another process has put in its place meanwhile. */
  private async discard(key: string): Promise<void> {
    const file = this.file(key);
    const aside = temporaryOf(file);
    if (!(await rename(file, aside).then(() => true, unless("ENOENT", false)))) return;
    const found = await read(aside, this.maxBytes).catch(() => undefined);
    if (found && found.ends > Date.now()) await place(aside, file);
    await rm(aside, { force: true });
  }

  /** Removes what has ended, what is too much, and what a crash left behind. */
  private async prune(): Promise<void> {
    const names = await readdir(this.directory);
    const now = Date.now();
    const values = await this.byTime(names.filter((name) => valueName.test(name)));
    const temporary = await this.byTime(names.filter((name) => temporaryName.test(name)));
    const surplus = values.filter(({ time }, i) => time <= now || i < values.length - this.maxFiles);
    for (const { file } of surplus) await rm(file, { force: true });
    for (const { file } of temporary.filter(({ time }) => time < now - ABANDONED))
      await rm(file, { force: true });
  }

  private async byTime(names: readonly string[]): Promise<Found[]> {
    const found = await Promise.all(names.map((name) => timeOf(join(this.directory, name))));
    return found.filter((each) => each !== undefined).sort((a, b) => a.time - b.time);
  }
}

const temporaryOf = (file: string) => `${file}.${randomBytes(8).toString("hex")}`;

/** What is no file of ours is left alone. */
async function timeOf(file: string): Promise<Found | undefined> {
  const found = await stat(file).catch(unless("ENOENT"));
  return found?.isFile() ? { file, time: found.mtimeMs } : undefined;
}

/** Puts a file in its place unless there is one: false then. */
function place(from: string, to: string): Promise<boolean> {
  return link(from, to).then(() => true, unless("EEXIST", false));
}

/** What an error with this code stands for; others are thrown. */
function unless<T = undefined>(code: string, value?: T): (error: unknown) => T {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === code) return value as T;
    throw error;
  };
}

/** What is no file, or too large, is not read; a pipe must not make us wait. */
async function read(file: string, maxBytes: number): Promise<{ value: string; ends: number }> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.size > maxBytes)
      throw new Error(`${file} is no file of ${maxBytes} bytes at most`);
    return { value: await handle.readFile("utf8"), ends: found.mtimeMs };
  } finally {
    await handle.close();
  }
}

/** Writes a new file whose bytes are on the disk when it returns, and whose time of modification is in milliseconds. */
async function writeThrough(file: string, text: string, time: number): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.utimes(time / 1000, time / 1000);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
