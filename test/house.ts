import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAst } from "rollup/parseAst";

/** The rules of the house, each as a function from a tree of sources to what breaks it. */

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Sources by their path from the root, as text. */
export type Tree = ReadonlyMap<string, string>;

/** All sources of these folders, comments taken out, so that prose is no code. */
export function readTree(...folders: string[]): Tree {
  return new Map(folders.flatMap((folder) => filesOf(folder, ".ts").map((file) => [file, code(file)])));
}

function filesOf(folder: string, extension: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(extension))
    .map((name) => join(folder, name));
}

export function code(file: string): string {
  return readFileSync(join(root, file), "utf8")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|\s)\/\/.*$/gm, "$1");
}

/** The tree with one file's text changed, to see a rule broken. */
export function changed(tree: Tree, file: string, edit: (text: string) => string): Tree {
  return new Map(tree).set(file, edit(tree.get(file) ?? ""));
}

/** What a file imports: paths from the root for its own project, types included, and bare names for the rest. */
export function imports(tree: Tree, file: string): string[] {
  const text = tree.get(file) ?? "";
  const found = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1]);
  return found.map((id) =>
    id.startsWith(".") ? normalize(join(dirname(file), id)).replace(/\.js$/, ".ts") : id,
  );
}

/** Layers, and what each may import besides itself. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  crypto: ["wire"],
  pki: ["wire", "crypto"],
  record: ["wire", "crypto"],
  handshake: ["wire", "crypto", "pki", "record"],
  client: ["wire", "crypto", "pki", "record", "handshake"],
  server: ["wire", "crypto", "pki", "record", "handshake"],
};

export const layerOf = (path: string) => path.split("/")[1];
const isSource = (path: string) => path.startsWith("src/");
const isIndex = (path: string) => /^src\/\w+\/index\.ts$/.test(path);

/** Imports that go up, or across. */
export function wrongLayers(tree: Tree): string[] {
  return [...tree.keys()].filter(isSource).flatMap((file) => {
    const may = [layerOf(file), ...(layers[layerOf(file)] ?? [])];
    return imports(tree, file)
      .filter((id) => !isSource(id) || !may.includes(layerOf(id)))
      .map((id) => `${file} imports ${id}`);
  });
}

/** Imports of hosts and certs that reach past the index file of a layer, and those of src that don't. */
export function pastIndex(tree: Tree): string[] {
  return [...tree.keys()].flatMap((file) =>
    imports(tree, file)
      .filter((id) => isSource(id) && isSource(file) === isIndex(id))
      .map((id) => `${file} imports ${id}`),
  );
}

/** Files that import each other in a circle, types included: Tarjan's strongly connected components. */
export function circles(tree: Tree): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    low.set(file, order.get(file)!);
    stack.push(file);
    for (const next of imports(tree, file)) {
      if (!tree.has(next)) continue;
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) low.set(file, Math.min(low.get(file)!, low.get(next)!));
    }
    if (low.get(file) !== order.get(file)) return;
    const component = stack.splice(stack.indexOf(file));
    if (component.length > 1) found.push(component);
  };
  for (const file of tree.keys()) if (!order.has(file)) visit(file);
  return found;
}

/** All files of ours that these reach by imports of values, types left out. */
export function reachable(tree: Tree, entries: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (file: string): void => {
    if (found.has(file) || !tree.has(file)) return;
    found.add(file);
    for (const next of imports(withoutTypes(tree, file), file)) visit(next);
  };
  for (const entry of entries) visit(entry);
  return [...found];
}

function withoutTypes(tree: Tree, file: string): Tree {
  const text = tree.get(file) ?? "";
  return new Map([[file, text.replace(/\b(?:import|export) type [^;]*;/g, "")]]);
}

/** What device code must not use, each with the reason why. */
export const forbidden: readonly (readonly [RegExp, string])[] = [
  [/\basync\b|\bawait\b/, "promises cost 75 slots each"],
  [/\bfunction\s*\*|\byield\b/, "generators keep a stack"],
  [/\bfor\s*\([^)]*\bof\b/, "for…of makes an iterator"],
  [/(?<!\bwrite\()\.\.\.(?!\/)/, "spread makes an array; the classic write alone takes as many as come"],
  [/\b(?:const|let|var)\s*\[/, "array patterns make an iterator"],
  [/^(?:export\s+)?(?:let|var)\b/m, "module-level state can't be preloaded"],
  [/^\s*static\b/m, "static fields fail in XS 13.3"],
  [/\bBigInt\b|\b\d+n\b/, "BigInts in ROM compare wrongly"],
  [/\bTextEncoder\b|\bTextDecoder\b|\bBuffer\b|\bconsole\b|\bsetTimeout\b/, "XS has none"],
  [/\bDate\b|\bMath\.random\b|\bprocess\b/, "the core has no clock, no randomness, no environment"],
  [/^(?:export )?const \w+[^=\n]*= *[[{]/m, "a table that is not frozen has a shadow in RAM"],
];

/** Where these files use what `pattern` is of. */
export function uses(tree: Tree, files: readonly string[], pattern: RegExp): string[] {
  return files.filter((file) => pattern.test(tree.get(file) ?? ""));
}

/** A function of what tsc has made of src, by the lines of its body. */
export interface Fn {
  readonly file: string;
  readonly name: string;
  readonly lines: readonly string[];
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** The functions and methods of a layer. */
export function functionsOf(layer: string): Fn[] {
  return filesOf(`build/src/${layer}`, ".js").flatMap((file) => functionsIn(file, code(file)));
}

export function functionsIn(file: string, text: string): Fn[] {
  const found: Fn[] = [];
  const visit = (node: unknown, name: string): void => {
    if (typeof node !== "object" || node === null) return;
    const { type, key, id, body } = node as Node;
    const own = ((key ?? id) as { name?: string } | null | undefined)?.name ?? name;
    if (/Function/.test(type ?? "")) found.push({ file, name: own, lines: linesOf(text, body as Node) });
    for (const child of Object.values(node)) visit(child, own);
  };
  visit(parseAst(text), "");
  return found;
}

function linesOf(text: string, { start, end }: Node): string[] {
  const lines = text.slice(start, end).split("\n");
  return lines.map((line) => line.trim()).filter((line) => /\w/.test(line));
}

/** How much of the longer of two functions stands in the other too, line by line: 0 to 1. */
export function likeness({ lines: a }: Fn, { lines: b }: Fn): number {
  const row = new Array<number>(b.length + 1).fill(0);
  for (const line of a) {
    let diagonal = 0;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j];
      row[j] = line === b[j - 1] ? diagonal + 1 : Math.max(above, row[j - 1]);
      diagonal = above;
    }
  }
  return (2 * row[b.length]) / (a.length + b.length);
}

/** Pairs that are equal by more than half; one line may be the same by chance. */
export function twins(these: readonly Fn[], those: readonly Fn[]): string[] {
  const long = ({ lines }: Fn) => lines.length > 1;
  return these.filter(long).flatMap((a) =>
    those
      .filter(long)
      .filter((b) => likeness(a, b) > 0.5)
      .map((b) => `${a.file} ${a.name}, ${b.file} ${b.name}`),
  );
}

/** Files where a word stands in quotes. */
export function filesWith(tree: Tree, word: string): string[] {
  return [...tree.keys()].filter((file) => (tree.get(file) ?? "").includes(`"${word}"`));
}
