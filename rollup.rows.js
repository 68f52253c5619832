// A state machine's rows, `rowsOf([…])`, for devices: their functions become one that takes a row's number, and what they
// are for a text. A row takes 80 bytes of flash, and its function 48 beyond its code, while a case takes 10. What is called in
// one place is put there afterwards (rollup.inline.js).
import { edited, visit } from "./rollup.syntax.js";

/** Columns of functions, with the name that their one argument has in the rows. */
const columns = { run: "s", measure: "r" };
/** As in src/record/row.ts. */
const bits = { sends: 1, waits: 2, measure: 4 };
const MOST = 3;

/** To be run when constants are numbers already. */
export const rows = {
  name: "rows",
  transform(code) {
    return { code: code.includes("rowsOf(") ? asOne(code, (text) => this.parse(text)) : code, map: null };
  },
};

export function asOne(code, parse) {
  const edits = [];
  visit(parse(code), ({ type, callee, arguments: given, start, end }) => {
    if (type === "CallExpression" && callee.name === "rowsOf")
      edits.push({ start, end, by: asText(given[0].elements, code) });
  });
  return edited(code, edits);
}

function asText(elements, code) {
  const text = elements.flatMap(({ properties }) => conditions(properties));
  const functions = Object.keys(columns).map((name) => oneOf(name, elements, code));
  const columnsOf = `columns: ${JSON.stringify(String.fromCharCode(...text.map((each) => each + 2)))}`;
  return `Object.freeze({ ${[columnsOf, ...functions.filter(Boolean)].join(", ")} })`;
}

/** The row's numbers: its state, `on` and the conditions as bits. */
function conditions(properties) {
  const of = (name) => properties.find(({ key }) => key.name === name)?.value;
  const flags = Object.keys(bits).map((name) => (of(name) ? bits[name] : 0));
  const most = of("most") ? number(of("most")) + 1 : 0;
  return [number(of("state")), number(of("on")), flags.reduce((a, b) => a | b, most << MOST)];
}

function number(node) {
  const value = node.type === "UnaryExpression" && node.operator === "-" ? -node.argument.value : node.value;
  if (!Number.isSafeInteger(value)) throw new Error("what a row is for is told in numbers");
  return value;
}

/** All functions of a column as one; none where there is none. */
function oneOf(column, elements, code) {
  const cases = new Map();
  for (const [i, { properties }] of elements.entries()) {
    const value = properties.find(({ key }) => key.name === column)?.value;
    if (value === undefined) continue;
    const text = called(value, columns[column], code);
    cases.set(text, [...(cases.get(text) ?? []), i]);
  }
  if (cases.size === 0) return undefined;
  const body = [...cases].map(
    ([text, numbers]) => `${numbers.map((i) => `case ${i}:`).join(" ")} return ${text};`,
  );
  return `${column}: (row, ${columns[column]}) => { switch (row) { ${body.join(" ")} } }`;
}

function called(value, argument, code) {
  if (value.type === "Identifier") return `${value.name}(${argument})`;
  const isPlain = value.type === "ArrowFunctionExpression" && value.body.type !== "BlockStatement";
  if (!isPlain || value.params.some(({ name }) => name !== argument))
    throw new Error(`a row's function is a name, or (${argument}) => an expression`);
  return code.slice(value.body.start, value.body.end);
}
