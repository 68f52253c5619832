import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** A file of this folder, in the sources. */
export const source = (name: string) => join(root, "test/moddable", name);

/** A temporary folder that has the package in node_modules, as npm would install it. */
export function makeWorkplace(): string {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-moddable-"));
  const flags = ["--ignore-scripts", "--silent", "--pack-destination", folder];
  const archive = execFileSync("npm", ["pack", ...flags], { cwd: root, encoding: "utf8" }).trim();
  const home = join(folder, "node_modules/tlstaple");
  mkdirSync(home, { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, archive), "-C", home, "--strip-components", "1"]);
  return folder;
}

/** Modules of ours that an application may do without. */
export const OPTIONAL = [
  "tls12",
  "statusV2",
  "clientCertificates",
  "resumption",
  "verifiedSignatures",
  "nameConstraints",
  "rsa",
  "caIndex",
  "pem",
  "texts",
];

/** How an application's manifest names a module of ours to exclude it. */
export const excluded = (name: string) => `./node_modules/tlstaple/dist/moddable/${name}`;
