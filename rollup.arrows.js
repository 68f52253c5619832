// Makes arrow functions of functions: `function f(a) { … }` becomes `const f = (a) => { … };`, ahead of all else in its module.
// What `new` could be called with has an object `prototype` in flash, 48 bytes that nobody looks at. TypeScript has seen to
// it that nobody does, nor gives a function's name to anything else: `new f()` and `f = …` are errors there.
import { edited, visit } from "./rollup.syntax.js";

export const arrows = {
  name: "arrows",
  renderChunk(code) {
    const inPlace = edited(code, expressions(this.parse(code)));
    return { code: ahead(inPlace, this.parse(inPlace).body), map: null };
  },
};

/** `function (a) { … }` as a value: `(a) => { … }`. */
function expressions(ast) {
  const edits = [];
  visit(ast, (node, parent) => {
    if (node.type !== "FunctionExpression" || node.id || !isPlain(node) || !isValue(node, parent)) return;
    edits.push({ start: node.start, end: node.start + "function".length, by: "" });
    edits.push({ start: node.body.start, end: node.body.start, by: "=>" });
  });
  return edits;
}

/** Where an arrow function may stand without parentheses. */
function isValue(node, parent) {
  if (parent.type === "Property") return parent.value === node && parent.kind === "init" && !parent.method;
  if (/^(Call|New)Expression$/.test(parent.type)) return parent.arguments.includes(node);
  return /^(VariableDeclarator|ArrayExpression|ReturnStatement)$/.test(parent.type);
}

/** The module with its functions moved to the front, so that tables and classes that name them find them. */
function ahead(code, body) {
  const functions = body.filter((node) => node.type === "FunctionDeclaration" && isPlain(node));
  if (functions.length === 0) return code;
  const front = body.find(({ type }) => type !== "ImportDeclaration").start;
  const arrow = ({ id, body, end }) =>
    `${id.name}=${code.slice(id.end, body.start)}=>${code.slice(body.start, end)}`;
  const moved = { start: front, end: front, by: `const ${functions.map(arrow).join(",\n")};\n` };
  return edited(code, [...functions.map(({ start, end }) => ({ start, end, by: "" })), moved]);
}

/** A function that knows nothing of its own call, so that an arrow does for it. */
function isPlain({ generator, async, params, body }) {
  return !generator && !async && !knowsItsCall([params, body]);
}

/** Whether `this`, `arguments` or `new.target` are there; in arrows they mean the same, in other functions they don't. */
function knowsItsCall(node) {
  if (node === null || typeof node !== "object") return false;
  if (node.type === "ThisExpression" || node.type === "MetaProperty" || node.name === "arguments")
    return true;
  if (node.type === "FunctionExpression" || node.type === "FunctionDeclaration") return false;
  return Object.values(node).some(knowsItsCall);
}
