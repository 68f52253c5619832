import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../../", import.meta.url));

/** What is compiled of the sources below a folder; build/ itself may hold more, of sources that are gone. */
export function compiled(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending) && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name.replace(/ts$/, "js")))
    .sort();
}

export function textOf(file: string): string {
  return readFileSync(join(root, "build", file), "utf8");
}

export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** All of ours that a compiled file imports, itself included. */
export function closure(file: string, known = new Set<string>()): Set<string> {
  if (known.has(file)) return known;
  known.add(file);
  for (const [, name] of textOf(file).matchAll(/\b(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+\.js)"/g))
    closure(join(file, "..", name), known);
  return known;
}
