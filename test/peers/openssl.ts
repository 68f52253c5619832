import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { credential, type Edition, fixtureFile } from "../../certs/fixtures.js";

/** Runs the openssl command to its end, input closed; throws with what it printed when it fails. */
export async function openssl(...args: string[]): Promise<string> {
  const run = promisify(execFile)("openssl", args, { timeout: 20_000 });
  run.child.stdin!.end();
  const { stdout } = await run;
  return stdout;
}

/** A fresh OCSP response about `leaf`, made without a responder by the issuer's delegated signer. */
export async function ocspResponse(edition: Edition, leaf: string, issuer: string): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), "tlstaple-"));
  try {
    const response = join(directory, "response.der");
    const ca = credential(edition, issuer).certificateFile;
    const signer = credential(edition, `ocsp-${issuer}`);
    const index = fixtureFile(`good/${edition}/index-${issuer}.txt`);
    const as = ["-rsigner", signer.certificateFile, "-rkey", signer.keyFile, "-CA", ca];
    const about = ["-issuer", ca, "-cert", credential(edition, leaf).certificateFile];
    const made = ["-index", index, ...as, ...about, "-ndays", "1", "-noverify", "-respout", response];
    await openssl("ocsp", ...made);
    return await readFile(response);
  } finally {
    await rm(directory, { recursive: true });
  }
}
