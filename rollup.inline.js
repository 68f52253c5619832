// Puts a function that is called in one place there, or in a few if it is small: as statements, so that nothing is made anew
// each time. Each function takes some 70 bytes of flash beyond its code, and some slots of the stack while it runs.
import { sizeOf } from "./rollup.brief.js";
import { allBindings, withUniqueNames } from "./rollup.scope.js";
import { edited, slice, visit, visitPath, within } from "./rollup.syntax.js";

/** The code of each module, `{ code, light }`; `isOurs` tells the members that nobody else knows. */
export function inlined(modules, isOurs, parse) {
  const uses = countMembers(modules.map(({ code }) => parse(code)));
  const used = (name) => (isOurs(name) && uses.get(name)?.defined === 1 ? uses.get(name).used : 0);
  let labels = 0;
  return modules.map(({ code: given, light }) => {
    if (light) return given;
    for (let code = withUniqueNames(given, parse); ; ) {
      const next = pass(code, parse(code), used, () => `$l${labels++}`);
      if (next.code === code) return code;
      // What is in several places now has the same names there
      code = next.copied ? withUniqueNames(next.code, parse) : next.code;
    }
  });
}

function countMembers(trees) {
  const uses = new Map();
  const count = (name, what) => {
    if (!uses.has(name)) uses.set(name, { defined: 0, used: 0 });
    uses.get(name)[what]++;
  };
  for (const ast of trees)
    visit(ast, (node) => {
      if (node.type === "MemberExpression" && !node.computed) count(node.property.name, "used");
      else if (node.type === "MethodDefinition" && !node.computed) count(node.key.name, "defined");
      else if (/^Property/.test(node.type) && !node.computed) count(node.key.name, "used");
    });
  return uses;
}

/** Inlines what contains no other place where something is inlined. */
function pass(code, ast, used, label) {
  const bindings = allBindings(ast);
  const found = [...functionsOf(bindings), ...methodsOf(ast, used)]
    .map((each) => each.flatMap((place) => plan(place, bindings, code)))
    .filter((places) => places.length > 0 && places.length === places[0].count);
  const inner = found.filter(([{ fn }]) => !found.flat().some((other) => within(other.call, fn)));
  const edits = [];
  let copied = false;
  const isFree = ({ site }) => !edits.some((edit) => edit.start < site.end && site.start < edit.end);
  for (const places of inner) {
    if (!places.every(isFree)) continue;
    const [{ whole, instead, count }] = places;
    copied ||= count > 1;
    for (const each of places)
      edits.push({ start: each.site.start, end: each.site.end, by: put(each, code, label) });
    edits.push({ start: whole.start, end: whole.end, by: instead });
  }
  return { code: edited(code, edits), copied };
}

/** Arrow functions of the top level that are called in one place, or in few enough: each with its places. */
function functionsOf(bindings) {
  return bindings.flatMap(({ top, declaration, references, name }) => {
    const fn = declaration.init;
    if (!top || fn?.type !== "ArrowFunctionExpression" || fn.async || references.length === 0) return [];
    const calls = references.map(({ node, path }) => ({ node, call: path.at(-1), path: path.slice(0, -1) }));
    if (calls.some(({ node, call }) => call.type !== "CallExpression" || call.callee !== node)) return [];
    const count = calls.length;
    if (count > 1 && (!pays(fn, count) || calls.some(({ path }) => isMade(path)))) return [];
    return [calls.map(({ call, path }) => ({ fn, whole: fn, instead: "0", call, path, name, count }))];
  });
}

/** Whether a function that is called in some places takes more than as many of its body; one with variables takes stack there. */
function pays({ params, body }, count) {
  let declares = false;
  visit(body, ({ type }) => {
    declares ||= type === "VariableDeclaration";
  });
  if (declares) return false;
  const size = sizeOf(body);
  return count * (size + 3 * params.length) < 45 + 8 * params.length + size + count * (9 + 2 * params.length);
}

/** Methods that their own class alone calls, in one place or in few enough. */
function methodsOf(ast, used) {
  const found = [];
  for (const statement of ast.body) {
    const declared = statement.declarations?.map(({ init }) => init) ?? [statement];
    for (const owner of declared.filter((node) => /^Class/.test(node?.type)))
      for (const method of owner.body.body)
        if (method.kind === "method" && !method.static && !method.computed && used(method.key.name) > 0)
          found.push(callsOf(owner, method, used(method.key.name)));
  }
  return found;
}

function callsOf(owner, method, count) {
  const found = [];
  visitPath(owner.body, (node, path) => {
    if (node.type === "CallExpression" && !node.optional && isOwn(node.callee, method.key.name))
      found.push({
        fn: method.value,
        whole: method,
        instead: "",
        call: node,
        path,
        name: method.key.name,
        count,
      });
  });
  return count === 1 || (pays(method.value, count) && !found.some(({ path }) => isMade(path))) ? found : [];
}

function isOwn({ type, object, property, computed }, name) {
  return (
    type === "MemberExpression" && !computed && object.type === "ThisExpression" && property.name === name
  );
}

/** How it can be done; none where it can't. */
function plan(candidate, bindings, code) {
  const { fn, call, path, whole } = candidate;
  if (fn.generator || fn.async || within(call, whole) || !path.some(({ type }) => /Function/.test(type)))
    return [];
  if (path.some((node, i) => node.type === "FunctionExpression" && path[i - 1]?.type !== "MethodDefinition"))
    return [];
  if (call.arguments.length !== fn.params.length || !fn.params.every(({ type }) => type === "Identifier"))
    return [];
  if (call.arguments.some(({ type }) => type === "SpreadElement") || knowsItsCall(fn.body)) return [];
  const site = siteOf(call, path, code);
  if (site?.kind === "kept" && fn.body.body && !ends(fn.body)) return [];
  const given = fn.params.map((param, i) => parameter(param, call.arguments[i], bindings, code));
  const value = soleValue(fn.body);
  if (value && given.every(({ alias }) => alias !== undefined))
    return [{ ...candidate, site: call, given, value }];
  return site ? [{ ...candidate, ...site, given }] : [];
}

/** Whether a function is made by another each time that it runs: its code goes into RAM with it. */
const isMade = (path) => path.filter(({ type }) => /Function/.test(type)).length > 1;

/** What of its own call only the function itself knows. */
function knowsItsCall(body) {
  let knows = false;
  visit(body, ({ type, name }) => {
    knows ||= /^(Super|MetaProperty|AwaitExpression|YieldExpression)$/.test(type) || name === "arguments";
  });
  return knows;
}

/** The statement that a call is all of, and what becomes of its value: `returned`, dropped or kept under a name. */
function siteOf(call, path, code) {
  const parent = path.at(-1);
  const statement = path.at(-2);
  if (parent.type === "ExpressionStatement") return { site: parent, kind: "dropped" };
  if (parent.type === "ArrowFunctionExpression" && parent.body === call && !isMade(path))
    return {
      site: { start: code.indexOf("=>", parent.params.at(-1)?.end ?? parent.start) + 2, end: parent.end },
      kind: "returned",
    };
  if (parent.type === "ReturnStatement") return { site: parent, kind: "returned" };
  if (parent.type === "ConditionalExpression" && parent.test !== call && statement.type === "ReturnStatement")
    return { site: statement, kind: "chosen" };
  if (
    parent.type === "VariableDeclarator" &&
    parent.id.type === "Identifier" &&
    path.at(-3).type === "BlockStatement"
  )
    return statement.declarations.length === 1
      ? { site: statement, kind: "declared", target: parent.id }
      : undefined;
  const isKept = parent.type === "AssignmentExpression" && parent.operator === "=" && parent.right === call;
  if (isKept && statement.type === "ExpressionStatement" && isPlace(parent.left))
    return { site: statement, kind: "kept", target: parent.left };
  const whole = firstIn(call, path);
  return whole && { site: whole, kind: "before" };
}

/** The statement whose first expression to be evaluated, and in any case, is the call. */
function firstIn(call, path) {
  let node = call;
  for (const outer of path.toReversed()) {
    if (/^(IfStatement|ReturnStatement|ThrowStatement|ExpressionStatement)$/.test(outer.type)) return outer;
    if (!isFirst(node, outer)) return undefined;
    node = outer;
  }
  return undefined;
}

function isFirst(node, outer) {
  switch (outer.type) {
    case "UnaryExpression":
      return outer.operator !== "typeof" && outer.operator !== "delete";
    case "BinaryExpression":
      return outer.left === node || outer.left.type === "Literal";
    case "LogicalExpression":
      return outer.left === node;
    case "ConditionalExpression":
      return outer.test === node;
    case "MemberExpression":
      return outer.object === node;
    case "CallExpression":
      return outer.callee === node && outer.callee.type === "MemberExpression";
    case "AssignmentExpression":
      return outer.right === node && outer.operator === "=" && isPlace(outer.left);
    default:
      return false;
  }
}

const isPlace = ({ type, object, computed }) =>
  type === "Identifier" || (type === "MemberExpression" && !computed && object.type === "ThisExpression");

/** What a parameter is called, or a declaration of it. */
function parameter({ name }, argument, bindings, code) {
  const own = bindings.find((each) => !each.top && each.name === name);
  const text = code.slice(argument.start, argument.end);
  const isSame =
    argument.type === "Literal" ||
    text === "void 0" ||
    (argument.type === "Identifier" && !changes(text, bindings));
  if (!own.assigned && isSame) return { own, alias: text };
  return { own, declared: `${own.assigned ? "let" : "const"} ${name} = ${text};` };
}

const changes = (name, bindings) => bindings.some((each) => each.name === name && each.assigned);

/** The one expression that a function returns. */
function soleValue(body) {
  if (body.type !== "BlockStatement") return body;
  return body.body.length === 1 && body.body[0].type === "ReturnStatement"
    ? body.body[0].argument
    : undefined;
}

/** The code that takes the place of the call. */
function put({ fn, value, given, kind, target, call, site }, code, label) {
  const aliases = given.flatMap(({ own, alias }) => (alias === undefined ? [] : renamings(own, alias)));
  if (value) return `(${slice(code, aliases, value.start, value.end)})`;
  const name = label();
  const to = kind === "before" ? `${name}v` : target && code.slice(target.start, target.end);
  const isBlock = fn.body.type === "BlockStatement";
  const out = /^(returned|chosen)$/.test(kind);
  const { edits, breaks } = out ? { edits: [], breaks: false } : returns(fn.body, kind, to, name);
  const [start, end] = isBlock ? [fn.body.start + 1, fn.body.end - 1] : [fn.body.start, fn.body.end];
  const text = slice(code, [...aliases, ...edits], start, end);
  const body = isBlock ? `${text}${out && !ends(fn.body) ? "return;" : ""}` : expression(text, out, to);
  const declared = given.map(({ declared }) => declared ?? "").join("");
  return around({ block: `${breaks ? `${name}: ` : ""}{${declared}${body}}`, kind, to, call, site }, code);
}

const expression = (text, out, to) =>
  out ? `return ${text};` : `${to === undefined ? "" : `${to} = `}${text};`;

/** The block with what was around the call. */
function around({ block, kind, to, call, site }, code) {
  if (kind === "declared") return `let ${to}; ${block}`;
  const text = ({ start, end }) => code.slice(start, end);
  if (kind === "before")
    return `{let ${to}; ${block}${code.slice(site.start, call.start)}${to}${code.slice(call.end, site.end)}}`;
  if (kind !== "chosen") return block;
  const { test, consequent, alternate } = site.argument;
  if (consequent === call) return `if (${text(test)}) ${block} else return ${text(alternate)};`;
  return `if (${text(test)}) return ${text(consequent)}; else ${block}`;
}

/** Whether a function's body ends with a statement behind which nothing runs. */
const ends = ({ body }) => /^(Return|Throw)Statement$/.test(body.at(-1)?.type);

function renamings({ references }, alias) {
  return references.map(({ node, path }) => {
    const { type, shorthand } = path.at(-1);
    return {
      start: node.start,
      end: node.end,
      by: type === "Property" && shorthand ? `${node.name}: ${alias}` : alias,
    };
  });
}

/** Each `return` as what it is for the place: a value that is kept or not, and the way out unless it is the end. */
function returns(body, kind, to, name) {
  const edits = [];
  let breaks = false;
  const walk = (node) => {
    if (node === null || typeof node !== "object" || /Function|^Class/.test(node.type ?? "")) return;
    if (node.type !== "ReturnStatement") {
      for (const child of Object.values(node)) walk(child);
      return;
    }
    const { start, end, argument } = node;
    const isLast = body.body.at(-1) === node;
    const out = isLast ? "" : `break ${name};`;
    const takes = kind === "dropped" ? "" : `${to} = `;
    breaks ||= !isLast;
    if (argument === null)
      edits.push({ start, end, by: kind === "dropped" ? `{${out}}` : `{${takes}void 0;${out}}` });
    else {
      edits.push({ start, end: argument.start, by: `{${takes}` });
      edits.push({ start: argument.end, end, by: `;${out}}` });
    }
  };
  if (body.type === "BlockStatement") walk(body.body);
  return { edits, breaks };
}
