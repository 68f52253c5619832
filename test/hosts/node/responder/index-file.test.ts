import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { integer } from "../../../../certs/der.js";
import { credential, fixture } from "../../../../certs/fixtures.js";
import {
  type CertificateStatus,
  type Index,
  IndexFile,
  parseIndex,
  serialText,
} from "../../../../hosts/node/responder/index-file.js";
import { openssl } from "../../../peers/openssl.js";
import { withPeer } from "../../../peers/with-peer.js";
import { indexLine, temporaryFile } from "./fixtures.js";

const parse = (text: string): Promise<Index> => parseIndex(Buffer.from(text, "latin1"));
const good: CertificateStatus = { status: "good" };
const unknown: CertificateStatus = { status: "unknown" };
const revocationTime = new Date("2025-06-01T00:00:00Z");

// Lines

test("the index of the walkthrough", async (t) => {
  const index = await parseIndex(fixture("good/p256/index-intermediate1.txt"));
  t.deepEqual(index.get("05"), good);
  t.deepEqual(index.get("06"), { status: "revoked", revocationTime, revocationReason: 1 });
  t.is(index.get("07"), undefined);
});

const revocations: Readonly<Record<string, Partial<CertificateStatus>>> = {
  "250601000000Z": {},
  "20250601000000Z": {},
  "250601000000Z,unspecified": { revocationReason: 0 },
  "250601000000Z,keyCompromise": { revocationReason: 1 },
  "250601000000Z,KEYCOMPROMISE": { revocationReason: 1 },
  "250601000000Z,CACompromise": { revocationReason: 2 },
  "250601000000Z,affiliationChanged": { revocationReason: 3 },
  "250601000000Z,superseded": { revocationReason: 4 },
  "250601000000Z,cessationOfOperation": { revocationReason: 5 },
  "250601000000Z,certificateHold": { revocationReason: 6 },
  "250601000000Z,removeFromCRL": { revocationReason: 8 },
  "250601000000Z,privilegeWithdrawn": { revocationReason: 9 },
  "250601000000Z,AACompromise": { revocationReason: 10 },
  "250601000000Z,holdInstruction,holdInstructionReject": {
    revocationReason: 6,
    holdInstruction: "1.2.840.10040.2.3",
  },
  "250601000000Z,holdInstruction,1.2.840.10040.2.2": {
    revocationReason: 6,
    holdInstruction: "1.2.840.10040.2.2",
  },
  "250601000000Z,keyTime,20250101120000Z": {
    revocationReason: 1,
    invalidityDate: new Date("2025-01-01T12:00:00Z"),
  },
  "250601000000Z,CAkeyTime,20250101120000Z": {
    revocationReason: 2,
    invalidityDate: new Date("2025-01-01T12:00:00Z"),
  },
};
for (const [text, expected] of Object.entries(revocations))
  test(`revoked: ${text}`, async (t) => {
    const index = await parse(indexLine("0A", text));
    t.deepEqual(index.get("0A"), { status: "revoked", revocationTime, ...expected } as CertificateStatus);
  });

test("a comment, a serial of odd length, small letters, leading zeros, an escaped tab, the last line's end", async (t) => {
  const lines = ["#\tnothing\n", indexLine("5"), indexLine("abc"), indexLine("0000F1"), indexLine("-7")];
  const index = await parse(`${lines.join("")}V\t491231235959Z\t\t1F\tunknown\t/CN=a\\\tb`);
  t.deepEqual([...index.keys()], ["05", "0ABC", "F1", "-07", "1F"]);
});

test("an expired certificate is good as long as it counts as valid, then unknown", async (t) => {
  const index = await parse(
    `V\t200101000000Z\t\t05\tunknown\t/CN=a\n${indexLine("06", "", "E").replace("49", "20")}`,
  );
  t.deepEqual([index.get("05"), index.get("06")], [good, unknown]);
});

const malformed: Readonly<Record<string, [line: string, message: RegExp]>> = {
  "an empty line": ["\n", /6 fields separated by tabs expected, 1 found/],
  "too few fields": ["V\t491231235959Z\t\t05\tunknown\n", /5 found/],
  "too many fields": [`${indexLine("05").trimEnd()}\t\n`, /7 found/],
  "another type": [indexLine("05", "", "X"), /type "X" is none of V, R and E/],
  "no serial": [indexLine(""), /serial "" is not hexadecimal/],
  "a serial of other letters": [indexLine("0G"), /serial "0G"/],
  "the same serial": [indexLine("0001"), /serial 01 stands there twice/],
  "no expiry": [indexLine("05").replace("491231235959Z", ""), /expiry date ""/],
  "a day that no month has": [indexLine("05", "250230000000Z"), /revocation date "250230000000Z"/],
  "a time without seconds": [indexLine("05", "2506010000Z"), /revocation date/],
  "a revocation without date": [indexLine("05", "", "R"), /revocation date ""/],
  "valid with a revocation date": [indexLine("05", "250601000000Z", "V"), /type V, but/],
  "expired with a revocation date": [indexLine("05", "250601000000Z", "E"), /type E, but/],
  "an unknown reason": [indexLine("05", "250601000000Z,boredom"), /reason "boredom" is not known/],
  "a reason of the prototype": [indexLine("05", "250601000000Z,constructor"), /reason "constructor"/],
  "a hold without instruction": [indexLine("05", "250601000000Z,holdInstruction"), /hold instruction ""/],
  "a hold with a bad OID": [
    indexLine("05", "250601000000Z,holdInstruction,9.9.9"),
    /hold instruction "9.9.9"/,
  ],
  "keyTime without time": [indexLine("05", "250601000000Z,keyTime"), /time of compromise ""/],
  "garbage, shortened": [indexLine("05", `${"\u0007".repeat(1000)},x`), /revocation date ".{1,300}" is/],
};
for (const [title, [line, message]] of Object.entries(malformed))
  test(`malformed: ${title}`, async (t) => {
    const error = await t.throwsAsync(parse(`${indexLine("01")}# comment\n${line}`));
    t.regex(error!.message, /^line 3: /);
    t.regex(error!.message, message);
  });

test("an INTEGER as openssl writes it", (t) => {
  const text = (value: number | bigint) => serialText(Uint8Array.from(integer(value).subarray(2)).buffer);
  t.deepEqual([0, 5, 0x7f, 0x80, 0xabc, 2n ** 159n].map(text), [
    "00",
    "05",
    "7F",
    "80",
    "0ABC",
    `80${"00".repeat(19)}`,
  ]);
  t.is(serialText(Uint8Array.of(0xff).buffer), "-01");
  t.is(serialText(Uint8Array.of(0x80).buffer), "-80");
});

withPeer("openssl")("openssl reads the lines in the same way", async (t) => {
  const ca = credential("p256", "intermediate1").certificateFile;
  const signer = credential("p256", "ocsp-intermediate1");
  const said = async (line: string) => {
    const request = ["-issuer", ca, "-serial", "0x0A", "-index", temporaryFile(t, line), "-noverify"];
    const signing = ["-rsigner", signer.certificateFile, "-rkey", signer.keyFile, "-CA", ca];
    const text = await openssl("ocsp", ...request, ...signing, "-ndays", "1", "-resp_text");
    return /Cert Status: (\w+)(?:\s+Revocation Time: (.*)\n(?:\s+Revocation Reason: \w+ \((\w+)\))?)?/.exec(
      text,
    )!;
  };
  // privilegeWithdrawn, AACompromise and four-digit years are ours alone
  const shared = Object.entries(revocations).filter(([text]) => !/Withdrawn|AACom|^2025/.test(text));
  for (const [text, expected] of shared) {
    const [, status, time, reason] = await said(indexLine("0A", text));
    t.is(status, "revoked", text);
    t.is(new Date(time).getTime(), revocationTime.getTime());
    t.is(
      reason === undefined ? undefined : Number(reason),
      (expected as { revocationReason?: number }).revocationReason,
    );
  }
  for (const line of [indexLine("A"), indexLine("000A"), `#\n${indexLine("0A")}`])
    t.is((await said(line))[1], "good", line);
  for (const line of ["\n", `${indexLine("0A")}${indexLine("A")}`, "V\t491231235959Z\t\t0A\n"]) {
    await t.throwsAsync(said(line), undefined, line);
    await t.throwsAsync(parse(line), undefined, line);
  }
});

// Files

interface Watched {
  path: string;
  file: IndexFile;
  events: { entries: number; error?: string }[];
  status(serial?: string): Promise<string>;
}

async function watched(t: ExecutionContext, text: string): Promise<Watched> {
  const path = temporaryFile(t, text);
  const events: Watched["events"] = [];
  const file = await IndexFile.open(path, (_, entries, error) =>
    events.push({ entries, error: error?.message }),
  );
  return { path, file, events, status: async (serial = "0A") => (await file.lookup(serial)).status };
}

test("a file that was rewritten is read again, whatever its size and time", async (t) => {
  const { path, events, status } = await watched(t, indexLine("0A"));
  t.is(await status(), "good");
  for (const [text, expected] of [
    [indexLine("0A", "250601000000Z"), "revoked"],
    [indexLine("0B"), "unknown"],
    [indexLine("0A"), "good"],
  ]) {
    writeFileSync(path, text);
    utimesSync(path, 1, 1);
    t.is(await status(), expected);
  }
  await sleep(50);
  await status();
  const { length } = events;
  t.is(await status(), "good");
  t.is(events.length, length, "what is as it was is not read");
});

test("two changes within one tick of the file system's clock are two", async (t) => {
  const { path, status } = await watched(t, indexLine("0A"));
  for (let i = 0; i < 100; i++) {
    const type = i % 2 === 0 ? "E" : "V";
    writeFileSync(path, indexLine("0A", "", type));
    t.is(await status(), type === "V" ? "good" : "unknown");
  }
});

test("a file that was replaced is read again", async (t) => {
  const { path, status } = await watched(t, indexLine("0A"));
  writeFileSync(`${path}.new`, indexLine("0A", "250601000000Z"));
  renameSync(`${path}.new`, path);
  t.is(await status(), "revoked");
});

test("while a file is malformed or away the last good one counts, and it is told once", async (t) => {
  const { path, events, status } = await watched(t, indexLine("0A", "250601000000Z"));
  await sleep(50);
  writeFileSync(path, `${indexLine("0B")}R\t49`);
  await sleep(50);
  for (let i = 0; i < 3; i++) t.is(await status(), "revoked");
  t.is(events.length, 1);
  t.regex(events[0].error!, /file: line 2: 6 fields/);
  t.is(events[0].entries, 1);
  rmSync(path);
  for (let i = 0; i < 3; i++) t.is(await status(), "revoked");
  t.is(events.length, 2);
  t.regex(events[1].error!, /ENOENT/);
  mkdirSync(path);
  await sleep(50);
  t.is(await status(), "revoked");
  rmSync(path, { recursive: true });
  writeFileSync(path, indexLine("0A"));
  t.is(await status(), "good");
});

test("what cannot be read in the beginning is an error with path and line", async (t) => {
  const path = temporaryFile(t, "V\n");
  const malformed = await t.throwsAsync(IndexFile.open(path), { name: "ResponderError" });
  t.true(malformed!.message.startsWith(`${path}: line 1: `));
  await t.throwsAsync(IndexFile.open(`${path}.absent`), { name: "ResponderError", message: /ENOENT/ });
});

test("100,000 lines: read in slices, found at once, read once for many who wait", async (t) => {
  const lines = (revocation: string) =>
    Array.from({ length: 100_000 }, (_, i) => indexLine((i + 2 ** 32).toString(16), revocation)).join("");
  const { path, events, file, status } = await watched(t, lines(""));
  t.is(await status("0100000000"), "good");
  await sleep(50);
  events.length = 0;
  writeFileSync(path, lines("250601000000Z,keyCompromise"));
  await sleep(50);
  let longest = 0;
  const begin = performance.now();
  let last = begin;
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  const found = await Promise.all(
    Array.from({ length: 500 }, (_, i) =>
      file.lookup((i + 2 ** 32).toString(16).padStart(10, "0").toUpperCase()),
    ),
  );
  clearInterval(timer);
  t.true(found.every(({ status }) => status === "revoked"));
  t.is(events.length, 1);
  const total = performance.now() - begin;
  t.log(`read in ${total.toFixed(0)} ms, during which others waited ${longest.toFixed(0)} ms at most`);
  t.true(longest < total / 2);
  const start = performance.now();
  for (let i = 0; i < 1000; i++) await status("0100000001");
  t.true(performance.now() - start < 500);
});
