// A loop's variable ahead of the loop: `for (let i = 0; …)` becomes `let i = 0; for (; …)`. XS makes a variable anew for each
// round, for closures of which there is none here, and puts away what a loop declares when it ends. The next loop of the
// same block takes the same variable.
import { allBindings } from "./rollup.scope.js";
import { edited, visit, visitPath } from "./rollup.syntax.js";

/** The code so, of which every local name is another. */
export function withoutLoopVariables(code, parse) {
  const ast = parse(code);
  const bindings = new Map(allBindings(ast).map((each) => [each.declaration, each]));
  const free = new Map();
  const edits = [];
  visitPath(ast, (node, path) => {
    if (!isOwn(node, path, bindings)) return;
    const block = path.at(-1);
    const before = free.get(block) ?? [];
    const { declarations } = node.init;
    const taken = before.slice(0, declarations.length);
    free.set(block, [...before, ...declarations.slice(taken.length).map(({ id }) => id.name)]);
    edits.push(...moved(node, taken, code, bindings));
  });
  return edited(code, edits);
}

/** Whether it is a loop of a block, whose variables are its own. */
function isOwn({ type, init }, path, bindings) {
  if (type !== "ForStatement" || init?.type !== "VariableDeclaration") return false;
  const { declarations } = init;
  if (path.at(-1).type !== "BlockStatement") return false;
  if (!declarations.every((each) => each.init && isPlain(each.init) && each.id.type === "Identifier"))
    return false;
  const references = declarations.flatMap((each) => bindings.get(each).references);
  return references.every(
    (each) => each.node.start > init.end && !each.path.slice(path.length).some(isFunction),
  );
}

const isFunction = ({ type }) => /Function/.test(type);

/** Whether no function is in it. */
function isPlain(expression) {
  let plain = true;
  visit(expression, (node) => {
    if (isFunction(node)) plain = false;
  });
  return plain;
}

/** `taken` are the variables that it may have of a loop before it, for its first ones. */
function* moved({ start, init }, taken, code, bindings) {
  const { declarations } = init;
  const ahead = declarations.map(({ id, init: value }, i) => {
    const known = taken[i] !== undefined;
    return `${known ? taken[i] : `let ${id.name}`} = ${code.slice(value.start, value.end)};\n`;
  });
  yield { start, end: start, by: ahead.join("") };
  yield { start: init.start, end: init.end, by: "" };
  for (const [i, name] of taken.entries())
    for (const { node } of bindings.get(declarations[i]).references)
      yield { start: node.start, end: node.end, by: name };
}
