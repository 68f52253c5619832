import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { compile, examples, npmTypings, socketTypings, standardProgram } from "../../types/compile.js";

/** The types that an application gets with the modules, as the SDK finds them beside them. */

const tls = fileURLToPath(new URL("../../../../dist/moddable/tls", import.meta.url));
const typings = (name: string) => join(npmTypings, name);
const global = typings("xs.d.ts");
const paths = {
  "embedded:io/socket/tcp": typings("embedded_io/socket/tcp"),
  "embedded:io/_common": typings("embedded_io/_common"),
  "embedded:io/socket/tcp/tls": tls,
};

/** Compiles a text as an application's main.ts. */
async function compiled(t: ExecutionContext, code: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-main-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const main = join(folder, "main.ts");
  writeFileSync(main, code);
  return compile([global, main], paths, true);
}

test("the socket does what the typings of ECMA-419's sockets let an application do", async (t) => {
  const files = [global, typings("embedded_io/_common.d.ts"), ...socketTypings(npmTypings), standardProgram];
  t.is(await compile(files, { "tlstaple/tls": tls }, true), "");
});

test("our types need none but the language's", async (t) => {
  t.is(await compile([`${tls}.d.ts`], {}), "");
});

test("TypeScript of the documentation compiles strictly", async (t) => {
  const found = examples();
  t.true(found.length > 0);
  for (const code of found) t.is(await compiled(t, code), "", code);
});

const mistakes = {
  "a misspelt option": 'new TLSSocket({ host: "a", port: 1, TCP: { io: TCP }, secure: { oscp: {} } });',
  "a policy that is none":
    'new TLSSocket({ host: "a", port: 1, TCP: { io: TCP }, secure: { ocsp: { policy: "strict" } } });',
  "no port": 'new TLSSocket({ host: "a", TCP: { io: TCP } });',
  "a format that is none": 'socket.format = "text";',
  "text to write": 'socket.write("text");',
  "what was read taken for granted": "socket.read().byteLength;",
};

test("what is wrong does not compile", async (t) => {
  const before = `import TCP from "embedded:io/socket/tcp";
    import TLSSocket from "embedded:io/socket/tcp/tls";
    declare const socket: TLSSocket;\n`;
  t.is(await compiled(t, `${before}socket.close();`), "");
  await Promise.all(
    Object.entries(mistakes).map(async ([what, code]) => {
      t.regex(await compiled(t, before + code), /main\.ts\(4,/, what);
    }),
  );
});
