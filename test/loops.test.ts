import test from "ava";
import { parseAst } from "rollup/parseAst";

/** The build step that puts a loop's variable ahead of the loop. */

const load = (name: string) => import(new URL(`../../rollup.${name}.js`, import.meta.url).href);
const { withUniqueNames } = await load("scope");
const { withoutLoopVariables } = await load("loops");

const step = (code: string): string => withoutLoopVariables(withUniqueNames(code, parseAst), parseAst);

// biome-ignore lint/suspicious/noExplicitAny: it is whatever the test has written
const run = (code: string): Promise<any> => import(`data:text/javascript,${encodeURIComponent(code)}`);

const count = (code: string, what: RegExp) => code.match(what)?.length ?? 0;

test("the variable is declared ahead, and the next loops of the block have the same", async (t) => {
  const out = step(`
    export const sum = (list) => {
      let n = 0;
      for (let i = 0, end = list.length; i < end; i++) n += list[i];
      for (let j = 1; j < 4; j++) { for (let i = 0; i < j; i++) n += 100; }
      for (let k = 0, m = 2, i = 5; k < m; k++) n += i;
      return n;
    };`);
  t.is(count(out, /for \(\s*let/g), 0);
  t.is(count(out, /\blet /g), 1 + 2 + 1 + 1, "of the third loop two are there");
  t.is((await run(out)).sum([1, 2, 3]), 6 + 600 + 10);
});

test("what a loop hides is what it was behind it", async (t) => {
  const out = step(`
    const i = 7;
    export const f = (n) => {
      for (let n = 0; n < 2; n++) {}
      for (let i = 0; i < 2; i++) {}
      return [n, i];
    };`);
  t.is(count(out, /for \(\s*let/g), 0);
  t.deepEqual((await run(out)).f(5), [5, 7]);
});

for (const [what, loop] of [
  ["its variable", "for (let i = 0; i < 3; i++) made.push(() => i);"],
  ["it from its beginning", "for (let i = 0, f = () => i; i < 3; i++) made.push(f);"],
])
  test(`where a closure keeps ${what}, a loop stays as it is`, async (t) => {
    const code = `export const f = () => { const made = []; ${loop} return made.map((each) => each()); };`;
    const out = step(code);
    t.is(count(out, /for \(let/g), 1);
    t.deepEqual((await run(out)).f(), (await run(code)).f());
  });

for (const [what, code] of [
  ["without braces around it", "if (n) for (let i = 0; i < 2; i++) n++;"],
  ["whose variable begins as nothing", "for (let i; n < 2; n++) i = n;"],
  ["whose second variable begins with the first", "for (let i = 1, j = i; j < 2; j++) n++;"],
  ["over members", "for (const i in { a: 1 }) n += i;"],
])
  test(`a loop ${what} stays as it is`, async (t) => {
    const whole = `export const f = (n) => { ${code} return n; };`;
    t.is(count(step(whole), /for \((let|const)/g), 1);
    t.is((await run(step(whole))).f(0), (await run(whole)).f(0));
  });
