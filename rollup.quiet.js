// Leaves out what tells a debugger of messages and secrets: no option of a device's socket asks for it.
import { fileURLToPath } from "node:url";
import { edited, visit } from "./rollup.syntax.js";

const source = fileURLToPath(new URL("build/src/", import.meta.url));

export const quiet = {
  name: "quiet",
  transform(code, id) {
    return id.startsWith(source) ? { code: silent(code, (text) => this.parse(text)), map: null } : null;
  },
};

const telling = new Set(["log", "trace"]);
const told = new Set(["handshakeLog", "applicationLog"]);

/** The code without the methods that tell, the statements that call them, and the lines of a key log. */
export function silent(code, parse) {
  const edits = [];
  visit(parse(code), (node) => {
    const { type, key, expression, start, end } = node;
    const isCall = type === "ExpressionStatement" && telling.has(expression.callee?.property?.name);
    const isMethod = type === "MethodDefinition" && telling.has(key.name);
    const isLine = type === "Property" && told.has(key.name);
    if (isCall || isMethod) edits.push({ start, end, by: isCall ? ";" : "" });
    if (isLine) edits.push({ start, end: end + (code[end] === "," ? 1 : 0), by: "" });
  });
  return edited(code, edits);
}
