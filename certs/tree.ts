import { existsSync, readFileSync } from "node:fs";
import { type Key, type KeyType, newKey, readKey } from "./keys.js";

/** The files that a run of the generator yields, by path relative to certs/. Keys that are there are kept. */
export class Tree {
  readonly files = new Map<string, Buffer>();
  readonly #kept: string;
  readonly #keys = new Map<string, Key>();

  /** @param kept Directory of an earlier run. */
  constructor(kept: string) {
    this.#kept = kept;
  }

  write(path: string, content: string | Uint8Array): void {
    if (this.files.has(path)) throw new Error(`${path} is written twice`);
    this.files.set(path, Buffer.from(content as Uint8Array));
  }

  /** The key of this file: the one of the earlier run, else a new one. */
  key(path: string, type: KeyType): Key {
    const old = `${this.#kept}/${path}`;
    const key = this.#keys.get(path) ?? (existsSync(old) ? readKey(readFileSync(old, "utf8")) : newKey(type));
    this.#keys.set(path, key);
    this.files.set(path, Buffer.from(key.pem));
    return key;
  }
}
