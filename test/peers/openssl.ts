import { execFile } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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
export function ocspResponse(edition: Edition, leaf: string, issuer: string): Promise<Buffer> {
  return inScratch(async (directory) => {
    const ca = credential(edition, issuer).certificateFile;
    const about = ["-issuer", ca, "-cert", credential(edition, leaf).certificateFile, "-noverify"];
    return respond(edition, issuer, about, join(directory, "response.der"));
  });
}

/** Who holds the certificates in a server's file: itself, its issuer, the root. */
export function holdersOf(server: string): [string, string, string] {
  const issuers: Record<string, string> = {
    server3: "intermediate2",
    server4: "intermediate2",
    server5: "intermediate3",
  };
  return [server, issuers[server] ?? "intermediate1", "root"];
}

/** Fresh OCSP responses about the certificates in a server's file, or about those at the given places. */
export function ocspChain(edition: Edition, server: string, places = [0, 1, 2]): Promise<Buffer[]> {
  const holders = holdersOf(server);
  const responses = places.map((place) =>
    ocspResponse(edition, holders[place], holders[place + 1] ?? "root"),
  );
  return Promise.all(responses);
}

const authorities = ["root", "intermediate1", "intermediate2", "intermediate3"];

/** The fresh response to an OCSP request in DER by the authority that it asks; undefined when that is nobody's. */
export function ocspAnswer(edition: Edition, request: Uint8Array): Promise<Buffer> | undefined {
  const issuer = authorities.find((each) => Buffer.from(request).includes(issuerKeyHash(edition, each)));
  if (issuer === undefined) return undefined;
  return inScratch(async (directory) => {
    const file = join(directory, "request.der");
    await writeFile(file, request);
    return respond(edition, issuer, ["-reqin", file], join(directory, "response.der"));
  });
}

/** SHA-1 of the subjectPublicKey without its BIT STRING's header, as CertID has it (RFC 6960 4.1.1). */
function issuerKeyHash(edition: Edition, authority: string): Buffer {
  const { publicKey } = new X509Certificate(credential(edition, authority).chain[0]);
  const bits =
    edition === "rsa"
      ? publicKey.export({ type: "pkcs1", format: "der" })
      : publicKey.export({ type: "spki", format: "der" }).subarray(-65);
  return createHash("sha1").update(bits).digest();
}

async function respond(
  edition: Edition,
  issuer: string,
  about: readonly string[],
  response: string,
): Promise<Buffer> {
  const signer = credential(edition, `ocsp-${issuer}`);
  const index = fixtureFile(`good/${edition}/index-${issuer}.txt`);
  const as = ["-rsigner", signer.certificateFile, "-rkey", signer.keyFile];
  const ca = credential(edition, issuer).certificateFile;
  await openssl("ocsp", "-index", index, ...as, "-CA", ca, ...about, "-ndays", "1", "-respout", response);
  return readFile(response);
}

async function inScratch<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "tlstaple-"));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}
