// Programs for the XS host, in build/xs: each one file.
import { lowerStaticFields, noble, smaller } from "./rollup.device.js";
import { literals } from "./rollup.literals.js";

/** A program, from what tsc made of it, and made as a device's modules are: so the suites run what ships. */
export function xsProgram(input, bundle) {
  const own = bundle(input);
  return {
    ...own,
    output: { file: `build/xs/${input.split("/").pop()}`, format: "es" },
    external: [],
    plugins: [noble, lowerStaticFields, literals, ...smaller],
  };
}
