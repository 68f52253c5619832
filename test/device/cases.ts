import type { Edition } from "../../certs/fixtures.js";
import type { FaultName } from "../../src/wire/fault.js";
import { cipherSuite, version } from "../../src/wire/registry.js";
import type { Job } from "./job.js";

/** A connection whose cost on a device is measured. */
export interface DeviceCase {
  readonly name: string;
  readonly version: number;
  readonly edition: Edition;
  /** OCSP responses: the leaf's, and the intermediate's. */
  readonly staples: number;
  readonly maxFragmentLength?: number;
  readonly recordSizeLimit?: number;
  readonly suites: readonly number[];
  readonly buffers: Job["buffers"];
  /** Through the Moddable socket, rather than the client without I/O. */
  readonly socket?: boolean;
  /**
   * The socket has all that it has by default: it keeps sessions, of a server that gives tickets, and signatures that were
   * verified. So far it has kept nothing, has verified this server's signatures, or resumes a session.
   */
  readonly kept?: "nothing" | "signatures" | "session";
  /** Whose certificate the server has, `server1` by default; and why the device refuses it, if it does. */
  readonly holder?: string;
  readonly refused?: FaultName;
  readonly receive?: { readonly size: number; readonly times: number };
  readonly send?: { readonly size: number; readonly times: number };
}

const c = cipherSuite;
const suites = [
  c.TLS_AES_128_GCM_SHA256,
  c.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
  c.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];
const { tls12, tls13 } = version;
/** An entry, however the records cut it, and of what is kept some 64 bytes more than these certificates take. */
const small = { input: 2048, output: 640, store: 1600 };
const rsa = { input: 3200, output: 640, store: 3008 };
const bulk = { input: 4608, output: 1536, store: 1600 };

export const row = (
  name: string,
  version: number,
  edition: Edition,
  staples: number,
  more: Partial<DeviceCase> = {},
): DeviceCase => ({
  name,
  version,
  edition,
  staples,
  suites,
  recordSizeLimit: 512,
  buffers: edition === "rsa" ? rsa : small,
  ...more,
});

/** The first connection to a server, of which `again` and `resumed` are the second. */
export const first = "tls1.3-socket-small";

/** The chain is of three: leaf, intermediate and root, as the walkthrough's servers send it. */
export const cases: readonly DeviceCase[] = [
  row("tls1.3-p256-staple1", tls13, "p256", 1),
  row("tls1.3-p256-staple2", tls13, "p256", 2, { buffers: { ...small, store: 2432 } }),
  row("tls1.2-p256-staple1", tls12, "p256", 1),
  row("tls1.3-rsa-staple1", tls13, "rsa", 1),
  row("tls1.3-rsa-staple2", tls13, "rsa", 2, { buffers: { ...rsa, store: 4416 } }),
  row("tls1.2-rsa-staple1", tls12, "rsa", 1),
  row("tls1.3-socket-bare", tls13, "p256", 1, { socket: true }),
  row("tls1.2-socket-bare", tls12, "p256", 1, { socket: true }),
  row("tls1.3-socket-small", tls13, "p256", 1, { socket: true, kept: "nothing" }),
  row("tls1.2-socket-small", tls12, "p256", 1, { socket: true, kept: "nothing" }),
  row("tls1.3-socket-default", tls13, "p256", 1, {
    socket: true,
    kept: "nothing",
    recordSizeLimit: undefined,
    buffers: { input: [4096, 18693], output: 2048, store: 4096 },
    receive: { size: 4096, times: 1 },
  }),
  row("again", tls13, "p256", 1, { socket: true, kept: "signatures" }),
  row("resumed", tls13, "p256", 1, { socket: true, kept: "session" }),
  row("tls1.2-resumed", tls12, "p256", 1, { socket: true, kept: "session" }),
  row("tls1.3-receive-1mib", tls13, "p256", 1, {
    recordSizeLimit: 4097,
    buffers: bulk,
    receive: { size: 4096, times: 256 },
  }),
  row("tls1.2-receive-1mib", tls12, "p256", 1, {
    recordSizeLimit: 4097,
    buffers: bulk,
    receive: { size: 4096, times: 256 },
  }),
  row("tls1.3-send-1000", tls13, "p256", 1, { buffers: bulk, send: { size: 1024, times: 1000 } }),
  row("tls1.2-send-1000", tls12, "p256", 1, { buffers: bulk, send: { size: 1024, times: 1000 } }),
];
