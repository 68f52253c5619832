import { existsSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import { faults } from "../../../src/wire/index.js";
import { tlsError } from "../common/errors.js";
import type { CheckServerIdentity } from "../socket/options.js";
import type { Flags } from "./flags.js";
import type { ServerFlags } from "./server-flags.js";
import { type Output, UsageError } from "./usage.js";

// `--compat wolfssl`: what wolfSSL's example programs take where a flag is not given. Their files are relative to wolfSSL's
// folder, where they are run.

type Defaults = Readonly<Partial<Record<"ca" | "cert" | "key", string>>>;

const ofClient = Object.freeze({
  ca: "certs/ca-cert.pem",
  cert: "certs/client-cert.pem",
  key: "certs/client-key.pem",
});

const ofServer: Defaults = Object.freeze({
  ca: "certs/client-cert.pem",
  cert: "certs/server-cert.pem",
  key: "certs/server-key.pem",
});

/** CAs that wolfSSL's server judges its staples by, beside those of its chain. */
const issuers = [1, 2, 3].map((n) => `certs/ocsp/intermediate${n}-ca-cert.pem`);

const UNCHECKED =
  "--compat wolfssl: the name in the server's certificate is not checked, only with -m; for tests alone\n";

/** The client's flags, with what is not given as wolfSSL's client has it. */
export function compatClient(flags: Flags, err: Output): Flags {
  if (!flags.compat) return flags;
  if (flags.resume) throw new UsageError("-r: there is no session where --compat leaves names unchecked");
  if (!flags.matchName) err.write(UNCHECKED);
  const { ca } = ofClient;
  return { ...flags, ...completed(flags, flags.clientCert === false ? { ca } : ofClient) };
}

/** The same for the server's. */
export function compatServer(flags: ServerFlags): ServerFlags {
  if (!flags.compat) return flags;
  const known = issuers.filter((path) => existsSync(path)).map((path) => readFileSync(path));
  return { ...flags, ...completed(flags, ofServer), issuers: known };
}

/** How wolfSSL's client checks a name: that after -h, in the subject's CN too where there is no other. */
export function compatCheck({ compat, matchName, host }: Flags): CheckServerIdentity | undefined {
  if (!compat || !matchName) return undefined;
  const mismatch = isIP(host) ? faults.CERT_IP_MISMATCH : faults.CERT_NAME_MISMATCH;
  return (_, certificate) => checkServerIdentity(host, certificate) && tlsError(mismatch);
}

/** What is given, and where nothing is, what the file of that name holds. */
function completed<G extends Partial<Record<keyof Defaults, unknown>>>(given: G, defaults: Defaults) {
  const names = Object.keys(defaults) as (keyof Defaults)[];
  return Object.fromEntries(names.map((name) => [name, given[name] ?? contents(defaults[name]!)]));
}

function contents(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`${(error as Error).message}: --compat wolfssl is for wolfSSL's folder`);
  }
}
