import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { type MachineOptions, type Ran, runJob } from "../../hosts/xs/driver/machine.js";
import { obstacle } from "./machine.js";

// The host itself: how programs end in it, what it protects, and that what it measures can be repeated.

const xs = obstacle ? test.skip : test;
const folder = mkdtempSync(join(tmpdir(), "tlstaple-host-"));
let programs = 0;

interface Ended extends Ran {
  readonly output: string;
}

/** Runs a module in 64 KB. Its top level is flash, `main` runs in RAM. */
async function run(source: string, options: MachineOptions = {}): Promise<Ended> {
  const file = join(folder, `program${programs++}.js`);
  writeFileSync(file, source);
  let output = "";
  const ran = await runJob(file, {}, { arena: 65536, patience: 20_000, ...options }, (bytes) => {
    output += bytes;
  });
  return { ...ran, output };
}

const main = (body: string) => `const table = ["a"]; globalThis.main = function main() { ${body} };`;

xs("a program that ends by itself: 0; one that says so: its own code", async (t) => {
  const ended = await run(main(`host.print("done")`));
  t.is(ended.code, 0, ended.errors);
  t.is(ended.output, "done\n");
  t.is((await run(main("host.exit(2)"))).code, 2);
});

xs("out of memory, by slots or by chunks: 70", async (t) => {
  for (const body of ["const all = []; for (;;) all.push({});", "new Uint8Array(100000);"]) {
    const { code, errors, stats } = await run(main(body));
    t.is(code, 70);
    t.regex(errors, /out of memory/);
    t.true(stats!.slotPeak + stats!.chunkPeak < 65536, "and it never took more than there is");
  }
});

xs("the program that runs out of memory passes in a larger arena", async (t) => {
  t.is((await run(main("new Uint8Array(100000);"), { arena: 131072 })).code, 0);
});

xs("stack overflow: 71", async (t) => {
  t.is((await run(main("(function deep() { deep(); deep(); })();"))).code, 71);
});

xs("an exception that nobody caught: 72, in main, a timer, a promise or a module", async (t) => {
  const thrown = `throw new RangeError("mine")`;
  const sources = [
    main(thrown),
    main(`host.setTimer(() => { ${thrown}; }, 1, -1);`),
    main(`Promise.reject(new RangeError("mine"));`),
    thrown,
  ];
  for (const source of sources) {
    const { code, errors } = await run(source);
    t.is(code, 72, source);
    t.regex(errors, /mine/, source);
  }
});

xs("what is preloaded cannot be changed", async (t) => {
  const refused = (change: string) => `try { ${change}; } catch (error) { host.print(error.name); }`;
  const changes = ["table.push(1)", "table[0] = 1", "Object.prototype.x = 1", "Array.prototype.push = null"];
  const { code, output } = await run(main(changes.map(refused).join(" ")));
  t.is(code, 0);
  t.deepEqual(output.trim().split("\n"), Array(changes.length).fill("TypeError"));
});

xs("bytes in flash are write-protected: 73, or a TypeError", async (t) => {
  const { code, output } = await run(
    `const bytes = new Uint8Array(64); globalThis.main = () => { try { bytes[3] = 1; host.print(String(bytes[3])); } catch (e) { host.print(e.name); } };`,
  );
  t.true(code === 73 || output === "TypeError\n", `${code} ${output}`);
});

xs("computrons and memory are the same in every run", async (t) => {
  const body = `let s = 0; for (let i = 0; i < 1000; i++) s += [i, {}].length; host.mark("end"); host.print(String(s));`;
  const runs = await Promise.all([1, 2, 3].map(() => run(main(body))));
  t.is(runs[0].output, "2000\n");
  t.true(runs[0].stats!.computrons > 1000);
  for (const { stats } of runs) t.deepEqual(stats, runs[0].stats);
});

xs("a random span is filled, and nothing beside it", async (t) => {
  const body = `
    const bytes = new Uint8Array(96);
    host.random(bytes, 16, 80);
    const zeros = (from, to) => bytes.subarray(from, to).every((byte) => byte === 0);
    host.print([zeros(0, 16), zeros(16, 80), zeros(80, 96)].join());`;
  t.is((await run(main(body))).output, "true,false,true\n");
});

xs("natives refuse spans that are not there", async (t) => {
  const spans = ["-1, 4", "0, 9", "5, 4", "NaN, 4", "0, 1e20", "0.5, 4", "'x', 4", "0"];
  const tries = spans.map(
    (span) => `try { host.random(bytes, ${span}); host.print("taken"); } catch (e) { host.print(e.name); }`,
  );
  const { output, code } = await run(main(`const bytes = new Uint8Array(8); ${tries.join(" ")}`));
  t.is(code, 0);
  for (const line of output.trim().split("\n")) t.regex(line, /^(Range|Type)Error$/);
  t.is(output.trim().split("\n").length, spans.length);
});
