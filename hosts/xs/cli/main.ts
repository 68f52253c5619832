import { run } from "./program.js";

const { argv, stderr, stdout } = process;
process.exitCode = await run(argv.slice(2), stdout, stderr);
