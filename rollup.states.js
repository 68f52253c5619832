// Numbers in the place of the states' names, which a device shows to nobody: a name takes flash wherever it is said.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { edited, visit } from "./rollup.syntax.js";

const source = fileURLToPath(new URL("build/src/", import.meta.url));

/** What stands for any of them. */
const ANY = "ANY";

let numbers;

export const states = {
  name: "states",
  buildStart() {
    numbers = readNumbers();
  },
  transform(code, id) {
    const parse = (text) => this.parse(text);
    return id.startsWith(source) ? { code: numbered(code, numbers, parse), map: null } : null;
  },
};

/** The names of the types, each with its number. */
function readNumbers() {
  const types = ["handshake", "client"].map((role) => read(`dist/types/src/${role}/states.d.ts`));
  const names = new Set([ANY, ...types.join().match(/(?<=")\w+(?=")/g)]);
  return new Map([...names].map((name, i) => [name, i + 1]));
}

const read = (name) => readFileSync(fileURLToPath(new URL(name, import.meta.url)), "utf8");

/** The code with a number for each of these texts, but for names of properties and modules. */
export function numbered(code, numbers, parse) {
  const edits = [];
  visit(parse(code), (node, parent) => {
    const isName = parent?.key === node || parent?.source === node;
    if (node.type === "Literal" && !isName && numbers.has(node.value))
      edits.push({ start: node.start, end: node.end, by: `${numbers.get(node.value)}` });
  });
  return edited(code, edits);
}
