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

/**
 * Chunks of the Node host, each with what it imports, if that is in none before it. A bundler leaves out those that an
 * application has no use for; they are few, as Node takes a millisecond for each file.
 */
const parts = {
  errors: ["build/src/wire/error.js"],
  core: ["build/hosts/node/ocsp/lookup.js", "build/hosts/node/socket/secure-socket.js"],
  client: ["build/hosts/node/socket/agent.js", "build/hosts/node/socket/http2.js"],
  server: ["build/hosts/node/ocsp/stapler.js", "build/hosts/node/server/server.js"],
};

/** The Node host and the command line, each command of which is loaded when it is called. */
const node = {
  ...common,
  input: {
    index: "build/hosts/node/index.js",
    responder: "build/hosts/node/responder/index.js",
    cli: "build/hosts/node/cli.js",
  },
  output: {
    dir: "dist/node",
    chunkFileNames: ({ isDynamicEntry }) => (isDynamicEntry ? "cli/[name].js" : "parts/[name].js"),
    manualChunks: parts,
    format: "es",
    banner: ({ name }) => (name === "cli" ? "#!/usr/bin/env node" : ""),
  },
};

export default [
  bundle("src/client/index.js", "client.js"),
  bundle("hosts/portable/index.js", "portable.js"),
  node,
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
