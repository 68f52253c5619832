/** What our tests use of AVA, in XS. Each result is a line of JSON on standard output. */

import { readJob } from "./suite-job.js";

/** One test's result, or, as the last line, how many there were. */
export type Line = Result | { readonly done: number };

export interface Result {
  readonly title: string;
  readonly passed: boolean;
  /** Why it was not run. */
  readonly skipped?: string;
  readonly error?: string;
}

type Run = (t: Assertions, ...args: unknown[]) => unknown;

interface Declared {
  readonly title: string;
  readonly run: Run;
  readonly skipped: string | undefined;
  readonly failing: boolean;
}

const { skips } = readJob();
const declared: Declared[] = [];
const before: Run[] = [];
const after: Run[] = [];

interface Macro {
  exec?: Run;
  title?(given: string | undefined, ...args: unknown[]): string;
}

function declare(skipped: boolean, failing: boolean, parts: unknown[]): void {
  const given = typeof parts[0] === "string" ? parts[0] : undefined;
  const [macro, ...args] = (given === undefined ? parts : parts.slice(1)) as [Run & Macro, ...unknown[]];
  const run = macro.exec ?? macro;
  const title = macro.title?.(given, ...args) ?? given ?? "untitled";
  const skip = skips.find(({ titles }) => titles !== undefined && new RegExp(titles).test(title));
  const reason = skip?.reason ?? (skipped ? "in Node too" : undefined);
  declared.push({ title, run: (t) => run(t, ...args), skipped: reason, failing });
}

const test = Object.assign((...parts: unknown[]) => declare(false, false, parts), {
  skip: (...parts: unknown[]) => declare(true, false, parts),
  failing: (...parts: unknown[]) => declare(false, true, parts),
  macro: (macro: Macro) => macro,
  before: (...parts: unknown[]) => void before.push(parts.at(-1) as Run),
  after: Object.assign((...parts: unknown[]) => void after.push(parts.at(-1) as Run), {
    always: (...parts: unknown[]) => void after.push(parts.at(-1) as Run),
  }),
});

export default Object.assign(test, { serial: test });

/** Runs what was declared, one after the other. */
export async function runAll(): Promise<void> {
  const setUp = new Assertions();
  for (const run of before) await run(setUp);
  for (const each of declared) tell(each.skipped === undefined ? await attempt(each) : skip(each));
  for (const run of after) await run(setUp);
  await setUp.tearDown();
  tell({ done: declared.length });
}

function tell(line: Line): void {
  host.print(JSON.stringify(line));
}

function skip({ title, skipped }: Declared): Line {
  return { title, passed: true, skipped };
}

async function attempt({ title, run, failing }: Declared): Promise<Line> {
  const t = new Assertions();
  let error: string | undefined;
  try {
    await run(t);
    if (t.count === 0) throw new Error("no assertion was made");
  } catch (thrown) {
    error = describe(thrown);
  }
  await t.tearDown();
  return { title, passed: failing === (error !== undefined), error };
}

function describe(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.message}\n${thrown.stack}` : show(thrown);
}

interface Expectation {
  readonly message?: string | RegExp | ((message: string) => boolean);
  readonly instanceOf?: new (...args: never[]) => unknown;
  readonly name?: string;
  readonly code?: unknown;
  readonly is?: unknown;
  readonly any?: boolean;
}

/** The `t` of a test. A failed assertion throws. */
class Assertions {
  count = 0;
  readonly context: Record<string, unknown> = {};
  private readonly teardowns: (() => unknown)[] = [];

  is(actual: unknown, expected: unknown, message?: string): void {
    this.check(Object.is(actual, expected), message, () => `${show(actual)} is not ${show(expected)}`);
  }

  not(actual: unknown, expected: unknown, message?: string): void {
    this.check(!Object.is(actual, expected), message, () => `it is ${show(expected)}`);
  }

  deepEqual(actual: unknown, expected: unknown, message?: string): void {
    this.check(same(actual, expected), message, () => `${show(actual)} does not equal ${show(expected)}`);
  }

  notDeepEqual(actual: unknown, expected: unknown, message?: string): void {
    this.check(!same(actual, expected), message, () => `it equals ${show(expected)}`);
  }

  like(actual: unknown, selector: object, message?: string): void {
    this.check(alike(actual, selector), message, () => `${show(actual)} is not like ${show(selector)}`);
  }

  true(actual: unknown, message?: string): void {
    this.is(actual, true, message);
  }

  false(actual: unknown, message?: string): void {
    this.is(actual, false, message);
  }

  truthy(actual: unknown, message?: string): void {
    this.check(!!actual, message, () => `${show(actual)} is falsy`);
  }

  falsy(actual: unknown, message?: string): void {
    this.check(!actual, message, () => `${show(actual)} is truthy`);
  }

  assert(actual: unknown, message?: string): void {
    this.truthy(actual, message);
  }

  regex(text: string, pattern: RegExp, message?: string): void {
    this.check(pattern.test(text), message, () => `${show(text)} does not match ${pattern}`);
  }

  notRegex(text: string, pattern: RegExp, message?: string): void {
    this.check(!pattern.test(text), message, () => `${show(text)} matches ${pattern}`);
  }

  throws(run: () => unknown, expectation?: Expectation | null, message?: string): unknown {
    const thrown = caught(run);
    this.check(thrown !== undefined, message, () => "nothing was thrown");
    this.expect(thrown!.value, expectation ?? {}, message);
    return thrown!.value;
  }

  async throwsAsync(
    run: Promise<unknown> | (() => Promise<unknown>),
    expectation?: Expectation | null,
    message?: string,
  ): Promise<unknown> {
    try {
      await (typeof run === "function" ? run() : run);
    } catch (thrown) {
      this.expect(thrown, expectation ?? {}, message);
      return thrown;
    }
    return this.fail(message ?? "nothing was thrown");
  }

  notThrows(run: () => unknown, message?: string): void {
    const thrown = caught(run);
    this.check(thrown === undefined, message, () => `thrown: ${describe(thrown!.value)}`);
  }

  async notThrowsAsync(run: Promise<unknown> | (() => Promise<unknown>)): Promise<void> {
    await (typeof run === "function" ? run() : run);
    this.pass();
  }

  pass(): void {
    this.count++;
  }

  fail(message = "failed"): never {
    throw new Error(message);
  }

  log(): void {}

  plan(): void {}

  timeout(): void {}

  teardown(run: () => unknown): void {
    this.teardowns.unshift(run);
  }

  async tearDown(): Promise<void> {
    for (const run of this.teardowns) await run();
  }

  private check(holds: boolean, message: string | undefined, why: () => string): void {
    this.count++;
    if (!holds) throw new Error(message === undefined ? why() : `${message}: ${why()}`);
  }

  private expect(thrown: unknown, expectation: Expectation, message?: string): void {
    this.check(meets(thrown, expectation), message, () => `thrown: ${describe(thrown)}`);
  }
}

function caught(run: () => unknown): { value: unknown } | undefined {
  try {
    run();
    return undefined;
  } catch (value) {
    return { value };
  }
}

function meets(thrown: unknown, expectation: Expectation): boolean {
  const { any, instanceOf, name, code } = expectation;
  if (!any && !(thrown instanceof Error)) return false;
  const error = thrown as Error & { code?: unknown };
  return (
    (!("is" in expectation) || Object.is(thrown, expectation.is)) &&
    (instanceOf === undefined || error instanceof instanceOf) &&
    (name === undefined || error.name === name) &&
    (code === undefined || error.code === code) &&
    says(error?.message, expectation.message)
  );
}

function says(text: string, message: Expectation["message"]): boolean {
  if (message === undefined) return true;
  if (typeof message === "string") return text === message;
  return typeof message === "function" ? message(text) : message.test(text);
}

// ---- Equality

/** Deep equality: of the same class, with the same own properties and contents. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Uint8Array) return sameBytes(a, b as Uint8Array);
  if (a instanceof Date) return a.getTime() === (b as Date).getTime();
  if (a instanceof Map || a instanceof Set) return same([...a], [...(b as Set<unknown>)]);
  return sameProperties(a, b);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function sameProperties(a: object, b: object): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  if (a instanceof Error && a.message !== (b as Error).message) return false;
  return keys.every((key) => key in b && same(a[key as keyof object], b[key as keyof object]));
}

/** Whether what `selector` has is the same in `actual`. */
function alike(actual: unknown, selector: unknown): boolean {
  const plain = typeof selector === "object" && selector !== null && !(selector instanceof Uint8Array);
  if (!plain || typeof actual !== "object" || actual === null) return same(actual, selector);
  return Object.keys(selector).every((key) =>
    alike(actual[key as keyof object], selector[key as keyof object]),
  );
}

function show(value: unknown): string {
  try {
    const text = value instanceof Uint8Array ? `bytes ${value.join(" ")}` : JSON.stringify(value);
    return (text ?? String(value)).slice(0, 2000);
  } catch {
    return String(value);
  }
}
