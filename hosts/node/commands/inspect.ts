import { Command } from "commander";
export function inspectCommand(finish: (code: number) => void): Command {
  return new Command("inspect").action(() => finish(2));
}
