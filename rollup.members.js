// Gives members names that the engine has anyway, as each other takes flash: all but those that somebody else knows. Who
// does is read from the types that tsc wrote: what an application, the SDK or a provider gives and gets, and from strings, C
// and declarations by hand. Helpers (rollup.helpers.js) are found past what a class itself has, so that they may share
// names with members, but for those that may be absent: who asks for one that is must not find a helper.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { base, words as globals, known, letters } from "./rollup.names.js";
import { edited, visit } from "./rollup.syntax.js";

/** Names that a device has anyway. */
const engine = new Set([...known, ...globals]);

/**
 * New names by the old ones, for these modules as a whole, or for a program; what only light ones name is no name that a device
 * has. Those that are an application's choice get what is left, so that the others are the same without them.
 */
export function choose(modules, parse, program) {
  const parsed = modules.map((each) => ({ ...each, ast: parse(each.code) }));
  const others = namesOf(parsed.filter(({ chosen }) => chosen));
  const first = parsed.filter(({ chosen }) => !chosen);
  const kept = crossing(program);
  const names = chooseFirst(first, others, kept);
  if (others.members.size > 0) chooseMore(names, others.members, kept);
  for (const module of parsed) checkHelpers(module, names);
  return names;
}

/** A module would find its own helper in the place of another's of that name. */
function checkHelpers(module, names) {
  const given = [...namesOf([module]).members].filter(isHelper).map((name) => names.get(name));
  if (new Set(given).size < given.length) throw new Error("two helpers of a module have one name");
}

/** Names that nobody else has, for members that have none yet. */
function chooseMore(names, members, kept) {
  const own = deviceNames();
  const given = new Set(names.values());
  const isOwn = (name) => own.has(name) && !kept.has(name) && !engine.has(name);
  const isNew = (name) => !names.has(name) && (isHelper(name) || (isOwn(name) && !isShort(name)));
  const free = [...engine].filter((name) => !given.has(name) && !members.has(name) && !isCalled(name));
  for (const [i, name] of [...members].filter(isNew).entries()) names.set(name, free[i] ?? `_${i}`);
}

function chooseFirst(modules, others, kept) {
  const found = namesOf(modules);
  const device = namesOf(modules.filter(({ light }) => !light));
  const own = deviceNames();
  // Those of the first module come before those that an application may do without
  const first = namesOf(modules.slice(0, 1)).members;
  const order = (a, b) => Number(first.has(b)) - Number(first.has(a)) || (a < b ? -1 : 1);
  const old = [...found.members]
    .filter((name) => own.has(name) && !kept.has(name) && !engine.has(name) && !isShort(name))
    .sort(order);
  const stays = new Set([...found.members].filter((name) => !old.includes(name)));
  const free = [...engine, ...base, ...letters].filter((name) => !stays.has(name) && !isCalled(name));
  const names = new Map(old.slice(0, free.length).map((name, i) => [name, free[i]]));
  const absent = new Set(
    [optional(), ...[found, others].flatMap(({ asked, set, inherited }) => [...asked, ...set, ...inherited])]
      .flat()
      .map((name) => names.get(name) ?? name),
  );
  const had = [...stays].filter((name) => device.members.has(name)).sort(order);
  const shared = [...new Set([...engine, ...base, ...had, ...letters])].filter(
    (name) => !absent.has(name) && !isCalled(name) && !isHelper(name),
  );
  const helpers = modules.map((each) => [...namesOf([each]).members].filter(isHelper));
  for (const [name, by] of apart(helpers, shared)) names.set(name, by);
  return names;
}

/** For each helper one of these names, and for those of one module others: modules have no more in common than the first one's. */
function apart(modules, names) {
  const chosen = new Map();
  for (const name of modules.flat()) {
    const beside = modules.filter((each) => each.includes(name)).flat();
    const taken = new Set(beside.map((each) => chosen.get(each)));
    if (!chosen.has(name)) chosen.set(name, names.find((each) => !taken.has(each)) ?? `$${chosen.size}`);
  }
  return chosen;
}

/** Whether only our own modules know a member, or this program. */
export function isOurs(name, program) {
  return deviceNames().has(name) && !crossing(program).has(name);
}

export function renamed(code, names, parse) {
  const edits = [];
  visit(parse(code), (node) => {
    const key = keyOf(node);
    const by = key && names.get(key.name);
    if (by) edits.push({ start: key.start, end: key.end, by: node.shorthand ? `${by}: ${key.name}` : by });
  });
  return edited(code, edits);
}

function keyOf(node) {
  const key = node.type === "MemberExpression" ? node.property : node.key;
  return !node.computed && key?.type === "Identifier" ? key : undefined;
}

export const isHelper = (name) => /^\$\$?[\w$]/.test(name);

/** Members by name; those that are asked for where they may be absent; that are set; and those that may be inherited. */
function namesOf(modules) {
  const members = new Set();
  const asked = new Set();
  const set = new Set();
  const inherited = new Set();
  const parents = new Set();
  for (const { ast } of modules)
    visit(ast, ({ superClass }) => {
      const name = superClass?.name ?? superClass?.property?.name;
      if (name) parents.add(name);
    });
  for (const { ast } of modules)
    visit(ast, (node, parent) => {
      const key = keyOf(node);
      if (key) members.add(key.name);
      const target = node.type === "UpdateExpression" ? node.argument : node.left;
      if (target && keyOf(target)) set.add(keyOf(target).name);
      if (node.type === "CallExpression" && node.optional && keyOf(node.callee))
        asked.add(keyOf(node.callee).name);
      const name = node.id?.name ?? parent?.left?.property?.name ?? parent?.id?.name;
      if (/^Class[DE]/.test(node.type) && parents.has(name))
        for (const member of node.body.body) if (keyOf(member)) inherited.add(keyOf(member).name);
    });
  return { members, asked, set, inherited };
}

/** Members that the language looks for by itself, or finds in every function or object. */
const called = new Set(
  (
    "then toJSON next done return throw value get set enumerable writable configurable cause name message length " +
    "constructor prototype arguments caller async static native"
  ).split(" "),
);
const isCalled = (name) => called.has(name) || name in Function;

/** What is short already, and helpers, which get their names below. */
const isShort = (name) => letters.includes(name) || isHelper(name);

/** What others than our own modules know by its name; of a program, what it is told and tells too. */
const crossing = (program) => (program ? crossingProgram() : crossingModules());
const crossingModules = once(() => namesAcross(""));
const crossingProgram = once(() => {
  const jobs = read("dist/types/hosts/xs", /^job\.d\.ts$/) + read("test", /^(device|xs)\/(.*job|flash)\.ts$/);
  return namesAcross(jobs + read("hosts", /^xs\/host\.d\.ts$/));
});

function namesAcross(more) {
  // A session of the core's is handed to nobody but as bytes
  const types = declared(read("dist/types", /^(src(?!\/client\/session)|hosts\/moddable)\/.*\.d\.ts$/));
  const mapped = read("hosts/moddable", /^modules\.d\.ts$/).replace(/^ *export const .*/gm, "");
  const scripts = read("hosts", /\.mjs$/);
  const sdk = read("node_modules/@moddable/typings", /^(timer|Resource)\.d\.ts$/);
  const noble = read("node_modules/@noble", /\.js$/);
  const sources = read("build/src", /\.js$/) + read("build/hosts/moddable", /\.js$/);
  const quoted = (types + sources + noble + read("hosts", /\.[ch]$/)).match(strings);
  const known = words(noble);
  const portable = [...words(read("build/hosts/portable", /\.js$/))].filter((name) => known.has(name));
  const found = new Set([
    ...called,
    ...namedIn(types + mapped),
    ...words([scripts, sdk, ...quoted].join(" ")),
    ...portable,
    ...builtIn(),
  ]);
  for (const name of coincidences) found.delete(name);
  return new Set([...found, ...namedIn(more)]);
}

const namedIn = (declarations) => [...members(declarations).matchAll(named)].map(([, name]) => name);

/** Types of what an application, the SDK or a provider gives and gets. */
const PUBLIC = new Set(
  (
    "SocketOptions SecureOptions OcspSettings WriteOptions TLSSocket Session SessionCache SignatureStore ByteBuffer " +
    "ClassicOptions ClassicSecureOptions SecureSocket CertificateManager Tcp TcpOptions Timers TlsError WolfsslError " +
    "Verdict ClientOptions CommonOptions PkiOptions OcspOptions OcspRequirement BufferSizes Provider Hash Aead Exchange " +
    "Verification PublicKey PrivateKeySpan Signer"
  ).split(" "),
);

/** The declarations of public types and of what they extend, without what is private in them. */
function declared(text) {
  const found = new Map();
  let name;
  for (const part of text.split(/^(?=\S)/m)) {
    if (!/^[})]/.test(part)) name = declaration.exec(part)?.[1];
    if (name) found.set(name, (found.get(name) ?? "") + part);
  }
  const seen = new Set();
  const see = (each) => {
    if (seen.has(each)) return;
    if (!found.has(each)) throw new Error(`no type is called ${each} any more`);
    seen.add(each);
    const [head] = found.get(each).split("{");
    for (const base of words(head)) if (/^\S.*interface /.test(found.get(base))) see(base);
  };
  PUBLIC.forEach(see);
  return [...seen]
    .map((each) => found.get(each))
    .join("")
    .replace(hidden, "");
}

const declaration = /^(?:export )?(?:default )?(?:declare )?(?:abstract )?(?:interface|type|class) (\w+)/;

const deviceNames = once(() =>
  words(["src", "hosts/moddable", "hosts/psa"].map((folder) => read(`build/${folder}`, /\.js$/)).join("\n")),
);

/** What a function returns, which is asked once. */
function once(make) {
  let made;
  return () => {
    made ??= make();
    return made;
  };
}

/** Names of what types say may be absent. */
function optional() {
  const types = read("dist/types/src", /\.d\.ts$/) + read("dist/types/hosts", /\.d\.ts$/);
  return [...types.matchAll(/(\w+)\?\s*[:(]/g)].map(([, name]) => name);
}

/** Names of what the language brings, and of its members. */
function builtIn() {
  const globals = runInNewContext("globalThis");
  const names = new Set(Object.getOwnPropertyNames(globals));
  const note = (object) => {
    if (object === null || !/^(object|function)$/.test(typeof object)) return;
    for (const name of Object.getOwnPropertyNames(object)) names.add(name);
    note(Object.getPrototypeOf(object));
  };
  for (const value of [...names].map((name) => globals[name])) [value, value?.prototype].forEach(note);
  return names;
}

const hidden = /\b(?:private|protected) (?:(?:readonly|get|set|static|abstract) )*(\w+)[^;]*;/g;
/** Declarations without the parameters of functions. */
function members(types) {
  const shorter = types.replace(/\([^()]*\)/g, "");
  return shorter === types ? types : members(shorter);
}

/** Members of ours that nobody asks for by such a text, a label or a message, nor noble or Node, which have the same names. */
const coincidences = (
  "aad algorithm anchor base bits capacity context copy derived established expected exporter finish finished forget integer " +
  "leaf oid onPath onSession peer pki remembered resumption salt scheme secret signer small sni table tick trustIndex"
).split(" ");

/** What a declaration names: a member, but no type. */
const named = /([\w$]+)\??\s*[:(<]/g;
const strings = /(["'`])\w+\1/g;

const words = (text) => new Set(text.match(/[\w$]+/g));

const texts = new Map();

/** All text of some files in a folder, without comments. */
function read(folder, which) {
  const key = `${folder} ${which}`;
  if (!texts.has(key)) texts.set(key, readAll(folder, which));
  return texts.get(key);
}

function readAll(folder, which) {
  const path = fileURLToPath(new URL(`${folder}/`, import.meta.url));
  const files = readdirSync(path, { recursive: true }).filter((file) => which.test(file));
  return files
    .map((file) => readFileSync(path + file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ""))
    .join("\n");
}
