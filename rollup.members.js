// Gives what TypeScript calls private a name that the engine has anyway, as each other takes flash. Which those are is read
// from the types that tsc wrote: what is private or protected wherever it is said, and in no string, C or declaration by
// hand. So nothing that crosses a border is among them: options, sessions, errors, what ECMA-419 asks for.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { known } from "./rollup.names.js";
import { edited, visit } from "./rollup.syntax.js";

export const members = {
  name: "members",
  renderChunk(code) {
    renamed ??= choose();
    const edits = [];
    visit(this.parse(code), (node) => {
      const key = node.type === "MemberExpression" ? node.property : node.key;
      const by = !node.computed && key?.type === "Identifier" && renamed.get(key.name);
      if (by) edits.push({ start: key.start, end: key.end, by: node.shorthand ? `${by}: ${key.name}` : by });
    });
    return { code: edited(code, edits), map: null };
  },
};

let renamed;

/** New names by the old ones, the same for all modules. */
export function choose() {
  const types = read("dist/types/src", /\.d\.ts$/) + read("dist/types/hosts", /\.d\.ts$/);
  const device = read("build/src", /\.js$/) + read("build/hosts/moddable", /\.js$/);
  const others = read("hosts", /\.([ch]|mjs|d\.ts)$/);
  const quoted = (device + read("node_modules/@noble", /\.js$/)).match(strings);
  const taken = words([types.replace(hidden, ""), others, ...quoted, ...builtIn()].join(" "));
  const used = words(device);
  const own = [...types.matchAll(hidden)].map(([, name]) => name);
  const old = [...new Set(own)].filter((name) => used.has(name) && !taken.has(name)).sort();
  const free = known.filter((name) => !used.has(name) && !(name in Function) && !called.has(name));
  return new Map(old.slice(0, free.length).map((name, i) => [name, free[i]]));
}

/** Names of what the language brings, and of its members. */
function builtIn() {
  const globals = runInNewContext("globalThis");
  const names = new Set(Object.getOwnPropertyNames(globals));
  const note = (object) => {
    if (object === null || !/^(object|function)$/.test(typeof object)) return;
    for (const name of Object.getOwnPropertyNames(object)) names.add(name);
    note(Object.getPrototypeOf(object));
  };
  for (const value of [...names].map((name) => globals[name])) [value, value?.prototype].forEach(note);
  return names;
}

/** Members that the language calls by itself. */
const called = new Set(["then", "toJSON"]);
const hidden = /\b(?:private|protected) (?:(?:readonly|get|set|static|abstract) )*(\w+)/g;
const strings = /(["'`])\w+\1/g;

const words = (text) => new Set(text.match(/[\w$]+/g));

/** All text of some files in a folder, without comments. */
function read(folder, which) {
  const path = fileURLToPath(new URL(`${folder}/`, import.meta.url));
  const files = readdirSync(path, { recursive: true }).filter((file) => which.test(file));
  return files
    .map((file) => readFileSync(path + file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ""))
    .join("\n");
}
