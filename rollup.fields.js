// Writes what a class's fields begin with into its constructor: `class C { a = 1; }` becomes `class C { constructor() {
// this.a = 1; } }`. A class with fields has a function more, which its constructor keeps: 96 bytes of flash, and a call each
// time. Names of variables must all differ, so that none of the constructor's is taken for one of the module's; and nothing
// that an object inherits may have a field's name, as it is frozen. So classes that extend the language's own stay.
import { bindingsOf } from "./rollup.scope.js";
import { edited } from "./rollup.syntax.js";

/** The module's code. */
export function withoutFields(code, parse) {
  const edits = [];
  const ast = parse(code);
  const known = bindingsOf(ast);
  for (const statement of ast.body)
    for (const node of [statement, ...(statement.declarations?.map(({ init }) => init) ?? [])])
      if (/^Class/.test(node?.type) && (!node.superClass || known.has(node.superClass.name)))
        edits.push(...moved(node, code, known));
  return edited(code, edits);
}

function moved({ superClass, body }, code, known) {
  const fields = body.body.filter(
    (node) =>
      node.type === "PropertyDefinition" && !node.static && node.key.type === "Identifier" && !node.computed,
  );
  const made = body.body.find(({ kind }) => kind === "constructor");
  const at = superClass ? behindSuper(made) : made?.value.body.start + 1;
  const begins = !superClass || (!made && takesNothing(known.get(superClass.name)));
  if (fields.length === 0 || (at === undefined && !begins)) return [];
  const set = new Set(made?.value.body.body.flatMap(assignedBy));
  const text = assignments(
    fields.filter(({ key, value }) => value || !set.has(key.name)),
    code,
  );
  const place = made ? at : body.start + 1;
  const by = made ? text : `constructor() {${superClass ? "super();" : ""}${text}}`;
  return [...fields.map(({ start, end }) => ({ start, end, by: "" })), { start: place, end: place, by }];
}

/** Whether a class extends none, and its constructor has no parameters. */
function takesNothing({ declaration }) {
  const { superClass, body } = declaration.init ?? declaration;
  const made = body?.body.find(({ kind }) => kind === "constructor");
  return body !== undefined && !superClass && (made?.value.params ?? []).length === 0;
}

/** Where an object is there, in the constructor of a class that extends another. */
function behindSuper(made) {
  return made?.value.body.body.find(({ expression }) => expression?.callee?.type === "Super")?.end;
}

/** The members that a statement gives a value in any case. */
function assignedBy({ type, expression }) {
  const names = [];
  for (let at = type === "ExpressionStatement" ? expression : undefined; at?.operator === "="; at = at.right)
    if (at.left.object?.type === "ThisExpression" && !at.left.computed) names.push(at.left.property.name);
  return names;
}

/** Those that begin with the same literal, or with nothing, in one assignment, as each more of these takes less; then the others. */
function assignments(fields, code) {
  const groups = new Map();
  const others = [];
  for (const { key, value } of fields) {
    const text = value ? code.slice(value.start, value.end) : "void 0";
    if (value && !isLiteral(value)) others.push(`this.${key.name} = ${text};`);
    else groups.set(text, [...(groups.get(text) ?? []), `this.${key.name} = `]);
  }
  return [...[...groups].map(([text, targets]) => `${targets.join("")}${text};`), ...others].join("");
}

const isLiteral = ({ type, argument }) =>
  type === "Literal" || (type === "UnaryExpression" && argument.type === "Literal");
