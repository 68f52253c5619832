// The modules of the Moddable SDK, in dist/moddable: hosts/moddable/manifest.json maps them.
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expectations } from "./rollup.expect.js";
import { literals } from "./rollup.literals.js";
import { quiet } from "./rollup.quiet.js";
import { rows } from "./rollup.rows.js";
import { small } from "./rollup.small.js";
import { states } from "./rollup.states.js";
import { edited, visit } from "./rollup.syntax.js";
import { texts } from "./rollup.texts.js";

/** Where the core is, once compiled. */
export const source = fileURLToPath(new URL("build/src/", import.meta.url));

/** Features of the client, each with the sources that are in its module alone. What is in none is in the core. */
const features = {
  tls12: ["client/client12", "handshake/handshake12", "crypto/keys12", "record/protection12"],
  statusV2: ["client/statusv2"],
  clientCertificates: ["client/clientcertificates", "handshake/identity"],
  resumption: [
    "client/resumption",
    "client/resuming",
    "client/sessioncodec",
    "crypto/psk13",
    "crypto/digest",
  ],
  verifiedSignatures: ["pki/remembered"],
  nameConstraints: ["pki/constraints"],
  rsa: ["pki/rsa"],
  crl: ["pki/crl", "pki/crls", "wire/crlwords"],
  p521: ["pki/p521"],
  texts: ["wire/alerts", "wire/texts", "wire/wolfssl"],
};
const entry = (name) => fileURLToPath(new URL(`build/hosts/moddable/${name}.js`, import.meta.url));
/** What only the socket's module calls, when it is loaded: in no other module's way, flash has nothing of it. */
const atLoad = ["client/features", "pki/tables", "wire/join", "handshake/extensiontable"];
/** What providers choose from: the one over PSA Crypto has its own lists, of what that can have. */
const inJavaScript = ["crypto/groups", "crypto/schemes"];
/** Of the host's sources what several of its modules need, and the socket's, which others build on. */
const shared = ["attempt", "bytes"];
const socket = ["tls", "socket", "options", "registered", "report"];
const moduleOf = new Map([
  ...Object.entries({ ...features, core: [], tls: atLoad, "provider-portable": inJavaScript }).flatMap(
    ([name, files]) => [[entry(name), name], ...files.map((file) => [`${source}${file}.js`, name])],
  ),
  ...shared.map((name) => [entry(name), "core"]),
  ...socket.map((name) => [entry(name), "tls"]),
]);

/** Modules that an application has only by choice. */
const extra = ["crl", "p521"];
/** Modules that an application may exclude, and something else takes their place. */
const optional = ["caIndex", "pem", ...Object.keys(features).filter((name) => !extra.includes(name))];
const whole = [
  "core",
  "tls",
  "config",
  "certificateManager",
  "securesocket",
  "provider-psa",
  "provider-late",
  "provider-portable",
  ...extra,
  ...optional,
];
const names = [...whole, ...optional.map((name) => `without/${name}`)];

/** All modules of the device, built together, so that flash holds what they share once: in the core. */
export function deviceModules(common) {
  return {
    ...common,
    input: Object.fromEntries(names.map((name) => [name, entry(name)])),
    output: [output("dist/moddable", [small("debug", extra)]), output("dist/moddable/debug", [])],
    preserveEntrySignatures: "allow-extension",
    external: (id) => common.external(id) && !id.startsWith("@noble/"),
    plugins: [noble, lowerStaticFields, quiet, states, literals, expectations, rows, texts],
  };
}

/** What ships, and its twin with all names, for whoever debugs. */
function output(dir, plugins) {
  return {
    dir,
    format: "es",
    manualChunks: (id) => moduleOf.get(id) ?? (id.startsWith(source) ? "core" : undefined),
    minifyInternalExports: plugins.length > 0,
    hoistTransitiveImports: false,
    plugins: [...plugins, specifiers, ...(plugins.length > 0 ? [typings] : [])],
  };
}

/** The names that the manifest has for modules which others import; modules have nothing else in common. */
const mapped = { "core.js": "tlstaple/core", "tls.js": "embedded:io/socket/tcp/tls" };

const specifiers = {
  name: "specifiers",
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle).filter(({ type }) => type === "chunk")) {
      const others = chunk.imports.filter((file) => file in bundle && !(file in mapped));
      if (others.length > 0) this.error(`${chunk.fileName} needs what is in ${others}, which has no name`);
      chunk.code = chunk.code.replace(
        /\bfrom\s*(["'])\.\/([\w-]+\.js)\1/g,
        (_, _quote, file) => `from "${mapped[file]}"`,
      );
    }
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
    if (/^\s*static\b/m.test(code))
      visit(this.parse(code), (node) => {
        if (node.type === "ClassDeclaration") edits.push(...lowered(node, code));
      });
    return { code: edited(code, edits), map: null };
  },
};

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

/** Each module's types, beside it, where the SDK looks for them. */
const typings = {
  name: "typings",
  generateBundle() {
    for (const name of names) {
      const from = `"${relative(dirname(`moddable/${name}`), `types/hosts/moddable/${name}.js`)}"`;
      const standard = /^(tls|crl|p521|certificateManager|securesocket)$/.test(name)
        ? `export { default } from ${from};\n`
        : "";
      const text = `export * from ${from};\n${standard}`;
      this.emitFile({ type: "asset", fileName: `${name}.d.ts`, source: text });
    }
  },
};
