// The modules of the Moddable SDK, in dist/moddable: hosts/moddable/manifest.json maps them.
import { basename, dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the core is, once compiled. */
export const source = fileURLToPath(new URL("build/src/", import.meta.url));
/** Modules that have of the core's sources what is in no other. */
const wholes = ["core", "texts"];

/** One module of the device. */
export function deviceModule(name, bundle) {
  const own = bundle(`hosts/moddable/${name}.js`, `moddable/${name}.js`);
  return {
    ...own,
    external: (id) => own.external(id) && !id.startsWith("@noble/"),
    plugins: [!wholes.includes(name) && fromCore, noble, lowerStaticFields, typings(name)],
  };
}

/** Takes the core's parts from the module `tlstaple/core`, so that flash holds them once. */
const fromCore = {
  name: "from-core",
  resolveId(id, from) {
    const core = from !== undefined && id.startsWith(".") && resolve(dirname(from), id).startsWith(source);
    return core ? { id: "tlstaple/core", external: true } : null;
  },
};

/** Finds noble's sources, which become part of the module. */
export const noble = {
  name: "noble",
  resolveId: (id) => (id.startsWith("@noble/") ? fileURLToPath(import.meta.resolve(id)) : null),
};

/** XS up to 13.3 can't run `static B = new P()` in a class P with fields: it becomes `P.B = new P()` behind it. */
export const lowerStaticFields = {
  name: "lower-static-fields",
  transform(code) {
    const edits = [];
    if (/^\s*static\b/m.test(code)) visit(this.parse(code), (node) => edits.push(...lowered(node, code)));
    edits.sort((a, b) => b.start - a.start);
    const replace = (text, { start, end, by }) => text.slice(0, start) + by + text.slice(end);
    return { code: edits.reduce(replace, code), map: null };
  },
};

function visit(node, enter) {
  if (node === null || typeof node !== "object") return;
  if (node.type === "ClassDeclaration") enter(node);
  for (const child of Object.values(node)) visit(child, enter);
}

/** Takes the static fields out of a class, and puts assignments behind it. */
function lowered({ id, body, end }, code) {
  const fields = body.body.filter((member) => member.type === "PropertyDefinition" && member.static);
  const assign = ({ key, value }) =>
    `\n${id.name}.${key.name} = ${value ? code.slice(value.start, value.end) : "undefined"};`;
  return [
    ...fields.map(({ start, end: stop }) => ({ start, end: stop, by: "" })),
    { start: end, end, by: fields.map(assign).join("") },
  ];
}

/** A module's types, beside it, where the SDK looks for them. */
function typings(name) {
  const from = `"${relative(dirname(`moddable/${name}`), `types/hosts/moddable/${name}.js`)}"`;
  const standard = name === "tls" ? `export { default } from ${from};\n` : "";
  return {
    name: "typings",
    generateBundle() {
      const text = `export * from ${from};\n${standard}`;
      this.emitFile({ type: "asset", fileName: `${basename(name)}.d.ts`, source: text });
    },
  };
}
