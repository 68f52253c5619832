import type { Socket } from "node:net";
import { coded } from "../common/errors.js";
import { printable } from "../common/text.js";

/** Bytes that a server may say before TLS begins. */
const MOST = 65_536;
/** Of what it says, what an error shows. */
const SHOWN = 100;

/** The server can't be brought to begin TLS, or may not be trusted to have begun it. */
export function starttlsError(problem: string, said?: Buffer): Error {
  const words = said && `: ${printable(said.toString("latin1", 0, SHOWN).trimEnd())}`;
  return coded(new Error(`STARTTLS: ${problem}${words ?? ""}`), "ERR_TLSTAPLE_STARTTLS");
}

/** What a client says and hears in clear. A server's part is bounded; who ends it, or leaves, is told of by a throw. */
export class Dialogue {
  private readonly stream: Socket;
  private heard = Buffer.alloc(0);
  private total = 0;
  private failure: Error | undefined;
  private wake: (() => void) | undefined;

  constructor(stream: Socket) {
    this.stream = stream;
    stream.on("data", this.onData);
    stream.on("error", this.onError);
    stream.on("end", this.onEnd);
    stream.on("close", this.onEnd);
  }

  /** Waits until there is a connection. */
  async connected(): Promise<void> {
    this.stream.once("connect", () => this.wake?.());
    while (this.stream.connecting) await this.more();
  }

  say(words: string | Uint8Array): void {
    this.stream.write(words);
  }

  /** The next line, without its end. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.heard.indexOf("\n");
      if (end >= 0)
        return this.take(end + 1)
          .toString("latin1")
          .replace(/\r?\n$/, "");
      await this.more();
    }
  }

  /** So many bytes. */
  async bytes(count: number): Promise<Buffer> {
    while (this.heard.length < count) await this.more();
    return this.take(count);
  }

  /**
   * Leaves the stream to TLS. What has come by now was said in clear by whoever is on the path, and must not pass for
   * what comes by TLS (CVE-2011-0411, CVE-2021-23222): it is refused, not dropped.
   */
  finish(): void {
    const { stream } = this;
    stream.pause();
    stream
      .off("data", this.onData)
      .off("error", this.onError)
      .off("end", this.onEnd)
      .off("close", this.onEnd);
    if (this.failure) throw this.failure;
    if (this.heard.length > 0) throw starttlsError("the server says more in clear than it may", this.heard);
  }

  private take(count: number): Buffer {
    const taken = this.heard.subarray(0, count);
    this.heard = this.heard.subarray(count);
    return taken;
  }

  private async more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    if (this.failure) throw this.failure;
  }

  private readonly onData = (chunk: Buffer): void => {
    this.total += chunk.length;
    this.heard = Buffer.concat([this.heard, chunk]);
    if (this.total > MOST) this.fail(starttlsError(`more than ${MOST} bytes in clear`));
    this.wake?.();
  };

  private readonly onError = (error: Error): void => this.fail(error);
  private readonly onEnd = (): void => this.fail(starttlsError("the server left"));

  private fail(error: Error): void {
    this.failure ??= error;
    this.wake?.();
  }
}
