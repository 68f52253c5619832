/**
 * wolfSSL's own stapling tests, unchanged, with ours in the place of its client, of its server, of `openssl ocsp`, and of all
 * three. A script says only whether exit codes are right; here each connection must also have ended for the right reason.
 * docs/wolfssl.md has what can't be the same.
 */

import test, { type ExecutionContext } from "ava";
import { type Call, type Case, headings, type Program, run, why } from "./scripts.js";

/** Whether wolfSSL's own programs are those that deal with the staples of a whole chain in TLS 1.3. */
const scripts: Readonly<Record<string, boolean>> = {
  "ocsp-stapling.test": false,
  "ocsp-stapling2.test": false,
  "ocsp-stapling_tls13multi.test": true,
  "ocsp-stapling-with-ca-as-responder.test": false,
};

const combinations: Readonly<Record<string, readonly Program[]>> = {
  "client alone": ["client"],
  "server alone": ["server"],
  "responder alone": ["responder"],
  "all three": ["client", "server", "responder"],
};

/** wolfSSL's server ends where it learns that its own certificate is revoked: no client is told why. */
const servesNoRevoked = /^SSL_accept error -360, OCSP Cert revoked$/m;
/** With TLS 1.2 alone, which is its default, where the client has 1.3 alone; the script takes that for a refusal too. */
const servesNo13 = /^SSL_accept error -501, can't match cipher suite$/m;

/** What our client says, by what the heading announces. */
const clientSays: Readonly<Record<string, (t: ExecutionContext, call: Call) => void>> = {
  PASS: (t, { args, output }) => {
    const stapled = args.includes("-C -A certs/ocsp/");
    t.regex(output, stapled ? /^certificate 0: .*\n {2}OCSP good, /m : /^certificate 0: .*\n {2}OCSP none$/m);
    if (args.includes("-W 3")) t.regex(output, /^certificate 1: .*\n {2}OCSP good, /m);
  },
  REVOKE: (t, { output }) => t.regex(output, /^OCSP_CERT_REVOKED: /m),
  UNKNOWN: (t, { output }) => t.regex(output, /^OCSP_STAPLE_MISSING: /m),
};

/** wolfSSL's says of a revoked certificate in TLS 1.2 that the message is bad. */
const wolfsslSays: Readonly<Record<string, RegExp>> = {
  PASS: /hello from tlstaple|I hear you fa shizzle!|HTTP\/1\.0 200 ok/,
  REVOKE: /wolfSSL_connect error (-360, OCSP Cert revoked|-406, Bad Certificate Status Message Error)/,
  UNKNOWN: /wolfSSL_connect error -366, OCSP Cert unknown/,
};

/** What our server stapled. */
const stapled: Readonly<Record<string, RegExp>> = {
  PASS: /^ {2}staple 0: good, /m,
  REVOKE: /^ {2}staple \d: revoked, /m,
  LOAD: /^ {2}client says: test connection$/m,
};

function judge(t: ExecutionContext, each: Case, ours: readonly Program[]): void {
  const [, what] = / (PASS|REVOKE|UNKNOWN|LOAD)\b/.exec(each.heading)!;
  t.is(each.calls.length, what === "LOAD" ? 0 : 1, each.heading);
  for (const call of each.calls) {
    t.is(call.code, what === "PASS" ? 0 : 1, `${each.heading}: ${call.output}`);
    if (what === "REVOKE" && !ours.includes("server")) judgeRefusal(t, call, each, ours.includes("client"));
    else if (ours.includes("client")) clientSays[what](t, call);
    else t.regex(call.output, wolfsslSays[what], each.heading);
  }
  if (ours.includes("server") && each.servers.length > 0)
    t.regex(each.servers.join("\n"), stapled[what], each.heading);
}

/** A server of wolfSSL's that goes no further, and why; our client is told nothing. */
function judgeRefusal(t: ExecutionContext, { args, output }: Call, each: Case, oursAsks: boolean): void {
  const only12 = oursAsks && args.includes("-v 4") && !each.started.includes(" -v 4");
  t.regex(each.servers.join("\n"), only12 ? servesNo13 : servesNoRevoked, each.heading);
  if (oursAsks) t.regex(output, /^(ECONNRESET|PEER_ALERT): /m, each.heading);
}

/** Of the cases that a script has, those that it has run; the others need DTLS, which there is none of here. */
function judgeCases(t: ExecutionContext, script: string, cases: readonly Case[]): void {
  const known = headings(script);
  const unspoken = known.filter((heading) => heading.includes(" DTLS-"));
  const run = cases.map(({ heading }) => heading);
  t.deepEqual(
    run,
    known.filter((heading) => !unspoken.includes(heading)),
  );
  if (unspoken.length > 0) t.log(`not run, as there is no DTLS here: ${unspoken.join(", ")}`);
}

function judgeResponders(t: ExecutionContext, printed: string): void {
  for (const status of ["good", "revoked"]) t.regex(printed, new RegExp(`^(GET|POST) \\w+ ${status}$`, "m"));
}

/** What is said of a port that somebody has: by ours and OpenSSL's programs, by wolfSSL's. */
const taken = /address already in use|tcp bind failed/i;
/** How often a script may draw ports, where others of this machine have one of them. */
const DRAWS = 4;

/** A port that the script drew may be taken, as it or a server or responder says: then, and only then, it draws anew. */
async function runFree(t: ExecutionContext, script: string, ours: readonly Program[], multi: boolean) {
  for (let draws = 1; ; draws++) {
    const ran = await run(script, ours, multi);
    const said = [ran.output, ...ran.cases.flatMap(({ servers }) => servers), ...ran.responders].join("\n");
    if (ran.code === 0) return ran;
    if (draws === DRAWS || !taken.test(said)) return { ...ran, output: said };
    t.log("run again, as a port that it had drawn was taken");
  }
}

for (const [script, multi] of why === undefined ? Object.entries(scripts) : [])
  for (const [title, ours] of Object.entries(combinations))
    test.serial(`${script}: ${title}`, async (t) => {
      const { code, output, cases, responders } = await runFree(t, script, ours, multi);
      t.is(code, 0, output);
      const [, ...judged] = cases;
      judgeCases(t, script, judged);
      for (const each of judged) judge(t, each, ours);
      if (ours.includes("responder")) judgeResponders(t, responders.join("\n"));
    });

if (why !== undefined) test.skip(`wolfSSL's stapling tests: ${why}`, () => undefined);
