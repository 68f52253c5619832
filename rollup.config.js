// tsc writes build/; here it becomes what the package ships: dist/.
import { builtinModules } from "node:module";
import { deviceModules, source } from "./rollup.device.js";
import { xsProgram } from "./rollup.xs.js";

const builtin = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));
const isPackage = (id) => !id.startsWith(".") && !id.startsWith("/");

const common = {
  external: (id) => builtin.has(id) || isPackage(id),
  // Modules of src do nothing but define: what is behind an index file and unused is left out
  treeshake: { moduleSideEffects: (id) => !id.startsWith(source) },
  onwarn(warning) {
    throw new Error(warning.message);
  },
};

/** One bundle: everything of ours inlined, packages and Node's own modules left outside. */
function bundle(input, file) {
  return { ...common, input: `build/${input}`, output: { file: `dist/${file}`, format: "es" } };
}

/** The command line: each command is loaded when it is called. */
const command = {
  ...common,
  input: { cli: "build/hosts/node/cli.js" },
  output: {
    dir: "dist/node",
    chunkFileNames: "cli/[name].js",
    format: "es",
    banner: ({ isEntry }) => (isEntry ? "#!/usr/bin/env node" : ""),
  },
};

export default [
  bundle("src/client/index.js", "client.js"),
  bundle("hosts/portable/index.js", "portable.js"),
  bundle("hosts/node/index.js", "node/index.js"),
  bundle("hosts/node/responder/index.js", "node/responder.js"),
  command,
  deviceModules(common),
  ...[
    "hosts/xs/client-psa.js",
    "hosts/xs/client-portable.js",
    "test/xs/handshakes.js",
    "test/device/program.js",
    "test/device/socket-program.js",
    "test/device/series-program.js",
  ].map((input) => xsProgram(input, bundle)),
];
