// What the functions of a program refer to becomes members of one object, the helpers, which all its classes and tables
// inherit from: `f(a)` is then `super.f(a)`. A function that keeps what it refers to takes 32 bytes of flash for that and
// 16 for each name; what it finds by its home takes none. XS wants an object for `this` there, so a function that is handed
// on, and may be called without one, keeps the helpers themselves; and one of a table is called as its member.
import { bindingsOf } from "./rollup.scope.js";
import { edited, slice, visit } from "./rollup.syntax.js";

/** A module's helpers; their heir, which is empty and the home of functions; and the helpers of the first module. */
const OWN = "$H";
const HOME = "$D";
const CORE = "$C";
/** What the first module lends one other while that is loaded, and nobody has afterwards. */
const LENT = "$L";

/**
 * The code of each module, of those that it is given as `{ code, core, exported, inner, light }`. `core` is the path of the
 * first one for the others, whose helpers inherit from its own; `exported` are the names that somebody else knows, other
 * modules alone of an inner one; `prefix` keeps the names of a module's helpers from those of others. A light module has no
 * helpers, but those of the first.
 */
export function helpers(modules, parse) {
  const trees = modules.map(({ code }) => parse(code));
  const read = new Set(trees.flatMap((ast) => [...namesRead(ast)]));
  const all = modules.map((module, i) => understand({ ...module, ast: trees[i], read }));
  const [core] = all;
  for (const module of all)
    for (const name of module.exported) {
      const binding = module.bindings.get(module.exports.get(name));
      if (!(module.inner && isTakenByTables(name, all))) show(binding, module.bindings, module.inner);
    }
  for (const { imported, bindings } of all)
    for (const [local, name] of imported)
      share(core.bindings.get(core.exports.get(name)), name, bindings.get(local));
  lend(core, all);
  for (const module of all)
    for (const binding of module.bindings.values()) module.byNode.set(binding.node, binding);
  return all.map((module) => (module.light ? lightly(module) : written(module, module === core)));
}

/** What a module declares, what it exports and imports of the first one, and what each binding is for. */
function understand(module) {
  const bindings = bindingsOf(module.ast);
  const parents = new Map();
  visit(module.ast, (node, parent) => parents.set(node, parent));
  const maps = { exports: new Map(), imported: new Map(), byNode: new Map() };
  const known = { ...module, bindings, parents, lent: [], moved: new Set(), ...maps };
  for (const node of module.ast.body) {
    if (node.type === "ExportNamedDeclaration")
      for (const { local, exported } of node.specifiers) known.exports.set(exported.name, local.name);
    else if (fromCore(node, module))
      for (const { local, imported } of node.specifiers) known.imported.set(local.name, imported.name);
  }
  const passing = onlyAtLoad(known);
  known.passing = passing;
  for (const binding of bindings.values()) describe(binding, known, passing);
  for (const [name, imported] of known.imported)
    Object.assign(bindings.get(name), { key: `$$${imported}`, member: true });
  return known;
}

/**
 * The functions that only run while the module is loaded, as nobody has them who could call them later. They are no members,
 * nor is what only they refer to: a device's flash holds what can still be reached when all is loaded.
 */
function onlyAtLoad({ bindings, exports }) {
  const shared = new Set(exports.values());
  const passing = new Map();
  for (const { name, declaration, references } of bindings.values())
    if (isArrow(declaration.init) && !shared.has(name) && references.every(isRun))
      passing.set(declaration.init, references);
  for (let before = 0; before !== passing.size; ) {
    before = passing.size;
    for (const [node, references] of passing)
      if (references.some((each) => isLater(each, passing))) passing.delete(node);
  }
  return passing;
}

/** Whether a reference is in code that runs when all is loaded. What runs where it stands is part of what it stands in. */
function isLater({ path }, passing) {
  const [outer, inner] = path.filter((node, i) => isCode(node) && !isRun({ node, path: path.slice(0, i) }));
  return outer !== undefined && (inner !== undefined || !passing.has(outer));
}

/** A member is what functions refer to, under `key`; a function is loose if it may be called without an object. */
function describe(binding, module, passing) {
  const { declaration, references, assigned, name } = binding;
  const node = declaration.init ?? declaration;
  const kind = /^Class/.test(node.type) ? "class" : isArrow(node) ? "function" : "value";
  const member = !module.light && !assigned && references.some((each) => isLater(each, passing));
  const rows = references.filter((each) => isRow(each, module));
  const loose = references.some((each) => !isCalled(each) && !isExport(each) && !rows.includes(each));
  const inTables = !module.light && references.every((each) => isExport(each) || rows.includes(each));
  Object.assign(binding, { node, kind, member, loose, inTables, key: `$${module.prefix ?? ""}${name}` });
}

/**
 * What others get. A class of theirs, and those above it, inherit no helpers: who sets a member of such an object, or asks
 * for one, must not meet them. An inner module's are for other modules of ours alone.
 */
function show(binding, bindings, inner) {
  binding.loose = true;
  if (inner && binding.kind === "class") return;
  binding.shown = true;
  const above = binding.kind === "class" && bindings.get(binding.node.superClass?.name);
  if (above) show(above, bindings);
}

/** Whether what imports what is exported under a name, has it in tables alone. */
function isTakenByTables(name, all) {
  const taken = all.flatMap((module) => importsOf(name, module).map((binding) => ({ module, binding })));
  return (
    taken.length > 0 &&
    taken.every(({ module, binding }) => binding.references.every((each) => isRow(each, module)))
  );
}

function importsOf(name, { ast, bindings }) {
  const specifiers = ast.body.flatMap((node) => (node.type === "ImportDeclaration" ? node.specifiers : []));
  return specifiers
    .filter(({ imported }) => imported?.name === name)
    .map(({ local }) => bindings.get(local.name));
}

/** Another module's function is as loose as it is there. */
function share(binding, name, there) {
  Object.assign(binding, { key: `$$${name}`, member: true });
  if (there.loose) binding.loose = true;
}

/** What is asked for while modules are loaded alone need not stay: it is lent to the one that asks for most of it. */
function lend(core, all) {
  const offers = all.map((taker) => ({ taker, lent: briefly(taker, core, all) }));
  const [{ taker, lent }] = offers.sort((a, b) => b.lent.length - a.lent.length);
  for (const { own, theirs } of lent) {
    Object.assign(own, { member: false, lent: true });
    theirs.lent = true;
    core.lent.push(own);
    taker.lent.push(theirs);
  }
}

/** What this module alone asks the first one for, and both while they are loaded: the binding of each. */
function briefly(taker, core, all) {
  if (taker.light) return [];
  const isBrief = ({ references }, { passing }) =>
    references.every((each) => isExport(each) || !isLater(each, passing));
  const others = all.filter((each) => each !== taker).flatMap(({ imported }) => [...imported.values()]);
  return [...taker.imported]
    .filter(([, name]) => !core.exported.has(name) && !others.includes(name))
    .map(([local, name]) => ({
      own: core.bindings.get(core.exports.get(name)),
      theirs: taker.bindings.get(local),
    }))
    .filter(({ own }) => own.kind !== "class" && !isMethod(own))
    .filter(({ own, theirs }) => isBrief(own, core) && isBrief(theirs, taker));
}

const fromCore = (node, { core }) => node.type === "ImportDeclaration" && node.source.value === core;
const isArrow = (node) => node?.type === "ArrowFunctionExpression" && !node.async;
const isCode = ({ type }) => /Function|^PropertyDefinition$|^StaticBlock$/.test(type);
const isCalled = ({ node, path }) => path.at(-1).type === "CallExpression" && path.at(-1).callee === node;
/** Called, at once or by an array's method, and not kept by anybody. */
const isRun = ({ node, path }) => isCalled({ node, path }) || isStep(node, path.at(-1));
const isStep = (node, { type, callee, arguments: [first] = [] }) =>
  type === "CallExpression" && first === node && iterations.has(callee.property?.name);
const iterations = new Set(["every", "filter", "find", "flatMap", "forEach", "map", "reduce", "some"]);
const isExport = ({ path }) => path.at(-1).type === "ExportSpecifier";

/** Called with an object: as a member, or by tables, which need no member for it. */
const isMethod = ({ kind, loose, member, inTables }) => kind === "function" && !loose && (member || inTables);

/** A function in a table, that nobody takes from it without calling it. */
function isRow({ node, path }, { read }) {
  const parent = path.at(-1);
  return (
    parent.type === "Property" &&
    parent.value === node &&
    !parent.computed &&
    !read.has(parent.key.name) &&
    !hasHeritage(path.at(-2))
  );
}

/** Whether an object says itself what it inherits from. */
const hasHeritage = ({ properties }) => properties.some(({ key }) => key?.name === "__proto__");

/** The names of properties that are read without being called. */
function namesRead(ast) {
  const names = new Set();
  visit(ast, (node, parent) => {
    if (node.type === "Property" && parent.type === "ObjectPattern") names.add(node.key.name);
    const member = node.type === "ChainExpression" ? node.expression : node;
    if (member.type !== "MemberExpression" || member.computed || parent.type === "ChainExpression") return;
    if (takesValue(parent, node)) names.add(member.property.name);
  });
  return names;
}

/** Whether what a node is goes on to somewhere that may call it. */
function takesValue(parent, node) {
  if (/^(VariableDeclarator|ReturnStatement|LogicalExpression|Property)$/.test(parent.type)) return true;
  if (/^(Call|New)Expression$/.test(parent.type)) return parent.arguments.includes(node);
  if (parent.type === "ConditionalExpression") return parent.test !== node;
  return parent.type === "AssignmentExpression" ? parent.right === node : parent.body === node;
}

// ---- The module, written anew

/** The module, in the order of what it does when it is loaded; functions come first. */
function written(module, isCore) {
  const { ast, code, bindings, imported, exports, exported, lent } = module;
  const edits = [...references(module)];
  const text = ({ start, end }) => slice(code, edits, start, end);
  const members = [...bindings.values()].filter(({ member, name }) => member && !imported.has(name));
  if (members.length === 0 && imported.size === 0) return code;
  const others = ast.body.filter((node) => node.type === "ImportDeclaration" && !fromCore(node, module));
  const body = ast.body.filter(({ type }) => !/^Import|^Export/.test(type));
  return [
    ...(imported.size > 0 ? [importCore(module)] : []),
    ...others.map(text),
    ...objects([...bindings.values()].filter(isMethod), members, imported.size > 0, text),
    ...body.flatMap((node) => statement(node, module, text)),
    `for (const name of Object.keys(${OWN})) Object.defineProperty(${OWN}, name, { enumerable: false });`,
    `Object.freeze(${OWN});\nObject.freeze(${HOME});`,
    ...(isCore && exports.size > exported.size ? [`export { ${OWN} };`] : []),
    ...(lent.length > 0 ? (isCore ? lending(lent) : returning(lent)) : []),
    ...[...exported].map((name) => exporting(name, bindings.get(exports.get(name)))),
  ].join("\n");
}

/** Only what a light module imports are members. */
function lightly(module) {
  const clauses = module.ast.body.filter((node) => fromCore(node, module));
  const imports = clauses.map(({ start, end }, i) => ({ start, end, by: i > 0 ? "" : importCore(module) }));
  return edited(module.code, [...references(module), ...imports]);
}

const importCore = ({ core, lent }) =>
  `import { ${OWN} as ${CORE}${lent.length > 0 ? `, ${LENT}` : ""} } from ${JSON.stringify(core)};`;

const lending = (lent) => [
  `const ${LENT} = { ${lent.map(({ key, name }) => `${key}: ${name}`).join(", ")} };`,
  `export { ${LENT} };`,
];

const returning = (lent) => [
  ...lent.map(({ key }) => `delete ${LENT}.${key};`),
  // What is not frozen takes RAM
  `Object.freeze(${LENT});`,
];

/** The helpers: what is asked for most often first, as a device looks through them in this order. */
function objects(functions, members, inherits, text) {
  const sorted = [...members].sort((a, b) => b.references.length - a.references.length);
  const methods = functions.map(({ key, node }) => `${key}${asMethod(node, text)}`);
  const forTables = functions.filter(({ member }) => !member);
  const value = (binding) => {
    if (isMethod(binding)) return `${HOME}.${binding.key}`;
    return /^Import/.test(binding.node.type) ? binding.name : "undefined";
  };
  const slots = sorted.map((binding) => `${binding.key}: ${value(binding)}`);
  return [
    `const ${HOME} = {${methods.join(",\n")}};`,
    `const ${OWN} = {${[...(inherits ? [`__proto__: ${CORE}`] : []), ...slots].join(",\n")}};`,
    ...forTables.map(({ name, key }) => `const ${name} = ${HOME}.${key};`),
    `for (const name in ${HOME}) delete ${HOME}[name];`,
    `Object.setPrototypeOf(${HOME}, ${OWN});`,
  ];
}

function asMethod({ params, body }, text) {
  const block = body.type === "BlockStatement" ? text(body) : `{ return ${text(body)}; }`;
  return `(${params.map(text).join(", ")}) ${block}`;
}

/** A statement of the top level. */
function statement(node, module, text) {
  const { bindings } = module;
  if (node.type === "ClassDeclaration") return declared(bindings.get(node.id.name), node, module, text);
  if (node.type !== "VariableDeclaration") return [text(node)];
  return node.declarations.flatMap((each) => {
    const binding = bindings.get(each.id.name);
    if (binding && each.init) return declared(binding, each.init, module, text, node.kind);
    const members = [...bindings.values()].filter(
      ({ declaration, member }) => declaration === each && member,
    );
    return [`${node.kind} ${text(each)};`, ...members.map(({ name, key }) => `${OWN}.${key} = ${name};`)];
  });
}

function declared(binding, init, module, text, kind = "const") {
  if (isMethod(binding)) return [];
  const { name, key, member } = binding;
  const target = member ? `${OWN}.${key}` : name;
  const isClass = /^Class/.test(init.type);
  const moved = isClass ? init.body.body.filter((each) => module.moved.has(each)) : [];
  const value = isClass ? classText(init, moved, text) : text(init);
  const methods =
    moved.length > 0 ? methodsOf(target, moved, (each) => lineOf(each, module) + text(each)) : [];
  return [
    `${member ? "" : `${kind} `}${target} = ${value};`,
    ...prototypeOf(target, init, module),
    ...methods,
  ];
}

/** What becomes of a class's prototype: nobody asks it for `constructor`, which takes 16 bytes. */
function prototypeOf(target, init, module) {
  if (!inherits(init, module)) return [];
  const heritage = init.superClass ? [] : [`Object.setPrototypeOf(${target}.prototype, ${OWN});`];
  return [...heritage, `delete ${target}.prototype.constructor;`];
}

/** The comment before a method, by which its line is known (rollup.lines.js). */
const lineOf = ({ start }, { code }) => /(\/\*@\d+\*\/\s*)?$/.exec(code.slice(0, start))[0];

/** Methods of a class that inherits no helpers: theirs is another home, that does. */
function methodsOf(target, moved, text) {
  const attributes = "writable: true, enumerable: false, configurable: true";
  return [
    `{ const home = { __proto__: ${OWN}, ${moved.map(text).join(",\n")} };`,
    "for (const name of Object.keys(home)) {",
    `Object.defineProperty(${target}.prototype, name, { value: home[name], ${attributes} });`,
    "delete home[name]; }",
    "Object.freeze(home); }",
  ];
}

/** Without its name, but for those that people see, or that a class calls itself by. */
function classText({ type, id, superClass, body }, moved, text) {
  const ends = [...moved.map(({ start }) => start), body.end];
  const inside = [body.start, ...moved.map(({ end }) => end)]
    .map((start, i) => text({ start, end: ends[i] }))
    .join("");
  const named =
    /Error$|Socket$/.test(id?.name) || (type === "ClassExpression" && id && inside.includes(id.name));
  return `class${named ? ` ${id.name}` : ""}${superClass ? ` extends ${text(superClass)}` : ""} ${inside}`;
}

/** Whether a class of the top level inherits from the helpers. */
function inherits(node, module) {
  const { kind, shown } = module.byNode.get(node) ?? {};
  if (kind !== "class" || shown) return false;
  if (!node.superClass) return true;
  const parent = module.bindings.get(node.superClass.name);
  return parent !== undefined && (module.imported.has(parent.name) || inherits(parent.node, module));
}

function exporting(name, { name: local, member, key, node }) {
  if (!member || /^Import/.test(node.type)) return `export { ${local} as ${name} };`;
  return `const $e_${name} = ${OWN}.${key};\nexport { $e_${name} as ${name} };`;
}

// ---- References

/** The edits by which references become members, and functions in tables methods of them. */
function* references(module) {
  const rows = new Set();
  for (const { member, key, references, lent } of module.bindings.values())
    for (const reference of member ? references : []) {
      if (isExport(reference)) continue;
      const { node, path } = reference;
      const { type, shorthand } = path.at(-1);
      const from = lent ? LENT : module.light ? CORE : home(reference, module, rows);
      const name = type === "Property" && shorthand ? `${node.name}: ` : "";
      yield { start: node.start, end: node.end, by: `${name}${from}.${key}` };
    }
  const tables = new Set([...rows].map((row) => module.parents.get(row)));
  for (const { start } of tables) yield { start: start + 1, end: start + 1, by: `__proto__: ${OWN}, ` };
  for (const row of rows) if (row.kind === "init" && !row.method) yield* methodEdits(row, module.code);
}

/** `super` where the helpers are above the home of the function and it is called with an object; else their object. */
function home({ node, path }, module, rows) {
  for (let i = path.length - 1; i > 0; i--) {
    const inner = path[i];
    const outside = path.slice(0, i);
    if (inner.type === "PropertyDefinition")
      return !inner.static && inherits(path[i - 2], module) ? "super" : OWN;
    if (inner.type === "StaticBlock") return OWN;
    if (inner.type === "FunctionExpression") return inMethod(node, inner, outside, module, rows);
    if (inner.type !== "ArrowFunctionExpression" || outside.some(isCode)) continue;
    const binding = module.byNode.get(inner);
    if (binding) return isMethod(binding) ? "super" : OWN;
    return inTable(inner, outside, module, rows);
  }
  return OWN;
}

function inMethod(node, inner, outside, module, rows) {
  const parent = outside.at(-1);
  if (parent.type !== "MethodDefinition")
    return outside.slice(0, -1).some(isCode) ? OWN : inTable(inner, outside, module, rows);
  const owner = outside.at(-3);
  if (parent.static) return OWN;
  if (!inherits(owner, module)) return moves(parent, owner, module) ? "super" : OWN;
  if (parent.kind !== "constructor" || !owner.superClass) return "super";
  // Before the constructor above has run, there is no object
  const above = inner.body.body.find(({ expression }) => expression?.callee?.type === "Super");
  return above && node.start >= above.end ? "super" : OWN;
}

/** Whether a method may have another home than its class. */
function moves(method, owner, module) {
  if (method.kind !== "method" || method.computed || !module.byNode.has(owner)) return false;
  let asks = false;
  visit(method.value, ({ type }) => {
    asks ||= type === "Super";
  });
  if (!asks) module.moved.add(method);
  return !asks;
}

function inTable(node, path, module, rows) {
  const row = path.at(-1);
  const isAccessor = row.type === "Property" && row.kind !== "init" && !hasHeritage(path.at(-2));
  if (node.async || node.generator || !(isAccessor || isRow({ node, path }, module))) return OWN;
  rows.add(row);
  return "super";
}

/** `read: (a) => b` becomes `read(a) { return b; }`. */
function* methodEdits({ key, value }, code) {
  const { params, body, start, end } = value;
  const last = params.at(-1)?.end ?? start;
  const arrow = code.indexOf("=>", last);
  const isBlock = body.type === "BlockStatement";
  yield { start: key.end, end: start, by: code[start] === "(" ? "" : "(" };
  const close = params.length === 0 ? "()" : ")";
  yield {
    start: last,
    end: body.start,
    by: isBlock ? close : `${close} { return ${code.slice(arrow + 2, body.start)}`,
  };
  if (!isBlock) yield { start: end, end, by: "; }" };
}
