import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import {
  changed,
  circles,
  code,
  filesWith,
  forbidden,
  functionsIn,
  functionsOf,
  imports,
  layerOf,
  layers,
  pastIndex,
  reachable,
  readTree,
  type Tree,
  twins,
  uses,
  wrongLayers,
} from "./house.js";

/** The plan of the house. Each rule holds for the tree as it is, and is seen to fail for one that breaks it. */

const src = readTree("src");
const all = readTree("src", "hosts", "certs");

const add = (line: string) => (text: string) => `${line}\n${text}`;

function holds(
  t: ExecutionContext,
  rule: (tree: Tree) => readonly unknown[],
  tree: Tree,
  broken: Tree,
): void {
  t.deepEqual(rule(tree), []);
  t.not(rule(broken).length, 0, "a broken tree must be found");
}

test("src has the layers of the plan and no other", (t) => {
  t.deepEqual([...new Set([...src.keys()].map(layerOf))].sort(), Object.keys(layers).sort());
});

for (const [layer, import_] of [
  ["wire", "../crypto/suites.js"],
  ["crypto", "../pki/der.js"],
  ["pki", "../record/engine.js"],
  ["record", "../pki/der.js"],
  ["handshake", "../client/session.js"],
  ["client", "../server/session.js"],
  ["server", "../client/session.js"],
])
  test(`${layer} imports only ${layers[layer].join(", ") || "itself"}`, (t) => {
    const own = [...src.keys()].find((file) => layerOf(file) === layer)!;
    holds(t, wrongLayers, src, changed(src, own, add(`import type { X } from "${import_}";`)));
  });

test("hosts and certs import of src only index files, and src none of those", (t) => {
  const past = add('import { Der } from "../../src/pki/der.js";');
  holds(t, pastIndex, all, changed(all, "hosts/node/provider.ts", past));
  const own = add('import { Der } from "./index.js";');
  t.not(pastIndex(changed(all, "src/pki/hostname.ts", own)).length, 0);
});

test("no files of src import each other in a circle, types included", (t) => {
  const back = add('import type { Engine } from "./engine.js";');
  holds(t, circles, src, changed(src, "src/record/inbox.ts", back));
});

test("the reader of imports sees what it must", (t) => {
  t.true(imports(all, "src/client/index.ts").includes("src/client/features.ts"));
  t.true(imports(all, "hosts/node/provider.ts").includes("node:crypto"));
});

test("client and server have no functions that are equal by more than half", (t) => {
  const client = functionsOf("client");
  const server = functionsOf("server");
  t.true(client.length > 100 && server.length > 100);
  t.deepEqual(twins(client, server), []);
  const lines = ["s.digest();", "schedule(s).finished(at);", "return n;"];
  const [a] = functionsIn("a.js", `function a(s) {\n${lines.join("\n")}\n}`);
  const [b] = functionsIn("b.js", `function b(s) {\n${lines.slice(1).join("\n")}\nreturn 2;\n}`);
  t.deepEqual(twins([a], [b]), ["a.js a, b.js b"]);
  t.deepEqual(twins([a], functionsIn("c.js", "function c(s) {\ns.digest();\nreturn 1;\n}")), []);
});

/** The modules of the Moddable SDK that a device carries; what they reach is device code. */
const entries = ["core", "tls", "securesocket", "provider-psa"].map((name) => `hosts/moddable/${name}.ts`);
const device = reachable(all, entries);
/** The one that knows the SDK, and so has a clock. */
const sdk = "hosts/moddable/tls.ts";

test("a device carries the client and the socket, and nothing of the server or of Node", (t) => {
  t.true(device.includes("src/client/client13.ts") && device.includes("hosts/moddable/socket.ts"));
  t.true(device.includes("hosts/psa/provider.ts"));
  const foreign = device.filter((file) => /^(src\/server|hosts\/(node|xs|portable))\//.test(file));
  t.deepEqual(foreign, []);
});

for (const [pattern, why] of forbidden)
  test(`device code has no ${pattern.source}: ${why}`, (t) => {
    const files = device.filter((file) => file !== sdk);
    t.deepEqual(uses(all, files, pattern), []);
    const samples = [
      "async function f() {}",
      "function* f() {}",
      "for (const a of b) c();",
      "f(...a);",
      "const [a] = b;",
      "let a = 1;",
      "  static a = 1;",
      "f(1n);",
      "console.log(1);",
      "f(Date.now());",
      "const a = [1];",
    ];
    const broken = samples.filter((line) =>
      uses(changed(all, "src/pki/der.ts", add(line)), files, pattern).includes("src/pki/der.ts"),
    );
    t.not(broken.length, 0, "a broken file must be found");
  });

test("the words of the policy stand in one file of src, and hosts take them from there", (t) => {
  for (const word of ["if-present", "leaf", "chain"])
    t.deepEqual(
      filesWith(src, word).filter((file) => file !== "src/pki/policy.ts"),
      [],
      word,
    );
  t.deepEqual(filesWith(changed(src, "src/pki/path.ts", add('f("leaf");')), "leaf").length, 2);
});

test("the client's bundle holds the client, and nothing of hosts or server", (t) => {
  const bundle = readFileSync(fileURLToPath(new URL("../../dist/client.js", import.meta.url)), "utf8");
  t.true(bundle.includes("WAIT_ENCRYPTED_EXTENSIONS"));
  t.deepEqual([...bundle.matchAll(/^import .*$/gm)].map(String), []);
  const names = (isOurs: (layer: string) => boolean) =>
    [...src.keys()]
      .filter((file) => isOurs(layerOf(file)))
      .flatMap((file) => [...code(file).matchAll(/^(?:export )?(?:class|function) (\w+)/gm)])
      .map(([, name]) => name);
  const own = new Set(names((layer) => layer !== "server"));
  const server = names((layer) => layer === "server").filter((name) => !own.has(name));
  t.true(server.length > 50);
  for (const name of server) t.false(new RegExp(`^(?:class|function) ${name}\\b`, "m").test(bundle), name);
});
