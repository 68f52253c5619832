/** What XS lacks and tests, or packages they use, take for granted. It is the first module of each test's bundle. */

import { Buffer } from "./buffer.js";

/** A URL of a file, with its `.` and `..` resolved. */
class FileUrl {
  readonly href: string;

  constructor(path: string, base: string | { href: string } = "file:///") {
    const { href } = typeof base === "string" ? { href: base } : base;
    const from = path.includes("://") ? path : href.slice(0, href.lastIndexOf("/") + 1) + path;
    const parts: string[] = [];
    for (const part of from.slice("file://".length).split("/"))
      if (part === "..") parts.pop();
      else if (part !== ".") parts.push(part);
    this.href = `file://${parts.join("/")}`;
  }

  toString(): string {
    return this.href;
  }
}

class Utf8Encoder {
  encode(text: string): Uint8Array {
    return new Uint8Array(Buffer.from(text));
  }
}

class Utf8Decoder {
  decode(bytes: Uint8Array): string {
    return Buffer.from(bytes).toString();
  }
}

function getRandomValues(bytes: Uint8Array): Uint8Array {
  host.random(bytes, 0, bytes.length);
  return bytes;
}

const say = (...words: unknown[]) => host.printError(words.map(String).join(" "));

Object.assign(globalThis, {
  Buffer,
  URL: FileUrl,
  TextEncoder: Utf8Encoder,
  TextDecoder: Utf8Decoder,
  crypto: { getRandomValues },
  console: { log: say, error: say, warn: say },
  setTimeout: (callback: () => void, milliseconds = 0) => host.setTimer(callback, milliseconds, -1),
  clearTimeout: (timer: number | undefined) => timer !== undefined && host.clearTimer(timer),
});
