/** What wolfSSL's article, and its own scripts, come to: each server, asked in each way. */

/** How a client asks: by these flags of `tlstaple client`. */
export interface Way {
  readonly title: string;
  readonly flags: readonly string[];
}

export const ways: readonly Way[] = Object.freeze([
  { title: "-W 1 -v 3", flags: ["-W", "1", "-v", "3"] },
  { title: "-W 2 -v 3", flags: ["-W", "2", "-v", "3"] },
  { title: "-W 3 -v 3", flags: ["-W", "3", "-v", "3"] },
  { title: "-W 1 -v 4, policy chain", flags: ["-W", "1", "-v", "4", "--policy", "chain"] },
]);

/** "good", or the fault by which the client refuses. */
export type Expected = "good" | "OCSP_CERT_REVOKED";

export interface Row {
  readonly server: string;
  readonly what: string;
  /** The client demands a nonce, and the server passes it on. */
  readonly nonce?: boolean;
  /** One for each of `ways`. */
  readonly expected: readonly Expected[];
}

const good = "good";
const revoked = "OCSP_CERT_REVOKED";

export const rows: readonly Row[] = Object.freeze([
  { server: "server1", what: "good", expected: [good, good, good, good] },
  { server: "server2", what: "revoked", expected: [revoked, revoked, revoked, revoked] },
  { server: "server3", what: "good", expected: [good, good, good, good] },
  { server: "server4", what: "revoked", expected: [revoked, revoked, revoked, revoked] },
  // Only who asks for its issuer's status too can know
  { server: "server5", what: "under a revoked intermediate", expected: [good, good, revoked, revoked] },
  { server: "server3", what: "good, a nonce demanded", nonce: true, expected: [good, good, good, good] },
  {
    server: "server4",
    what: "revoked, a nonce demanded",
    nonce: true,
    expected: [revoked, revoked, revoked, revoked],
  },
]);

/** The CAs, and the port of 127.0.0.1 where the certificates that each has issued name their responder. */
export const responderPorts = Object.freeze({
  root: 22220,
  intermediate1: 22221,
  intermediate2: 22222,
  intermediate3: 22223,
});

export type Ca = keyof typeof responderPorts;
export const cas = Object.freeze(Object.keys(responderPorts)) as readonly Ca[];

/** What the client's standard error says it came to. */
export function outcomeOf(code: number, errors: string): string {
  if (code === 0) return "good";
  return /^[A-Z_]+(?=:)/.exec(errors)?.[0] ?? (errors.trim() || `exit code ${code}`);
}
