// What makes a program's modules smaller, all of them together, as they share helpers and names.
import { basename, dirname, relative } from "node:path";
import { minify } from "terser";
import { arrows } from "./rollup.arrows.js";
import { brief } from "./rollup.brief.js";
import { isShown, withShortExports } from "./rollup.exports.js";
import { withoutFields } from "./rollup.fields.js";
import { helpers } from "./rollup.helpers.js";
import { inlined } from "./rollup.inline.js";
import { isLine, mapped, withLines } from "./rollup.lines.js";
import { withoutLoopVariables } from "./rollup.loops.js";
import { choose, isOurs as isKnownToUs, renamed } from "./rollup.members.js";
import { engineNames } from "./rollup.names.js";
import { patterns } from "./rollup.patterns.js";
import { withUniqueNames } from "./rollup.scope.js";
import { withFewerVariables } from "./rollup.slots.js";

/**
 * With the folder that has the modules with all their names, each gets a source map into it; without, they are a program's.
 * `extra` names the modules that an application may choose, for which the others change nothing.
 */
export const small = (debug, extra = []) => ({
  name: "small",
  async generateBundle(_, bundle) {
    const parse = (code) => this.parse(code);
    const isProgram = debug === undefined;
    const isOurs = (name) => isKnownToUs(name, isProgram);
    const step = (plugin, code) => plugin.renderChunk.call(this, code).code;
    const chunks = Object.values(bundle).filter(({ name }) => name !== NOBLE);
    const rank = ({ name }) => (name === "core" ? 0 : extra.includes(name) ? 2 : 1);
    chunks.sort((a, b) => rank(a) - rank(b));
    const isLight = (chunk) => chunk.moduleIds.some((id) => id.includes("/@noble/"));
    const plain = chunks.map((chunk) => ({
      code: step(arrows, step(patterns, withLines(chunk.code, parse))),
      light: isLight(chunk),
      chosen: extra.includes(chunk.name),
    }));
    for (const [i, code] of brief(plain, isOurs, parse).entries()) plain[i].code = code;
    const moved = inlined(plain, isOurs, parse).map((code, i) =>
      plain[i].light ? code : withoutFields(code, parse),
    );
    const short = await Promise.all(moved.map(compressed));
    for (const [i, chunk] of chunks.entries()) {
      const code = step(arrows, short[i]);
      chunk.code = plain[i].light ? code : sharing(code, parse);
    }
    const publicNames = ({ facadeModuleId }) => this.getModuleInfo(facadeModuleId).exports;
    const asModule = (chunk) => ({
      code: chunk.code,
      core: "./core.js",
      exported: new Set(chunk.name === "core" ? publicNames(chunk) : chunk.exports),
      inner: !/^(core|tls)$/.test(chunk.name) && !isShown(chunk.name),
      prefix: extra.includes(chunk.name) ? `${chunk.name}_` : "",
      light: isLight(chunk),
    });
    const codes = helpers(chunks.map(asModule), parse);
    const names = choose(
      codes.map((code, i) => ({ ...plain[i], code })),
      parse,
      isProgram,
    );
    const made = await Promise.all(codes.map((code) => mangled(renamed(code, names, parse))));
    const final = withShortExports(
      made.map((code, i) => ({ code, name: chunks[i].name })),
      parse,
    );
    for (const [i, chunk] of chunks.entries()) {
      const { fileName } = chunk;
      const whole = debug && `${relative(dirname(fileName), debug)}/${fileName}`;
      const { code, map } = mapped(final[i], fileName, whole);
      chunk.code = whole ? `${code}\n//# sourceMappingURL=${basename(fileName)}.map\n` : code;
      if (whole) this.emitFile({ type: "asset", fileName: `${fileName}.map`, source: map });
    }
  },
});

/** A chunk that has nothing but noble in it stays as it is. */
export const NOBLE = "noble";

/** A statement a line, as engines tell lines alone, and each knows its own. */
const format = { beautify: true, indent_level: 1, comments: isLine };
const common = { module: true, ecma: 2020, keep_classnames: /Error$|Socket$/, format };

/**
 * Shorter expressions. Nothing is inlined, as a function that moves into another is made each time that one runs, and what
 * is declared at the top stays there, where helpers are told by it (rollup.helpers.js); and XS takes less for `true`, `if`
 * and statements than for `!0`, `?:` and commas.
 */
async function compressed(source) {
  const dearer = { booleans: false, conditionals: false, sequences: false, join_vars: false };
  const compress = { ecma: 2020, inline: 0, reduce_funcs: false, pure_getters: true, passes: 2, ...dearer };
  const step = async (code, more) =>
    (await minify(code, { ...common, compress: { ...compress, ...more }, mangle: false })).code;
  const used = await step(source, { reduce_vars: false });
  return step(used, { module: false, toplevel: false });
}

/** With the fewest variables, which have names of their own from here on. */
function sharing(code, parse) {
  return withFewerVariables(withoutLoopVariables(withUniqueNames(code, parse), parse), parse);
}

/** Names for variables that the engine has; errors and sockets keep their own. */
async function mangled(source) {
  return (await minify(source, { ...common, compress: false, mangle: { nth_identifier: engineNames } })).code;
}
