import test from "ava";
import { parseAst } from "rollup/parseAst";

/** The build step that writes fields into constructors. */

const { withoutFields } = await import(new URL("../../rollup.fields.js", import.meta.url).href);

const moved = (code: string): string => withoutFields(code, parseAst);
const words = (code: string) => code.replace(/\s/g, "");

test("fields begin in the constructor, those without a value together, and none that gets one there in any case", (t) => {
  t.is(
    words(moved("class C { a; b = f(1); c; d; constructor(x) { g(); this.d = this.e = x; } e; h() {} }")),
    words(
      "class C { constructor(x) { this.a = this.c = void 0; this.b = f(1); g(); this.d = this.e = x; } h() {} }",
    ),
  );
  t.is(
    words(moved("class C { a = 0; b = f(); c = true; d = -1; e = 0; g = true; }")),
    words(
      "class C { constructor() { this.a = this.e = 0; this.c = this.g = true; this.d = -1; this.b = f(); } }",
    ),
  );
  t.is(
    words(moved("const C = class { a = 1; };")),
    words("const C = class { constructor() { this.a = 1; } };"),
  );
  t.is(
    words(moved("class C { a; constructor(x) { if (x) this.a = x; } }")),
    words("class C { constructor(x) { this.a = void 0; if (x) this.a = x; } }"),
  );
});

test("in a class that extends another they begin once there is an object", (t) => {
  t.is(
    words(moved("class C {} class D extends C { a = 1; constructor(x) { g(x); super(x); h(); } }")),
    words("class C {} class D extends C { constructor(x) { g(x); super(x); this.a = 1; h(); } }"),
  );
  t.is(
    words(moved("class C {} class D extends C { a = 1; }")),
    words("class C {} class D extends C { constructor() { super(); this.a = 1; } }"),
  );
  for (const code of [
    "class C { constructor(x) {} } class D extends C { a = 1; }",
    "class F extends Error { name = 'F'; constructor(x) { super(x); } }",
    "class C {} class D extends C { a = 1; constructor(x) { if (x) super(x); } }",
  ])
    t.is(moved(code), code);
});

test("static fields and computed ones stay, and so does a class without fields", (t) => {
  for (const code of [
    "class C { static a = 1; [b] = 2; c() {} }",
    "class C { constructor() { this.a = 1; } }",
    "f(class { a = 1; });",
  ])
    t.is(moved(code), code);
});

test("what was made is the same", async (t) => {
  const code = `
    class C { a = 1; b; c = [this.a]; take = () => this.a; constructor(x) { this.b = x; } }
    class D extends C { d = this.b + 1; constructor(x) { super(x); this.e = this.d; } e; }
    export const made = new D(4);`;
  const load = (text: string) => import(`data:text/javascript,${encodeURIComponent(text)}`);
  const [{ made: before }, { made: after }] = [await load(code), await load(moved(code))];
  t.deepEqual({ ...after, take: after.take() }, { ...before, take: before.take() });
  t.true(Object.hasOwn(after, "b") && Object.hasOwn(after, "e"));
});
