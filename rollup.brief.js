// Puts the one expression of a function where the function is called, if that takes less of flash than the function and
// its calls do: functions of the top level, and methods and getters whose name nothing else has.
import { allBindings, withUniqueNames } from "./rollup.scope.js";
import { edited, visit, visitPath, within } from "./rollup.syntax.js";

/**
 * The code of each module, `{ code, light, chosen }`; `isOurs` tells the members that nobody else knows. What it takes of a
 * module that an application may choose does not count.
 */
export function brief(modules, isOurs, parse) {
  const codes = modules.map(({ code, light }) => (light ? code : withUniqueNames(code, parse)));
  for (;;) {
    const trees = codes.map((code) => parse(code));
    const edits = choose(candidates(modules, trees, codes, isOurs));
    if (edits.length === 0) return codes;
    for (const i of codes.keys())
      codes[i] = edited(
        codes[i],
        edits.filter(({ module }) => module === i),
      );
  }
}

/** Edits of as many candidates as don't touch each other. */
function choose(found) {
  const chosen = [];
  const touches = (a, b) => a.module === b.module && a.start < b.end && b.start < a.end;
  for (const edits of found) {
    const others = (i) => [...chosen, ...edits.slice(0, i)];
    if (!edits.some((edit, i) => others(i).some((other) => touches(edit, other)))) chosen.push(...edits);
  }
  return chosen;
}

function candidates(modules, trees, codes, isOurs) {
  const members = membersOf(trees, isOurs);
  const found = [...members.values()];
  for (const [module, ast] of trees.entries()) if (!modules[module].light) found.push(...topOf(ast, module));
  return found.flatMap((each) => planOf(each, codes, modules));
}

/** Methods and getters that are the only one of their name, with each place that names them. */
function membersOf(trees, isOurs) {
  const found = new Map();
  const of = (name) => {
    if (!found.has(name)) found.set(name, { name, defined: 0, isMember: true, places: [] });
    return found.get(name);
  };
  for (const [module, ast] of trees.entries())
    visitPath(ast, (node, path) => {
      const key = node.type === "MemberExpression" ? node.property : node.key;
      if (node.computed || key?.type !== "Identifier") return;
      const each = of(key.name);
      if (node.type === "MemberExpression") each.places.push({ module, node, path });
      else if (node.type !== "MethodDefinition" || node.static || !/^(get|method)$/.test(node.kind))
        each.defined = 2;
      else
        Object.assign(each, {
          defined: each.defined + 1,
          kind: node.kind,
          fn: node.value,
          whole: node,
          module,
          by: "",
        });
    });
  for (const [name, { defined }] of found) if (defined !== 1 || !isOurs(name)) found.delete(name);
  return found;
}

/** Arrow functions of a module's top level. */
function topOf(ast, module) {
  return allBindings(ast).flatMap(({ top, declaration, references, name, assigned }) => {
    const fn = declaration.init;
    if (!top || assigned || fn?.type !== "ArrowFunctionExpression") return [];
    const places = references.map(({ node, path }) => ({ module, node, path }));
    return [{ name, kind: "method", fn, whole: fn, by: "0", module, places }];
  });
}

/** The edits for a function: none when it can't be done or gains nothing. */
function planOf(each, codes, modules) {
  const { fn, whole, by, module, places, isMember } = each;
  const gone = { module, start: whole.start, end: whole.end, by };
  if (places.length === 0) return isMember ? [[gone]] : [];
  const body = bodyOf(fn);
  const events = body && eventsOf(body.node);
  if (!events || !stands(each, events)) return [];
  const sites = places.map((place) => siteOf(place, each, body));
  if (!sites.every((site) => site && fits(site.given, events))) return [];
  const own = 60 + 8 * fn.params.length + sizeOf(body.node);
  const costs = sites.map(({ call, given, module }) =>
    modules[module].chosen ? 0 : sizeWith(body.node, given) - sizeOf(call),
  );
  if (costs.reduce((total, cost) => total + cost, -own) >= 0) return [];
  return [[...sites.map((site) => put(site, body.node, codes, module)), gone]];
}

/** Whether what is called is known, and the expression says the same elsewhere. */
function stands({ fn, whole, module, places, isMember }, events) {
  if (fn.async || fn.generator || !fn.params.every(({ type }) => type === "Identifier")) return false;
  if (places.some((place) => place.module === module && within(place.node, whole))) return false;
  const known = new Set(["this", "read", "effect", ...GLOBALS, ...fn.params.map(({ name }) => name)]);
  const isKnown = (what) => (isMember ? known.has(what) : what !== "this" && what !== "unknown");
  return events.every(({ what }) => isKnown(what));
}

/** The one expression; `dropped` when its value is not returned. */
function bodyOf({ body }) {
  if (body.type !== "BlockStatement") return { node: body, dropped: false };
  const [only] = body.body;
  if (body.body.length !== 1) return undefined;
  if (only.type === "ReturnStatement" && only.argument) return { node: only.argument, dropped: false };
  return only.type === "ExpressionStatement" ? { node: only.expression, dropped: true } : undefined;
}

/** What an expression does, in order: names that it reads, "read", "effect" and "unknown"; `sure` when in any case. */
function eventsOf(node, sure = true) {
  const all = (...nodes) => nodes.flatMap((each) => eventsOf(each, sure));
  const perhaps = (...nodes) => nodes.flatMap((each) => eventsOf(each, false));
  const { type, left, right, argument, operator, object, property } = node;
  switch (type) {
    case "Literal":
      return [];
    case "Identifier":
      return [{ what: node.name, sure }];
    case "ThisExpression":
      return [{ what: "this", sure }];
    case "UnaryExpression":
      return operator === "delete" ? [UNKNOWN] : all(argument);
    case "BinaryExpression":
      return all(left, right);
    case "LogicalExpression":
      return [...all(left), ...perhaps(right)];
    case "ConditionalExpression":
      return [...all(node.test), ...perhaps(node.consequent, node.alternate)];
    case "MemberExpression":
      return [...all(object), ...(node.computed ? all(property) : []), { what: "read" }];
    case "CallExpression":
    case "NewExpression":
      return [...all(node.callee, ...node.arguments), EFFECT];
    case "AssignmentExpression":
      return left.type === "MemberExpression" ? [...all(left, right), EFFECT] : [UNKNOWN];
    case "UpdateExpression":
      return argument.type === "MemberExpression" ? [...all(argument), EFFECT] : [UNKNOWN];
    default:
      return [UNKNOWN];
  }
}

const EFFECT = { what: "effect" };
const UNKNOWN = { what: "unknown" };
const GLOBALS = new Set(["Math", "Object", "Number", "Uint8Array", "undefined"]);

/** The call or, of a getter, the member, with what is given; none if it can't be replaced. */
function siteOf({ module, node, path }, { kind, isMember, fn }, body) {
  const isGetter = kind === "get";
  const call = isGetter ? node : path.at(-1);
  const outer = path.at(isGetter ? -1 : -2);
  if (!isGetter && (call.type !== "CallExpression" || call.callee !== node || call.optional))
    return undefined;
  if (isMember && (node.optional || node.object.type === "Super" || isChain(node.object))) return undefined;
  if (isPlace(call, outer, path) || (isGetter && outer.callee === call)) return undefined;
  if (body.dropped && outer.type !== "ExpressionStatement") return undefined;
  const args = isGetter ? [] : call.arguments;
  if (args.length !== fn.params.length || args.some(({ type }) => type === "SpreadElement")) return undefined;
  const self = isMember ? [{ name: "this", node: node.object }] : [];
  return { module, call, given: [...self, ...fn.params.map(({ name }, i) => ({ name, node: args[i] }))] };
}

/** Whether something is assigned to it, or it is deleted. */
function isPlace(node, { type, left, argument, operator }, path) {
  if (type === "Property")
    return path.at(-2).type === "ObjectPattern" || path.at(-3)?.type === "ObjectPattern";
  if (/^(ArrayPattern|RestElement|UpdateExpression)$/.test(type)) return true;
  return left === node
    ? !/^(Binary|Logical)Expression$/.test(type)
    : argument === node && operator === "delete";
}

const isChain = (node) =>
  /^(MemberExpression|CallExpression)$/.test(node.type) &&
  (node.optional || isChain(node.object ?? node.callee));

/** Whether all that is given may be evaluated where the expression reads it. */
function fits(given, events) {
  const order = given.map(({ name }) => name);
  return given.every(({ name, node }, i) => {
    if (isSimple(node)) return true;
    const uses = events.flatMap(({ what }, at) => (what === name ? [at] : []));
    if (uses.length === 0) return isPure(node);
    const before = events.slice(0, uses.at(-1)).map(({ what }) => what);
    if (isPure(node)) return !before.includes("effect");
    const early = (what) => what !== "read" && what !== "effect" && order.indexOf(what) < i;
    return uses.length === 1 && events[uses[0]].sure && before.every(early);
  });
}

const isSimple = ({ type, argument, operator }) =>
  /^(Literal|ThisExpression|Identifier)$/.test(type) || (operator === "void" && argument.type === "Literal");

function isPure({ type, object, property, computed, left, right, argument, operator, optional }) {
  switch (type) {
    case "MemberExpression":
      return !optional && isPure(object) && (!computed || isPure(property));
    case "BinaryExpression":
      return isPure(left) && isPure(right);
    case "UnaryExpression":
      return operator !== "delete" && isPure(argument);
    default:
      return isSimple({ type, argument, operator });
  }
}

/** The expression in the place of a call; both may be in different modules. */
function put({ module, call, given }, body, codes, home) {
  const edits = [];
  visit(body, (node, parent) => {
    const named = namedIn(node, parent, given);
    const text = named && codes[module].slice(named.node.start, named.node.end);
    if (named) edits.push({ start: node.start - body.start, end: node.end - body.start, by: `(${text})` });
  });
  const by = `(${edited(codes[home].slice(body.start, body.end), edits)})`;
  return { module, start: call.start, end: call.end, by };
}

/** What a node stands for, if it is a name of the function's. */
function namedIn(node, parent, given) {
  if (node.type === "ThisExpression") return given.find(({ name }) => name === "this");
  if (
    node.type !== "Identifier" ||
    (parent?.type === "MemberExpression" && !parent.computed && parent.property === node)
  )
    return undefined;
  return given.find(({ name }) => name === node.name);
}

/** Bytes of byte code, about; of what is not known here, many. */
export function sizeOf(node) {
  const { type } = node;
  const all = (nodes) => nodes.reduce((total, each) => total + sizeOf(each), 0);
  switch (type) {
    case "Literal":
      return typeof node.value === "string" ? 3 + node.value.length : node.value > 127 ? 3 : 2;
    case "ThisExpression":
      return 1;
    case "Identifier":
      return 2;
    case "MemberExpression":
      return sizeOf(node.object) + (node.computed ? sizeOf(node.property) + 2 : 3);
    case "CallExpression":
      return sizeOf(node.callee) + (node.callee.type === "Identifier" ? 6 : 4) + all(node.arguments);
    case "NewExpression":
      return sizeOf(node.callee) + 5 + all(node.arguments);
    case "BinaryExpression":
      return all([node.left, node.right]) + 1;
    case "AssignmentExpression":
      return all([node.left, node.right]) + (node.operator === "=" ? 1 : 4);
    case "LogicalExpression":
      return all([node.left, node.right]) + 5;
    case "UnaryExpression":
    case "UpdateExpression":
      return sizeOf(node.argument) + 2;
    case "ConditionalExpression":
      return all([node.test, node.consequent, node.alternate]) + 6;
    case "BlockStatement":
      return all(node.body);
    case "ExpressionStatement":
      return sizeOf(node.expression) + 1;
    case "ReturnStatement":
      return (node.argument ? sizeOf(node.argument) : 1) + 4;
    case "ThrowStatement":
      return sizeOf(node.argument) + 1;
    case "IfStatement":
      return all([node.test, node.consequent]) + 3 + (node.alternate ? sizeOf(node.alternate) + 3 : 0);
    default:
      return 40;
  }
}

/** The same of an expression with what is given in it. */
function sizeWith(body, given) {
  let size = sizeOf(body);
  visit(body, (node, parent) => {
    const named = namedIn(node, parent, given);
    if (named) size += sizeOf(named.node) - sizeOf(node);
  });
  return size;
}
