// Programs for the XS host, in build/xs: each one file, and another with noble if it is in it.
import { lowerStaticFields, noble } from "./rollup.device.js";
import { expectations } from "./rollup.expect.js";
import { literals } from "./rollup.literals.js";
import { quiet } from "./rollup.quiet.js";
import { rows } from "./rollup.rows.js";
import { NOBLE, small } from "./rollup.small.js";
import { states } from "./rollup.states.js";
import { texts } from "./rollup.texts.js";

/**
 * A program, from what tsc made of it, and made as a device's modules are: so the suites run what ships. A client that
 * people start themselves tells of messages and secrets, which those do not.
 */
export function xsProgram(input, bundle) {
  const name = input.split("/").pop().replace(".js", "");
  return {
    ...bundle(input),
    output: {
      dir: "build/xs",
      entryFileNames: `${name}.js`,
      chunkFileNames: `${name}-[name].js`,
      format: "es",
      manualChunks: (id) => (id.includes("/@noble/") ? NOBLE : undefined),
    },
    external: [],
    plugins: [
      noble,
      lowerStaticFields,
      ...(name.startsWith("client-") ? [] : [quiet]),
      states,
      literals,
      expectations,
      rows,
      texts,
      small(),
    ],
  };
}
