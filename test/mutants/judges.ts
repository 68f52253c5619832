/** Which tests judge a mutant: those that run the code that it breaks, the quickest first. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Bench } from "./bench.js";
import { closure, compiled, digest, root, textOf } from "./files.js";

/** Milliseconds that a test file may take as it is. */
const patience = 180_000;

const memory = join(root, "build/mutants-reach.json");

type Span = readonly [start: number, end: number];

/** What a test file is like when nothing is broken. */
interface Judge {
  /** The titles of tests that fail all the same, and so judge nothing; undefined: it does not come to an end. */
  readonly skip?: readonly string[];
  readonly milliseconds: number;
  /** By file: what ran of it. */
  readonly reach: Readonly<Record<string, readonly Span[]>>;
}

/** By test file and all that it imports. */
const judges: Record<string, Judge> = existsSync(memory) ? JSON.parse(readFileSync(memory, "utf8")) : {};

/** Folders of tests for a folder of sources. */
const near: Record<string, readonly string[]> = {
  src: ["wire", "crypto", "vectors", "pki", "record", "client", "server", "certs", "fuzz"],
  hosts: ["hosts"],
};
/** Too slow, or about something else. */
const apart = /memory|openssl|fixtures/;

/** The test files that import a file, however far. */
export function importers(file: string): string[] {
  return near[file.split("/")[0]]
    .flatMap((folder) => compiled(join("test", folder), ".test.ts"))
    .filter((test) => !apart.test(test) && closure(test).has(file));
}

const keys = new Map<string, string>();

function keyOf(test: string): string {
  const made = keys.get(test) ?? `${test} ${digest([...closure(test)].sort().map(textOf).join("\n"))}`;
  keys.set(test, made);
  return made;
}

/** Runs test files as they are, unless that is known. */
export async function prove(bench: Bench, tests: readonly string[]): Promise<void> {
  for (const test of tests) {
    const key = keyOf(test);
    judges[key] ??= await tryOut(bench, test);
    const { skip, milliseconds } = judges[key];
    console.log(skip ? `${milliseconds} ms  ${test}` : `left out, it does not come to an end: ${test}`);
    for (const title of skip ?? []) console.log(`  left out, it fails as it is: ${title}`);
    writeFileSync(memory, JSON.stringify(judges));
  }
}

async function tryOut(bench: Bench, test: string): Promise<Judge> {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-reach-"));
  const begun = Date.now();
  try {
    const skip = await bench.failures(test, patience, folder);
    const milliseconds = Date.now() - begun;
    return { skip, milliseconds, reach: skip ? readReach(folder, bench.build) : {} };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly { startOffset: number; endOffset: number; count: number }[];
    }[];
  }[];
}

/** What V8 says of our own files, over all processes there were. */
function readReach(folder: string, build: string): Record<string, Span[]> {
  const painted: Record<string, Uint8Array> = {};
  const base = `${pathToFileURL(build).href}/`;
  for (const name of readdirSync(folder)) {
    const { result }: Coverage = JSON.parse(readFileSync(join(folder, name), "utf8"));
    for (const { url, functions } of result) {
      const file = url.startsWith(base) ? url.slice(base.length) : "";
      if (!/^(src|hosts)\//.test(file)) continue;
      const one = paint(functions.flatMap(({ ranges }) => ranges));
      painted[file] = painted[file]?.map((ran, at) => ran | one[at]) ?? one;
    }
  }
  return Object.fromEntries(Object.entries(painted).map(([file, ran]) => [file, spans(ran)]));
}

type Range = Coverage["result"][number]["functions"][number]["ranges"][number];

/** 1 where the code ran: the innermost range tells. */
function paint(ranges: readonly Range[]): Uint8Array {
  const outerFirst = [...ranges].sort((a, b) => b.endOffset - b.startOffset - (a.endOffset - a.startOffset));
  const ran = new Uint8Array(Math.max(...ranges.map(({ endOffset }) => endOffset)));
  for (const { startOffset, endOffset, count } of outerFirst)
    ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return ran;
}

function spans(ran: Uint8Array): Span[] {
  const found: Span[] = [];
  for (let end = 0, start = ran.indexOf(1); start >= 0; start = ran.indexOf(1, end)) {
    end = ran.indexOf(0, start);
    if (end < 0) end = ran.length;
    found.push([start, end]);
  }
  return found;
}

export interface Chosen {
  readonly test: string;
  readonly skip: readonly string[];
  /** How long it may take. */
  readonly patience: number;
}

/** Milliseconds beyond which a test file judges only what no quicker one runs. */
const quick = 60_000;

/** The tests that run the code at an offset. */
export function judgesOf(file: string, offset: number): Chosen[] {
  const runs = ({ reach }: Judge) =>
    (reach[file] ?? []).some(([start, end]) => start <= offset && offset < end);
  const able = importers(file)
    .map((test) => ({ test, ...judges[keyOf(test)] }))
    .filter(runs)
    .sort((a, b) => a.milliseconds - b.milliseconds);
  const prompt = able.filter(({ milliseconds }) => milliseconds <= quick);
  return (prompt.length > 0 ? prompt : able.slice(0, 1)).map(({ test, skip = [], milliseconds }) => ({
    test,
    skip,
    patience: 4_000 + 3 * milliseconds,
  }));
}
