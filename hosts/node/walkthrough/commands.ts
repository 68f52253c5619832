/** The commands of the walkthrough with the files of the test PKI, `certs/good`. */

import { credential, type Edition, fixtureFile } from "../../../certs/fixtures.js";
import { type Ca, responderPorts } from "./table.js";

/** `openssl ocsp`'s command line, which is `tlstaple responder`'s too. */
export function responderArgs(edition: Edition, ca: Ca, port: number = responderPorts[ca]): string[] {
  const signer = credential(edition, `ocsp-${ca}`);
  return [
    ...["-port", `${port}`, "-nmin", "1"],
    ...["-index", fixtureFile(`good/${edition}/index-${ca}.txt`)],
    ...["-rsigner", signer.certificateFile, "-rkey", signer.keyFile],
    ...["-CA", credential(edition, ca).certificateFile],
  ];
}

export function serverArgs(edition: Edition, server: string, port: number): string[] {
  const { certificateFile, keyFile } = credential(edition, server);
  return ["server", "-c", certificateFile, "-k", keyFile, "-p", `${port}`];
}

export function clientArgs(edition: Edition, port: number, ...flags: readonly string[]): string[] {
  return ["client", "-A", credential(edition, "root").certificateFile, ...flags, "-p", `${port}`];
}
