/** Responses in files that any HTTP server can serve, for the GETs of RFC 6960 appendix A.1 and RFC 5019 section 5. */

import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { tag } from "../../../src/pki/index.js";
import { element } from "../common/der.js";
import { ResponderError } from "./error.js";
import type { Question, Responder } from "./responder.js";

/** What became of the files. */
export interface Pregenerated {
  /** Signed now. */
  readonly signed: number;
  /** Left as they were: in the first half of their validity, and the certificate's status is the same. */
  readonly kept: number;
  /** Removed, as the index does not have their certificates any more. */
  readonly removed: number;
}

/** Requests that are worked on at once. */
const AT_ONCE = 64;
/** Octets of one name in a path. */
const MAX_NAME = 255;
/** What servers look for where a path ends with a slash, as base64 may. */
const INDEX = "index.html";
const temporaryName = /^\.tlstaple-[0-9a-f]{16}$/;
/** Milliseconds after which a file that was never renamed is one that a crash left behind. */
const ABANDONED = 3_600_000;

/**
 * Signs a response for each certificate of the responder's index files, by SHA-1 and by SHA-256, into a file that is named
 * by the path of the GET; what stands already is left, what the index lost is removed. Files are replaced at one stroke, and
 * those of others stay.
 * @throws ResponderError when the responder has no index file, its responses no nextUpdate, or a serial number is too long;
 * an error of the file system
 */
export async function pregenerate(responder: Responder, directory: string): Promise<Pregenerated> {
  await mkdir(directory, { recursive: true });
  const done = { signed: 0, kept: 0 };
  for await (const batch of batches(responder.questions(), AT_ONCE)) {
    const outcomes = await Promise.all(batch.map((question) => provide(responder, question, directory)));
    for (const outcome of outcomes) if (outcome) done[outcome]++;
  }
  return { ...done, removed: await sweep(responder, directory) };
}

/** OCSPRequest, RFC 6960 4.1.1: tbsRequest, requestList, Request, reqCert. */
function requestAbout(certID: Buffer): Buffer {
  let der = certID;
  for (let i = 0; i < 4; i++) der = element(tag.SEQUENCE, der);
  return der;
}

/** Where in a directory the answer to this request stands: the path as servers decode it, with its slashes. */
export function pathOf(request: Buffer): string {
  const path = request.toString("base64");
  const names = path.split("/").filter((name) => name !== "");
  if (path.endsWith("/")) names.push(INDEX);
  if (names.some((name) => name.length > MAX_NAME))
    throw new ResponderError("a serial number is too long for the name of a file");
  return join(...names);
}

/** What became of one file; undefined when the certificate has left the index just now. */
async function provide(
  responder: Responder,
  question: Question,
  directory: string,
): Promise<"signed" | "kept" | undefined> {
  const request = requestAbout(question.certID);
  const file = join(directory, pathOf(request));
  const old = await readFile(file).catch(absent);
  if (old && (await responder.stands(question, old))) return "kept";
  const { der, lifetime, problem, answers } = await responder.reply(request);
  if (answers.some(({ status }) => status === "unknown")) return undefined;
  if (!lifetime) throw new ResponderError(problem ?? "the response has no nextUpdate, or none could be made");
  await mkdir(dirname(file), { recursive: true });
  await replace(directory, file, der, lifetime.thisUpdate);
  return "signed";
}

/** A reader sees the old file or the new. Its time of modification is thisUpdate, for Last-Modified. */
async function replace(directory: string, file: string, bytes: Buffer, time: Date): Promise<void> {
  const temporary = join(directory, `.tlstaple-${randomBytes(8).toString("hex")}`);
  let handle: FileHandle | undefined;
  try {
    handle = await open(temporary, "wx", 0o644);
    await handle.writeFile(bytes);
    await handle.utimes(time, time);
    await handle.close();
    await rename(temporary, file);
  } catch (error) {
    await handle?.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Removes what is about certificates that are gone, folders that are empty then, and what a crash left; how many responses that were. */
async function sweep(responder: Responder, folder: string): Promise<number> {
  let removed = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const inside = await sweep(responder, path);
      if (inside > 0) await rmdir(path).catch(() => undefined);
      removed += inside;
    } else if (temporaryName.test(entry.name)) await removeAbandoned(path);
    else if (entry.isFile() && (await responder.lost(await readFile(path)))) {
      await rm(path, { force: true });
      removed++;
    }
  }
  return removed;
}

async function removeAbandoned(path: string): Promise<void> {
  const found = await stat(path).catch(absent);
  if (found && found.mtimeMs < Date.now() - ABANDONED) await rm(path, { force: true });
}

/** A folder may be where a file should: then it is told when the file is put there. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (!["ENOENT", "EISDIR", "ENOTDIR"].includes(error.code ?? "")) throw error;
}

async function* batches<T>(source: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const each of source) {
    batch.push(each);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
