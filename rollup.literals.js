// Writes numbers where tables of them are asked for, or a constant: `alert.close_notify` becomes 0, `HEADER` 5. A device then
// looks nothing up, and keeps a table only where somebody lists it. What a module exports that is text is written out, too: a device then has
// the text, and not what it is made of.
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bindingsOf } from "./rollup.scope.js";
import { edited } from "./rollup.syntax.js";

const build = fileURLToPath(new URL("build/", import.meta.url));
const source = `${build}src/`;

export const literals = {
  name: "literals",
  async transform(code, id) {
    if (!id.startsWith(build)) return null;
    const ast = this.parse(code);
    const tables = await tablesOf(ast, id);
    const edits = [...(await texts(ast, id)), ...(await constants(ast, id, tables))];
    if (tables.size > 0) collect(ast, tables, edits);
    return { code: edited(code, edits), map: null };
  },
};

/** The tables that a module knows by a name: what it imports of our own sources, and what it declares. */
async function tablesOf(ast, id) {
  const tables = new Map();
  const know = (name, value) => isTable(value) && tables.set(name, value);
  for (const node of ast.body) {
    if (node.type === "ImportDeclaration" && node.source.value.startsWith(".")) {
      const file = resolve(dirname(id), node.source.value);
      const values = file.startsWith(source) ? await import(pathToFileURL(file)) : {};
      for (const { local, imported } of node.specifiers)
        if (imported) know(local.name, values[imported.name]);
    }
    const declared = node.type === "ExportNamedDeclaration" ? node.declaration : node;
    if (declared?.type !== "VariableDeclaration" || declared.kind !== "const") continue;
    const values = id.startsWith(source) ? await import(pathToFileURL(id)) : {};
    for (const { id: name, init } of declared.declarations) {
      know(name.name, values[name.name] ?? valueIn(init, tables));
    }
  }
  return tables;
}

/** References to constants that are numbers: those of our own sources that a module imports, and those that it declares. */
async function constants(ast, id, tables) {
  const known = new Map();
  const own = id.startsWith(source) ? await import(pathToFileURL(id)) : {};
  const bindings = bindingsOf(ast);
  for (const { name, declaration, assigned } of bindings.values()) {
    const value = await constant(declaration, ast, id, own[name], known, tables);
    if (!assigned && Number.isSafeInteger(value)) known.set(name, value);
  }
  return [...known].flatMap(([name, value]) => written(bindings.get(name), literal(value)));
}

async function constant(declaration, ast, id, exported, known, tables) {
  if (declaration.type === "VariableDeclarator")
    return declaration.id.type === "Identifier"
      ? (exported ?? computed(declaration.init, known, tables))
      : undefined;
  if (declaration.type !== "ImportSpecifier") return undefined;
  const file = resolve(dirname(id), fromOf(ast, declaration));
  return file.startsWith(source) ? (await import(pathToFileURL(file)))[declaration.imported.name] : undefined;
}

const fromOf = (ast, specifier) => ast.body.find((node) => node.specifiers?.includes(specifier)).source.value;

const operations = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "|": (a, b) => a | b,
  "<<": (a, b) => a << b,
};

/** The number that an expression of constants is. */
function computed(node, known, tables) {
  const inner = (each) => computed(each, known, tables);
  switch (node?.type) {
    case "Literal":
      return node.value;
    case "Identifier":
      return known.get(node.name);
    case "MemberExpression":
      return tables.get(node.object.name)?.[node.property.name];
    case "UnaryExpression":
      return node.operator === "-" ? -inner(node.argument) : undefined;
    case "BinaryExpression":
      return operations[node.operator]?.(inner(node.left), inner(node.right));
    default:
      return undefined;
  }
}

/** The number in the place of its name, but for where it is exported. */
function written({ references }, by) {
  const inside = references.filter(({ path }) => path.at(-1).type !== "ExportSpecifier");
  return inside.map(({ node, path }) => {
    const { type, shorthand } = path.at(-1);
    const name = type === "Property" && shorthand ? `${node.name}: ` : "";
    return { start: node.start, end: node.end, by: `${name}${by}` };
  });
}

/** What of a module of ours is a text by the time that it is loaded. */
async function texts(ast, id) {
  if (!id.startsWith(source)) return [];
  const values = await import(pathToFileURL(id));
  const exported = ast.body.flatMap((node) => node.declaration?.declarations ?? []);
  const made = exported.filter(
    ({ id, init }) => typeof values[id.name] === "string" && init.type !== "Literal",
  );
  return made.map(({ init: { start, end }, id }) => ({ start, end, by: JSON.stringify(values[id.name]) }));
}

function isTable(value) {
  if (typeof value !== "object" || value === null || !Object.isFrozen(value) || Array.isArray(value))
    return false;
  return Object.values(value).length > 0 && Object.values(value).every(Number.isSafeInteger);
}

/** Another name of a table, or `Object.freeze({ NAME: 1, … })`. */
function valueIn(init, tables) {
  if (init?.type === "Identifier") return tables.get(init.name);
  const [object] = init?.type === "CallExpression" ? init.arguments : [];
  if (object?.type !== "ObjectExpression" || init.callee.property?.name !== "freeze") return undefined;
  const numbers = object.properties.every(({ key, value }) => key?.name && typeof value?.value === "number");
  if (!numbers) return undefined;
  return Object.freeze(
    Object.fromEntries(object.properties.map(({ key, value }) => [key.name, value.value])),
  );
}

/** Finds what is to be replaced below a node, but for names that mean something else there. */
function collect(node, tables, edits) {
  if (node === null || typeof node !== "object") return;
  if (/Function/.test(node.type ?? "")) tables = without(tables, namesIn(node));
  const { object, property } = node;
  const table = node.type === "MemberExpression" && !node.computed && tables.get(object.name);
  if (table && Object.hasOwn(table, property.name))
    edits.push({ start: node.start, end: node.end, by: literal(table[property.name]) });
  else for (const child of Object.values(node)) collect(child, tables, edits);
}

function literal(value) {
  return value < 0 ? `(${value})` : String(value);
}

function without(tables, names) {
  return new Map([...tables].filter(([name]) => !names.has(name)));
}

/** The names that a function's parameters and variables have. */
function namesIn(fn) {
  const names = new Set();
  const pattern = (node) => {
    if (node?.type === "Identifier") names.add(node.name);
    else if (node?.type === "AssignmentPattern") pattern(node.left);
    else if (node?.type === "RestElement") pattern(node.argument);
    else if (node?.type === "ArrayPattern") node.elements.forEach(pattern);
    else if (node?.type === "ObjectPattern")
      for (const each of node.properties) pattern(each.value ?? each.argument);
  };
  const body = (node) => {
    if (node === null || typeof node !== "object") return;
    if (node.type === "VariableDeclarator") pattern(node.id);
    for (const child of Object.values(node)) body(child);
  };
  fn.params.forEach(pattern);
  body(fn.body);
  return names;
}
