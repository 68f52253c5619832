// Who means what: the names that a module declares at its top, and every place that refers to one of them.

import { edited, within } from "./rollup.syntax.js";

/**
 * The bindings of a module's top level, by name: `{ name, declaration, references, assigned }`. A reference is
 * `{ node, path }`: the identifier, and the nodes that it stands in, from the outermost to the innermost.
 */
export function bindingsOf(ast) {
  const top = scopeOf(ast, undefined);
  walk(ast, top, []);
  return top.names;
}

/** The same of everything that a module declares anywhere, as a list; `top` tells those of the top level. */
export function allBindings(ast) {
  const top = scopeOf(ast, undefined);
  const found = [...top.names.values()].map((each) => Object.assign(each, { top: true }));
  walk(ast, top, [], found);
  return found;
}

/** Every local name is another, so that code can be moved without a thought of what else is named so. */
export function withUniqueNames(code, parse) {
  // What it was called the last time
  const unique = /\$_\d+$/;
  const edits = [];
  for (const [i, { name, top, names }] of allBindings(parse(code)).entries())
    for (const { node, path } of top ? [] : names) {
      const parent =
        path.at(-1).type === "AssignmentPattern" && path.at(-1).left === node ? path.at(-2) : path.at(-1);
      const shorthand = parent.type === "Property" && parent.shorthand ? `${name}: ` : "";
      edits.push({ start: node.start, end: node.end, by: `${shorthand}${name.replace(unique, "")}$_${i}` });
    }
  return edited(code, edits);
}

const isFunction = (node) =>
  /^(Function(Declaration|Expression)|ArrowFunctionExpression)$/.test(node?.type ?? "");

function scopeOf(node, outer) {
  const scope = { outer, names: new Map() };
  const declare = (name, declaration) =>
    scope.names.set(name, { name, declaration, names: [], references: [], assigned: false });
  if (isFunction(node)) {
    if (node.type === "FunctionExpression" && node.id) declare(node.id.name, node);
    for (const param of node.params) for (const name of namesIn(param)) declare(name, node);
    variables(node.body, (name) => declare(name, node));
  }
  if (node.type === "Program") variables(node, (name, declaration) => declare(name, declaration));
  if (node.type === "ClassExpression" && node.id) declare(node.id.name, node);
  if (node.type === "CatchClause" && node.param) for (const name of namesIn(node.param)) declare(name, node);
  if (/^For/.test(node.type)) declared(node.init ?? node.left, declare);
  const statements =
    node.type === "SwitchStatement" ? node.cases.flatMap((each) => each.consequent) : node.body;
  if (Array.isArray(statements) && !/^Class/.test(node.type))
    for (const statement of statements) declared(statement, declare);
  return scope;
}

/** What a statement declares in its block. */
function declared(statement, declare) {
  const node = statement?.type === "ExportNamedDeclaration" ? statement.declaration : statement;
  if (node?.type === "VariableDeclaration")
    for (const each of node.declarations) for (const name of namesIn(each.id)) declare(name, each);
  else if (/^(Function|Class)Declaration$/.test(node?.type)) declare(node.id.name, node);
  else if (node?.type === "ImportDeclaration")
    for (const each of node.specifiers) declare(each.local.name, each);
}

/** `var`s, which belong to the function as a whole. */
function variables(node, declare) {
  if (node === null || typeof node !== "object" || isFunction(node)) return;
  if (node.type === "VariableDeclaration" && node.kind === "var")
    for (const each of node.declarations) for (const name of namesIn(each.id)) declare(name, each);
  for (const child of Object.values(node)) variables(child, declare);
}

/** The names that a pattern binds. */
export function namesIn(pattern) {
  switch (pattern?.type) {
    case "Identifier":
      return [pattern.name];
    case "AssignmentPattern":
      return namesIn(pattern.left);
    case "RestElement":
      return namesIn(pattern.argument);
    case "ArrayPattern":
      return pattern.elements.flatMap(namesIn);
    case "ObjectPattern":
      return pattern.properties.flatMap((each) => namesIn(each.value ?? each.argument));
    default:
      return [];
  }
}

const SCOPES = /^(BlockStatement|StaticBlock|For(In|Of)?Statement|SwitchStatement|CatchClause|Class\w+)$/;

function walk(node, scope, path, found) {
  if (node === null || typeof node !== "object") return;
  if (Array.isArray(node)) {
    for (const each of node) walk(each, scope, path, found);
    return;
  }
  if (node.type === "Identifier") {
    refer(node, scope, path);
    return;
  }
  const inner =
    path.length > 0 && (isFunction(node) || SCOPES.test(node.type)) ? scopeOf(node, scope) : scope;
  if (inner !== scope) found?.push(...inner.names.values());
  const below = [...path, node];
  for (const [key, child] of Object.entries(node)) {
    const named =
      !node.computed && (key === "key" || (key === "property" && node.type === "MemberExpression"));
    const isWord = named || /^(imported|exported|label|meta)$/.test(key) || (key === "property" && node.meta);
    // Of a shorthand, the value is what refers
    if (!isWord) walk(child, inner, below, found);
  }
}

function refer(node, scope, path) {
  for (let at = scope; at; at = at.outer) {
    const binding = at.names.get(node.name);
    if (!binding) continue;
    binding.names.push({ node, path });
    if (isDeclaration(node, binding, path)) return;
    binding.references.push({ node, path });
    if (assigns(node, path)) binding.assigned = true;
    return;
  }
}

/** Whether the identifier is where the binding is declared. */
function isDeclaration(node, { declaration }, path) {
  if (declaration.id === node || declaration.local === node) return true;
  if (!path.includes(declaration)) return false;
  if (declaration.type === "VariableDeclarator") return isNamed(node, declaration.id);
  return [...(declaration.params ?? []), declaration.param].some((pattern) => isNamed(node, pattern));
}

/** Whether a pattern binds this very identifier. */
function isNamed(node, pattern) {
  switch (pattern?.type) {
    case "Identifier":
      return pattern === node;
    case "AssignmentPattern":
      return isNamed(node, pattern.left);
    case "RestElement":
      return isNamed(node, pattern.argument);
    case "ArrayPattern":
      return pattern.elements.some((each) => isNamed(node, each));
    case "ObjectPattern":
      return pattern.properties.some((each) => isNamed(node, each.value ?? each.argument));
    default:
      return false;
  }
}

function assigns(node, path) {
  for (let i = path.length - 1; i >= 0; i--) {
    const { type, left, argument } = path[i];
    if (type === "UpdateExpression") return argument === node;
    if (/^(AssignmentExpression|For(In|Of)Statement)$/.test(type))
      return within(node, left) && isTarget(node, left);
    if (!/Pattern$|^Property$|^RestElement$/.test(type)) return false;
  }
  return false;
}

const isTarget = (node, target) => target === node || /Pattern$/.test(target.type);
