// Rows of tables, `rowsOf([…])` and `extensionRows([…])`, for devices: what they are for becomes a text, and the functions of
// each column one function, which takes a row's number. A row takes 80 bytes of flash, and a function 48 beyond its code, while a case takes 10.
// What is called in one place is put there afterwards (rollup.inline.js).
import { edited, visit } from "./rollup.syntax.js";

/** Bits as in src/record/row.ts. */
const bits = { sends: 1, waits: 2, measure: 4 };
const MOST = 3;

/** By the function that makes them: a row's numbers, and its functions with the names that their arguments have there. */
const kinds = {
  rowsOf: {
    numbers: (of) => [number(of("state")), number(of("on")), conditions(of)],
    functions: { run: ["s"], measure: ["r"] },
  },
  extensionRows: {
    numbers: (of) => [number(of("type")), number(of("where"))],
    functions: { sends: ["s", "where"], write: ["s", "w", "where"], read: ["s", "r", "where"] },
  },
};

/** To be run when constants are numbers already. */
export const rows = {
  name: "rows",
  transform(code) {
    return { code: inColumns(code, (text) => this.parse(text)), map: null };
  },
};

export function inColumns(code, parse) {
  const edits = [];
  visit(parse(code), ({ type, callee, arguments: given, start, end }) => {
    if (type === "CallExpression" && Object.hasOwn(kinds, callee.name ?? ""))
      edits.push({ start, end, by: columns(kinds[callee.name], given[0].elements, code) });
  });
  return edited(code, edits);
}

function columns({ numbers, functions }, elements, code) {
  const all = elements.map(
    ({ properties }) =>
      (name) =>
        properties.find(({ key }) => key.name === name)?.value,
  );
  // One above, as a text for C ends with 0
  const text = String.fromCharCode(...all.flatMap(numbers).map((each) => each + 1));
  const made = Object.entries(functions).map(([name, args]) => oneOf(name, args, all, code));
  return `{ ${[`columns: ${JSON.stringify(text)}`, ...made.filter(Boolean)].join(", ")} }`;
}

function conditions(of) {
  const flags = Object.keys(bits).map((name) => (of(name) ? bits[name] : 0));
  const most = of("most") ? number(of("most")) + 1 : 0;
  return flags.reduce((a, b) => a | b, most << MOST);
}

function number({ type, operator, left, right, value }) {
  if (type === "BinaryExpression" && operator === "|") return number(left) | number(right);
  const isNumber = Number.isSafeInteger(value) && value >= 0 && value < 0xffff;
  if (!isNumber) throw new Error("what a row is for is told in numbers");
  return value;
}

/** All functions of a column as one; none where there is none. */
function oneOf(name, args, all, code) {
  const cases = new Map();
  for (const [i, of] of all.entries()) {
    const value = of(name);
    if (value === undefined) continue;
    const text = body(value, args, code);
    cases.set(text, [...(cases.get(text) ?? []), i]);
  }
  if (cases.size === 0) return undefined;
  const list = [...cases].map(([text, numbers]) => `${numbers.map((i) => `case ${i}:`).join(" ")} ${text}`);
  return `${name}: (row, ${args.join(", ")}) => { switch (row) { ${list.join(" ")} } }`;
}

/** What a function does: it has a name, or is there with arguments of these names, or of none that it uses. */
function body(value, args, code) {
  if (value.type === "Identifier") return `return ${value.name}(${args.join(", ")});`;
  const known = ({ name }, i) => name === args[i] || name.startsWith("_");
  if (value.type !== "ArrowFunctionExpression" || !value.params.every(known))
    throw new Error(`a row's function is a name, or (${args.join(", ")}) => …`);
  const text = code.slice(value.body.start, value.body.end);
  return value.body.type === "BlockStatement" ? `${text} return;` : `return ${text};`;
}
