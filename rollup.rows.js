// Rows of tables, `rowsOf([…])` and `extensionRows([…])`, for devices: what they are for becomes a text, and their functions
// one, which takes a number. A row takes 80 bytes of flash, and a function 48 beyond its code, while a case takes 10. What is
// called in one place is put there afterwards (rollup.inline.js). A `table(…)` is frozen where it is made, so that no function
// for that stays.
import { bitsOf } from "./build/src/record/row.js";
import { SECOND } from "./build/src/wire/rows.js";
import { edited, visit } from "./rollup.syntax.js";

/** By the function that makes them: a row's numbers, and its functions with what each is given, of what all of them are. */
const kinds = {
  rowsOf: {
    numbers: (of) => [number(of("on")), number(of("state")), conditions(of)],
    given: "subject",
    functions: { run: ["subject"], measure: ["subject"] },
  },
  extensionRows: {
    numbers: (of) => [number(of("type")), number(of("where"))],
    given: "s, data, where",
    functions: { sends: ["s", "where"], write: ["s", "data", "where"], read: ["s", "data", "where"] },
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
    if (type !== "CallExpression" || callee.type !== "Identifier") return;
    if (Object.hasOwn(kinds, callee.name))
      edits.push({ start, end, by: columns(kinds[callee.name], given[0].elements, code) });
    if (callee.name === "table") edits.push(...freezing(callee, given[0]));
  });
  return edited(code, edits);
}

/** By an arrow: with an index beside it, as from `map(Object.freeze)`, XS freezes all that is below a row too. */
const freezing = (callee, { start, end }) => [
  { start: callee.start, end: start, by: "Object.freeze((" },
  { start: end, end, by: ").map((row) => Object.freeze(row))" },
];

function columns({ numbers, given, functions }, elements, code) {
  if (elements.length > SECOND) throw new Error(`more than ${SECOND} rows`);
  const all = elements.map(
    ({ properties }) =>
      (name) =>
        properties.find(({ key }) => key.name === name)?.value,
  );
  // One above, as a text for C ends with 0
  const text = String.fromCharCode(...all.flatMap(numbers).map((each) => each + 1));
  const { found, steps } = cases(all, functions, code);
  return `{ columns: ${JSON.stringify(text)}, call: (number, ${given}) => { ${dispatch(found, steps)} } }`;
}

function conditions(of) {
  const [sends, waits, measure] = ["sends", "waits", "measure"].map(of);
  return bitsOf({ sends, waits, measure, most: of("most") && number(of("most")) });
}

function number({ type, operator, left, right, value }) {
  if (type === "BinaryExpression" && operator === "|") return number(left) | number(right);
  const isNumber = Number.isSafeInteger(value) && value >= 0 && value < 0xffff;
  if (!isNumber) throw new Error("what a row is for is told in numbers");
  return value;
}

/** What is done by which numbers, those that do the same together; and where each row's next function begins. */
function cases(all, functions, code) {
  const found = new Map();
  for (const [k, [name, args]] of Object.entries(functions).entries())
    for (const [row, of] of all.entries()) {
      if (of(name) === undefined) continue;
      const text = body(of(name), args, code);
      found.set(text, [...(found.get(text) ?? []), row + k * SECOND]);
    }
  const steps = Object.keys(functions).map((_, k) => k * SECOND);
  return { found: [...found].map(([text, numbers]) => ({ text, numbers })), steps: steps.slice(1) };
}

/** The function's body: a device compares with one case after another, so that what is done second or third is apart. */
function dispatch(found, steps) {
  const limit = steps.find((each) => splits(found, each));
  if (limit === undefined) return `switch (number) { ${found.map(inCase).join(" ")} }`;
  const [low, high] = [true, false].map((side) => found.filter(({ numbers }) => numbers[0] < limit === side));
  return `if (number < ${limit}) { ${dispatch(low, steps)} } else { ${dispatch(high, steps)} }`;
}

const inCase = ({ text, numbers }) => `${numbers.map((n) => `case ${n}:`).join(" ")} ${text}`;

/** Whether some cases are on each side, and none on both. */
function splits(found, limit) {
  const below = found.filter(({ numbers }) => numbers[0] < limit);
  const whole = below.every(({ numbers }) => numbers.at(-1) < limit);
  return whole && below.length > 0 && below.length < found.length;
}

/** What a function does: it has a name, or its arguments have any, which are the given ones here. */
function body(value, args, code) {
  if (value.type === "Identifier") return `return ${value.name}(${args.join(", ")});`;
  if (value.type !== "ArrowFunctionExpression")
    throw new Error("a row's function has a name, or is an arrow");
  const names = value.params
    .map(({ name }, i) => (name === args[i] ? "" : `const ${name} = ${args[i]};`))
    .join(" ");
  const text = code.slice(value.body.start, value.body.end);
  return value.body.type === "BlockStatement"
    ? `{ ${names} ${text} return; }`
    : `{ ${names} return ${text}; }`;
}
