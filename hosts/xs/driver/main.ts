import { main } from "../../node/commands/main.js";
import { run } from "./program.js";

await main(run);
