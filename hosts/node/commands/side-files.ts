import { closeSync } from "node:fs";
import { Capture } from "../capture/pcapng.js";
import { openPrivate, writeAll } from "../common/private-file.js";
import { printable } from "../common/text.js";
import { type Output, UsageError } from "./usage.js";

/** The flags that name them. */
interface Names {
  readonly keylog?: string;
  readonly pcapng?: string;
}

/**
 * The files that a command writes beside its output: secrets and captures. A full disk does not disturb the
 * connections, but is told of, once for each file, and by the exit code.
 */
export class SideFiles {
  readonly capture: Capture | undefined;
  /** Whether something could not be written. */
  spoilt = false;
  private keylog: number | undefined;
  private readonly err: Output;

  /** @throws UsageError for what can't be opened */
  constructor({ keylog, pcapng }: Names, err: Output) {
    this.err = err;
    this.keylog = opened(keylog, (path) => openPrivate(path, "a"));
    const onError = (error: Error) => this.spoil("--pcapng", error);
    this.capture = opened(pcapng, (path) => new Capture(path, { onError }));
  }

  /** Whether secrets are wanted. */
  get logsSecrets(): boolean {
    return this.keylog !== undefined;
  }

  /** Takes a line of SSLKEYLOGFILE. */
  readonly secret = (line: Uint8Array): void => this.log((file) => writeAll(file, line));

  close(): void {
    this.capture?.close();
    this.log(closeSync);
    this.keylog = undefined;
  }

  private log(act: (file: number) => void): void {
    if (this.keylog === undefined) return;
    try {
      act(this.keylog);
    } catch (error) {
      this.keylog = undefined;
      this.spoil("--keylog", error as Error);
    }
  }

  private spoil(flag: string, error: Error): void {
    this.spoilt = true;
    this.err.write(`${flag}: ${printable(error.message)}\n`);
  }
}

function opened<T>(path: string | undefined, open: (path: string) => T): T | undefined {
  try {
    return path === undefined ? undefined : open(path);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
