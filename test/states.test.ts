import { readFileSync } from "node:fs";
import test from "ava";
import { parseAst } from "rollup/parseAst";

/** The build steps that take from a device what nobody there sees: the names of states, and what a debugger is told. */

const load = (name: string) => import(new URL(`../../rollup.${name}.js`, import.meta.url).href);
const { numbered } = await load("states");
const { silent } = await load("quiet");
const read = (file: string) => readFileSync(new URL(`../../dist/moddable/${file}`, import.meta.url), "utf8");

test("a state's name is a number wherever it is a value", (t) => {
  const numbers = new Map([
    ["SEND_A", 1],
    ["B", 2],
  ]);
  const code = 'import "B"; const o = { B: "B", "SEND_A": s === "SEND_A" ? "B" : "C" }; f(o.B, "SEND_A!");';
  const expected = 'import "B"; const o = { B: 2, "SEND_A": s === 1 ? 2 : "C" }; f(o.B, "SEND_A!");';
  t.is(numbered(code, numbers, parseAst), expected);
});

test("methods that tell are gone, with what calls them and what only they say", (t) => {
  const code = `class C { log(a) { g(a); } run() { this.log(x); if (y) s.trace(1); return s.log; } }
    const side = { label: "a", handshakeLog: "b", applicationLog: "c" };`;
  const silenced = silent(code, parseAst);
  t.notRegex(silenced, /log\(|trace\(|handshakeLog|applicationLog/);
  t.regex(silenced, /run\(\) \{ ; if \(y\) ; return s\.log; \}/);
  t.regex(silenced, /\{ label: "a",\s*\}/);
  t.notThrows(() => parseAst(silenced));
});

test("what ships names no state and no line of a key log", (t) => {
  for (const file of ["core.js", "tls12.js", "resumption.js", "statusV2.js", "clientCertificates.js"])
    t.notRegex(read(file), /"(WAIT|SEND|DERIVE|VERIFY)_|CONNECTED|TRAFFIC_SECRET|CLIENT_RANDOM/, file);
  const whole = read("../client.js");
  t.true(whole.includes('"WAIT_') && whole.includes("TRAFFIC_SECRET"), "the client for other hosts has both");
});
