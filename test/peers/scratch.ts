import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A temporary directory for the files that a server is started with. */
export class Scratch {
  readonly directory = mkdtempSync(join(tmpdir(), "tlstaple-"));

  private files = 0;

  /** A file of a name of its own. */
  add(content: string | Uint8Array): string {
    return this.write(`${this.files++}`, content);
  }

  write(name: string, content: string | Uint8Array): string {
    const file = join(this.directory, name);
    writeFileSync(file, content);
    return file;
  }

  readonly remove = (): void => rmSync(this.directory, { recursive: true, force: true });
}
