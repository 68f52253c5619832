import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile, examples, socketTypings, standardProgram, tsc } from "../types/compile.js";
import { attempt, check, heading } from "./report.js";
import { type Builder, sdkTypings } from "./sdk.js";

/** Our types beside the SDK's, and applications in TypeScript, built as the SDK builds them. */
export async function testTypes(builder: Builder, folder: string): Promise<void> {
  heading("TypeScript, strict, with the SDK's typings");
  const files = [join(sdkTypings, "global.d.ts"), ...socketTypings(sdkTypings), standardProgram];
  const paths = {
    "tlstaple/tls": join(folder, "node_modules/tlstaple/dist/moddable/tls"),
    "embedded:io/*": `${sdkTypings}/embedded_io/*`,
    "embedded:*": `${sdkTypings}/embedded/*`,
    "embedded:provider/*": `${sdkTypings}/embedded_provider/*`,
  };
  const wrong = await compile(files, paths, true);
  check(wrong === "", "the socket beside the typings of ECMA-419's sockets", wrong || "it fits");
  for (const [i, code] of examples().entries()) {
    const app = makeApp(folder, `typescript-${i}`, code);
    await attempt(`example ${i + 1} of the documentation, for lin`, () => builder.lin(app));
    await attempt(`example ${i + 1} of the documentation, for esp32, up to mc.xs.c`, () =>
      builder.esp32(app),
    );
  }
}

function makeApp(folder: string, name: string, code: string): string {
  const app = join(folder, name);
  mkdirSync(app);
  symlinkSync(join(folder, "node_modules"), join(app, "node_modules"));
  writeFileSync(join(app, "main.ts"), code);
  const manifest = {
    include: [
      "$(MODDABLE)/examples/manifest_base.json",
      "$(MODDABLE)/examples/manifest_typings.json",
      "./node_modules/tlstaple/manifest.json",
    ],
    modules: { "*": "./main" },
    typescript: { compiler: tsc, tsconfig: { compilerOptions: { strict: true } } },
  };
  writeFileSync(join(app, "manifest.json"), JSON.stringify(manifest));
  return app;
}
