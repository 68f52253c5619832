// One variable after the other in the same place: `const b = f(a)` becomes `a = f(a)` where nobody needs `a` any more. XS takes
// three bytes of code for every variable that a function declares, and a slot of its stack.
import { allBindings } from "./rollup.scope.js";
import { edited, visitPath } from "./rollup.syntax.js";

/** The code so, of which every local name is another. */
export function withFewerVariables(code, parse) {
  const ast = parse(code);
  const bindings = new Map(allBindings(ast).map((each) => [each.name, each]));
  const places = new Map();
  const edits = new Map();
  visitPath(ast, (node, path) => {
    for (const life of livesBegunBy(node, path, bindings)) {
      const others = places.get(life.owner) ?? [];
      places.set(life.owner, others);
      const free = others.find((other) => isOver(other, node, path));
      if (free && isReplaceable(node, path)) {
        for (const edit of replacing(node, path.at(-1), life, free)) edits.set(edit.start, edit);
        free.end = life.end;
        free.names.push(life.name);
      } else others.push(life);
    }
  });
  return edited(code, [...edits.values()]);
}

const isFunction = ({ type }) => /Function/.test(type);
const isLoop = ({ type }) => /^(For|While|DoWhile)/.test(type);
const isWithin = (inner, outer) => outer !== inner && outer.start <= inner.start && inner.end <= outer.end;

/** The variables of functions that a node declares by their plain names, but for those of loops. */
function livesBegunBy(node, path, bindings) {
  const { type, id, params } = node;
  const isLocal = type === "VariableDeclarator" && id.type === "Identifier" && path.some(isFunction);
  const ids = isFunction(node) ? params : isLocal && !isLoop(path.at(-2)) ? [id] : [];
  const names = ids.filter((each) => each.type === "Identifier").map(({ name }) => name);
  return names.map((name) => lifeOf(bindings.get(name), node, path)).filter((life) => life !== undefined);
}

/**
 * Where a variable is, and where the last place is that needs it; undefined if a closure has it. What a loop refers to without
 * declaring it is needed until the loop ends.
 */
function lifeOf({ name, references }, node, path) {
  const isParameter = isFunction(node);
  const owner = isParameter ? node : path.findLast(isFunction);
  const life = { name, names: [name], owner, references, end: isParameter ? node.start : node.end };
  for (const { node: reference, path: to } of references) {
    if (to.findLast(isFunction) !== owner) return undefined;
    const loop = to.find((each) => isLoop(each) && isWithin(each, owner) && !isWithin(node, each));
    life.end = Math.max(life.end, (loop ?? reference).end);
  }
  return isParameter
    ? { ...life, block: node.body }
    : { ...life, block: path.at(-2), statement: path.at(-1) };
}

/** Whether a variable is there where another is declared, and what it has is needed no more. */
const isOver = ({ block, end }, node, path) => path.includes(block) && end <= node.end;

/** Whether a declaration may be an assignment. */
function isReplaceable({ type, init }, path) {
  if (type !== "VariableDeclarator" || !init) return false;
  const [block, { declarations }] = path.slice(-2);
  return block.type === "BlockStatement" && declarations.length === 1;
}

/** The declaration assigns to what is free, which is no constant any more, and all who refer to it get that. */
function* replacing({ id, init }, { start, end }, { references }, { name, names, statement }) {
  const isSame = init.type === "Identifier" && names.includes(init.name);
  yield { start, end: isSame ? end : id.end, by: isSame ? "" : name };
  // It may have been to be edited itself
  if (isSame) yield { start: init.start, end: init.start, by: "" };
  for (const { node } of references) yield { start: node.start, end: node.end, by: name };
  if (statement?.kind === "const")
    yield { start: statement.start, end: statement.start + "const".length, by: "let" };
}
