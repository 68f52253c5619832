// Names that the engine has anyway for what our modules export to each other, as any other takes flash.
import { known } from "./rollup.names.js";
import { edited } from "./rollup.syntax.js";

/** Modules that an application imports itself, or has one of its own in the place of. */
export const isShown = (name) => /^(config|crl|p521|certificateManager|securesocket|provider-.*)$/.test(name);

/** What imports say of ours, before or after each other's files have names of modules. */
const isOurs = (from) => /^\.\/\w+\.js$|^tlstaple\/(?!config$|provider$|psa$)/.test(from);

/** The code of each module, `{ code, name }`. */
export function withShortExports(modules, parse) {
  const trees = modules.map(({ code }) => parse(code));
  const exported = trees.map((ast, i) => (isShown(modules[i].name) ? [] : exportsOf(ast)));
  const names = new Set(exported.flat().map((node) => node.exported.name));
  const short = new Map([...names].sort().map((name, i) => [name, known[i]]));
  return modules.map(({ code }, i) => {
    const nodes = [...exported[i], ...importsOf(trees[i])];
    return edited(
      code,
      nodes.flatMap((node) => shorter(node, short)),
    );
  });
}

const exportsOf = (ast) =>
  ast.body
    .flatMap((node) => (node.type === "ExportNamedDeclaration" ? node.specifiers : []))
    .filter(({ exported }) => exported.name !== "default");

const importsOf = (ast) =>
  ast.body
    .flatMap((node) =>
      node.type === "ImportDeclaration" && isOurs(node.source.value) ? node.specifiers : [],
    )
    .filter(({ type }) => type === "ImportSpecifier");

function shorter({ imported, exported, local, start, end }, names) {
  const name = names.get((imported ?? exported).name);
  if (name === undefined) return [];
  return [{ start, end, by: imported ? `${name} as ${local.name}` : `${local.name} as ${name}` }];
}
