/**
 * What the XS host (main.c) gives to programs, beside the language itself. Wrong arguments throw TypeError or
 * RangeError, what the system refuses throws Error.
 */

import type { PsaNative } from "../psa/native.js";

declare global {
  /** What is called when a socket is ready; errors and the stream's end count as readable. */
  interface SocketWatcher {
    ready(readable: boolean, writable: boolean): void;
  }

  interface Host {
    // ---- Output, clock, randomness, files

    /** Writes a line to standard output, which is flushed before each wait and at the end. */
    print(line: string): void;
    /** Writes a line to standard error. */
    printError(line: string): void;
    /** Writes bytes to standard output. */
    write(bytes: Uint8Array, start: number, end: number): void;
    /** Milliseconds of a clock that only goes forward. */
    ticks(): number;
    /** Whole seconds since 1970. */
    clock(): number;
    /** Fills `bytes[start…end)` with the system's randomness. */
    random(bytes: Uint8Array, start: number, end: number): void;
    /** The whole file. */
    readFile(path: string): ArrayBuffer;
    /** Ends the process, with an exit code of 0 to 255. */
    exit(code: number): never;

    // ---- Sockets, each one a number

    /** Begins to connect over TCP; `watcher` hears of both readiness until `watch` says otherwise. */
    connect(watcher: SocketWatcher, host: string, port: number): number;
    /** Which readiness is of interest. */
    watch(socket: number, readable: boolean, writable: boolean): void;
    /** How many bytes can be read now; -1 when none will come any more. Throws what befell the connection. */
    available(socket: number): number;
    /** Reads into `bytes[start…end)`: how many came; 0 at the stream's end, -1 when it would block. */
    read(socket: number, bytes: Uint8Array, start: number, end: number): number;
    /** Sends of `bytes[start…end)`: how many went; 0 when it would block. */
    send(socket: number, bytes: Uint8Array, start: number, end: number): number;
    /** Waits, and lets nothing else happen, until there is something to read. */
    wait(socket: number): void;
    /** Closes; what was sent still arrives. A second time it does nothing. */
    close(socket: number): void;

    // ---- Timers, each one a number

    /** Calls back after so many milliseconds; and then, unless `interval` is -1, again and again. */
    setTimer(callback: () => void, milliseconds: number, interval: number): number;
    /** Does nothing to a timer that is over. */
    clearTimer(timer: number): void;

    // ---- Measuring

    /** Collects garbage. */
    collect(): void;
    /** Notes the use of memory, for the file of `--stats`; the label has 31 characters at most. */
    mark(label: string): void;
    /** Takes the present use of memory for the peak. */
    resetPeaks(): void;
    /** Bytecodes and calls so far: the same number in each run of the same program. */
    computrons(): number;
  }

  interface StringConstructor {
    /** The text that UTF-8 is. */
    fromArrayBuffer(buffer: ArrayBuffer): string;
  }

  interface ArrayBufferConstructor {
    /** Text in UTF-8. */
    fromString(text: string): ArrayBuffer;
  }

  var host: Host;
  /** What stands behind the module on the command line. */
  var programArguments: string[];
  /** PSA Crypto; undefined in a host that was built without it. */
  var psa: PsaNative;
  /** With `--preload`: what a clone of the machine begins with. */
  var main: () => void;
}
