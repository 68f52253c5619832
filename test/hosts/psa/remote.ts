/**
 * The provider over PSA Crypto as it runs in the XS host, for tests that run in Node: each call goes there and
 * back, while Node waits.
 */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { rollup } from "rollup";
import { moreCurves, portable } from "../../../hosts/portable/index.js";
import type { PsaSigner } from "../../../hosts/psa/index.js";
import { hostFile } from "../../../hosts/xs/driver/machine.js";
import type { AeadAlgorithm, Exchange, Provider } from "../../../src/crypto/provider.js";
import { namedGroup, signatureScheme } from "../../../src/wire/registry.js";
import { HEADER, pack } from "../../xs/remote-protocol.js";
import { type Answer, type Argument, type Call, split } from "./protocol.js";
import type { WorkerData, WorkerMessage } from "./worker.js";

/** rv32.test.ts runs the tests over another host. */
const binary = hostFile(process.env.XS_TARGET === "rv32" ? "rv32" : "native");

/** What runs there. */
export interface PsaHost {
  readonly provider: Provider;
  exchangeOf(group: number, privateKey: Uint8Array): Exchange;
  signer(der: Uint8Array): PsaSigner;
  /** X448, where Mbed TLS has it by an API of its own alone. */
  readonly lacks: readonly number[];
  /** PSA has no RSA keys of more than 4096 bits, nor of a part of an octet. */
  takesRsa(bits: number): boolean;
  /** The value of an expression in XS, as text; the natives are the global `psa`. */
  evaluate(expression: string): string;
}

/** The XS host with PSA Crypto, or undefined where it was not built. */
export async function startPsa(): Promise<PsaHost | undefined> {
  if (!existsSync(binary)) return undefined;
  const directory = mkdtempSync(join(tmpdir(), "tlstaple-psa-"));
  process.once("exit", () => rmSync(directory, { recursive: true }));
  const program = join(directory, "server.js");
  writeFileSync(program, await bundle());
  const line = new Line(program);
  return line.failure.includes("without PSA Crypto") ? undefined : hostOver(line);
}

async function bundle(): Promise<string> {
  const input = fileURLToPath(new URL("server.js", import.meta.url));
  const { output } = await (await rollup({ input })).generate({ format: "es" });
  return output[0].code;
}

/** The connection to XS, which answers each call before the next. */
class Line {
  readonly failure: string = "";
  private readonly port;
  private readonly signal = new Int32Array(new SharedArrayBuffer(4));

  constructor(program: string) {
    const { port1, port2 } = new MessageChannel();
    const workerData: WorkerData = { binary, program, port: port2, signal: this.signal };
    const worker = new Worker(new URL("worker.js", import.meta.url), {
      workerData,
      transferList: [port2],
    });
    worker.unref();
    this.port = port1;
    try {
      this.wait();
    } catch (error) {
      this.failure = (error as Error).message;
    }
  }

  call(on: number, method: string, values: readonly unknown[]): unknown {
    const arrays: Uint8Array[] = [];
    const args = values.map((value) => encode(value, arrays));
    const lengths = arrays.map(({ length }) => length);
    const call: Call = { on, method, args, arrays: lengths };
    this.port.postMessage(pack(Buffer.from(JSON.stringify(call)), arrays));
    const frame = this.wait();
    const arraysAt = HEADER + frame.readUInt32BE(0);
    const answer: Answer = JSON.parse(frame.toString("utf8", HEADER, arraysAt));
    split(frame.subarray(arraysAt), lengths).forEach((bytes, i) => {
      arrays[i].set(bytes);
    });
    if (answer.error) throw toError(answer.error);
    return answer.object === undefined ? answer.value : this.stub(answer.object);
  }

  /** An object whose methods are those of an object there. */
  stub<T extends object>(on: number): T {
    const get = (_: object, method: string) =>
      method === "then" ? undefined : (...args: unknown[]) => this.call(on, method, args);
    return new Proxy({}, { get }) as T;
  }

  private wait(): Buffer {
    if (Atomics.wait(this.signal, 0, 0, 60_000) === "timed-out") throw new Error("the XS host is silent");
    Atomics.store(this.signal, 0, 0);
    const { frame, failure }: WorkerMessage = receiveMessageOnPort(this.port)!.message;
    if (frame === undefined) throw new Error(failure);
    return Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  }
}

function encode(value: unknown, arrays: Uint8Array[]): Argument {
  if (typeof value !== "object" || value === null) return value as Argument;
  if (value instanceof Uint8Array) {
    const known = arrays.indexOf(value);
    return { array: known >= 0 ? known : arrays.push(value) - 1 };
  }
  const entries = Object.entries(value).map(([name, field]) => [name, encode(field, arrays)]);
  return { fields: Object.fromEntries(entries) };
}

function toError({ name, message }: { name: string; message: string }): Error {
  const type = { RangeError, TypeError, SyntaxError }[name] ?? Error;
  return new type(message);
}

/** What PSA Crypto lacks. */
const edwards: readonly number[] = [signatureScheme.ed25519, signatureScheme.ed448];

type Root = Omit<Provider, "name" | "aeads" | "groups" | "schemes"> &
  Pick<PsaHost, "exchangeOf" | "evaluate"> & {
    name(): string;
    aeads(): AeadAlgorithm[];
    groups(): number[];
    schemes(): number[];
    signer(der: Uint8Array): Pick<PsaSigner, "begin" | "dispose"> & { schemes(): number[] };
  };

function hostOver(line: Line): PsaHost {
  const root = line.stub<Root>(0);
  const provider: Provider = Object.freeze<Provider>({
    name: root.name(),
    aeads: root.aeads(),
    groups: root.groups(),
    schemes: root.schemes(),
    random: root.random,
    hash: root.hash,
    hmac: root.hmac,
    aead: root.aead,
    exchange: root.exchange,
    verification: (scheme) =>
      edwards.includes(scheme) ? moreCurves(portable()).verification(scheme) : root.verification(scheme),
  });
  const signer = (der: Uint8Array) => {
    const { schemes, begin, dispose } = root.signer(der);
    return { schemes: schemes(), begin, dispose };
  };
  const takesRsa = (bits: number) => bits <= 4096 && bits % 8 === 0;
  const lacks = [namedGroup.x448].filter((group) => root.evaluate(`psa.supports(${group})`) !== "true");
  return { provider, lacks, exchangeOf: root.exchangeOf, signer, takesRsa, evaluate: root.evaluate };
}
