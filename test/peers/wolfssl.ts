import { execFile } from "node:child_process";
import { type Credential, credential, type Edition } from "../../certs/fixtures.js";
import { version } from "../../src/wire/registry.js";
import { compile } from "./process.js";

/** How our client over wolfSSL connects to a server of the good PKI on 127.0.0.1. */
export interface WolfsslClientOptions {
  port: number;
  /** Its root is trusted. */
  edition: Edition;
  /** Speaks this version alone. */
  version: number;
  /** As `-W` of wolfSSL's example client: 1 status_request, 2 and 3 status_request_v2 with ocsp and ocsp_multi. */
  stapling?: 1 | 2 | 3;
  /** Asks for this name, and refuses a certificate that is not for it. */
  serverName?: string;
  nonce?: boolean;
  /** Refuses a server that does not staple. */
  mustStaple?: boolean;
  /** Connects a second time, with the session of the first. */
  resume?: boolean;
  identity?: Credential;
}

/** How it ended: 0 when a line came back, else 1 and the last line of `output` has wolfSSL's error. */
export interface WolfsslVerdict {
  code: number;
  /**
   * A line each: the lengths of what a CertificateStatus of TLS 1.2 holds (`certificate_status: type 2, 847 819 0
   * bytes`), version and suite, when the leaf's staple was produced (not with ocsp_multi), what was received; or
   * `connect: -360 OCSP Cert revoked`. wolfSSL 5.5 says -406 where ocsp_multi tells of a revoked certificate, and
   * -367 where a server accepts to staple in TLS 1.2 and does not.
   */
  output: string;
}

/** Runs our client over wolfSSL to its end, 30 s at most. */
export function wolfsslClient(options: WolfsslClientOptions): Promise<WolfsslVerdict> {
  const client = compile("interop/wolfssl-client.c", "wolfssl-client", "-lwolfssl");
  return new Promise((resolve, reject) => {
    execFile(client, wolfsslArguments(options), (error, output, complaint) => {
      const code = error ? error.code : 0;
      if (typeof code === "number") resolve({ code, output: output + complaint });
      else reject(error);
    });
  });
}

function wolfsslArguments(options: WolfsslClientOptions): string[] {
  const { stapling, serverName, identity } = options;
  const args = ["-p", `${options.port}`, "-v", options.version === version.tls13 ? "4" : "3"];
  args.push("-A", credential(options.edition, "root").certificateFile);
  if (stapling) args.push("-W", `${stapling}`);
  if (serverName) args.push("-S", serverName);
  if (identity) args.push("-c", identity.certificateFile, "-k", identity.keyFile);
  if (options.nonce) args.push("-n");
  if (options.mustStaple) args.push("-m");
  if (options.resume) args.push("-r");
  return args;
}
