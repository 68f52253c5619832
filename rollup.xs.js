// Programs for the XS host, in build/xs: each one file.
import { lowerStaticFields, noble } from "./rollup.device.js";

/** A program, from what tsc made of it. */
export function xsProgram(input, bundle) {
  const own = bundle(input);
  return {
    ...own,
    output: { file: `build/xs/${input.split("/").pop()}`, format: "es" },
    external: [],
    plugins: [noble, lowerStaticFields],
  };
}
