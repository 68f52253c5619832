import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A process of our own, which answers one message at a time. It ends with us, whatever happens. */
export class Helper<Question extends object> {
  private readonly child: ChildProcess;

  /** `module` is a file beside this one, or a path from here. */
  constructor(module: string, args: readonly string[] = [], flags: readonly string[] = []) {
    const file = fileURLToPath(new URL(module, import.meta.url));
    this.child = fork(file, args, { execArgv: ["--expose-gc", ...flags] });
  }

  /** The next message; rejects when it is an error, or when the process ends instead. */
  answer<Answer>(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const exited = (code: number | null) => reject(new Error(`a helper process exited with ${code}`));
      this.child.once("exit", exited);
      this.child.once("message", (message: Answer & { error?: string }) => {
        this.child.off("exit", exited);
        if (message.error) reject(new Error(message.error));
        else resolve(message);
      });
    });
  }

  ask<Answer>(question: Question): Promise<Answer> {
    const answer = this.answer<Answer>();
    this.child.send(question);
    return answer;
  }

  /** Every helper ends when the channel closes. */
  close(): void {
    this.child.disconnect();
  }
}
