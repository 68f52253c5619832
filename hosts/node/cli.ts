import { main } from "./commands/main.js";
import { run } from "./commands/program.js";

await main(run);
