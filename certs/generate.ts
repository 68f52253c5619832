import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { algorithmCases, goodAlgorithmCases, keyCases, signatureCases } from "./chains/algorithms.js";
import { constraintCases } from "./chains/constraints.js";
import { encodingCases } from "./chains/encoding.js";
import { ChainMatrix } from "./chains/matrix.js";
import { malformedNameCases, nameCases } from "./chains/names.js";
import { dateCases, featureCases, issuerCases, purposeCases, trustCases } from "./chains/trust.js";
import { goodFieldCases, goodNameCases, goodTrustCases } from "./chains/unusual.js";
import { clientPki, goodPki } from "./good.js";
import { certIdCases, extensionCases, listCases, outerCases, statusCases } from "./responses/answers.js";
import { encodingCases as ocspEncodingCases } from "./responses/encoding.js";
import { OcspMatrix } from "./responses/matrix.js";
import { badSignerCases, goodSignerCases, responseSignatureCases } from "./responses/signers.js";
import { timeCases } from "./responses/times.js";
import { Tree } from "./tree.js";

const certsDirectory = fileURLToPath(new URL("../../certs", import.meta.url));

/** All fixtures, with the keys that `kept` holds. The same keys give the same bytes. */
export function generate(kept: string): Tree {
  const tree = new Tree(kept);
  const p256 = goodPki(tree, "good/p256", "p256");
  const rsa = goodPki(tree, "good/rsa", "rsa2048");
  clientPki(tree, "good/client");
  chains(new ChainMatrix(tree, p256, rsa));
  responses(new OcspMatrix(tree, p256, rsa));
  return tree;
}

function chains(matrix: ChainMatrix): void {
  const themes = [
    dateCases,
    trustCases,
    issuerCases,
    purposeCases,
    featureCases,
    nameCases,
    constraintCases,
    malformedNameCases,
    algorithmCases,
    signatureCases,
    keyCases,
    encodingCases,
    goodTrustCases,
    goodNameCases,
    goodFieldCases,
    goodAlgorithmCases,
  ];
  for (const theme of themes) theme(matrix);
  matrix.finish();
}

function responses(matrix: OcspMatrix): void {
  const themes = [
    goodSignerCases,
    badSignerCases,
    responseSignatureCases,
    certIdCases,
    listCases,
    statusCases,
    outerCases,
    extensionCases,
    timeCases,
    ocspEncodingCases,
  ];
  for (const theme of themes) theme(matrix);
  matrix.finish();
}

/** Writes what is new first, so that no fixture is missing at any moment, then removes what is left over. */
function main(): void {
  const { files } = generate(certsDirectory);
  files.forEach((content, path) => {
    const file = `${certsDirectory}/${path}`;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  });
  for (const path of fixtureFiles(certsDirectory)) if (!files.has(path)) rmSync(`${certsDirectory}/${path}`);
  console.log(`${files.size} files in ${certsDirectory}`);
}

/** Every generated file below a directory, by its path from there. */
export function fixtureFiles(root: string): string[] {
  const found = ["good", "bad", "ocsp"].flatMap((name) => {
    if (!existsSync(`${root}/${name}`)) return [];
    const entries = readdirSync(`${root}/${name}`, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);
  });
  return found.map((path) => path.slice(root.length + 1)).sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
