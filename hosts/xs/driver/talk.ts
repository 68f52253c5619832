import type { X509Certificate } from "node:crypto";
import { lookup } from "node:dns/promises";
import { cipherSuite, namedGroup, nameOf, version } from "../../../src/client/index.js";
import { COURTESY, PATIENCE } from "../../node/commands/client.js";
import { type Flags, greeting } from "../../node/commands/flags.js";
import type { Outcome } from "../../node/commands/report.js";
import type { SideFiles } from "../../node/commands/side-files.js";
import { UsageError } from "../../node/commands/usage.js";
import { type Advise, tlsError } from "../../node/common/errors.js";
import { readPrivateKey } from "../../node/common/private-key.js";
import type { ConnectOptions } from "../../node/index.js";
import { toVerdict } from "../../node/ocsp/verdict.js";
import { Hindsight } from "../../node/socket/hindsight.js";
import { keyInfo } from "../../node/socket/negotiated-socket.js";
import { type Settings, settle } from "../../node/socket/options.js";
import { PeerCertificates, parsed } from "../../node/socket/peer.js";
import { type ClientJob, type ClientResult, FRAME_HEADER, frame } from "../job.js";
import { about, programFile, type Ran, runJob, type Stats } from "./machine.js";

/** The flags of `tlstaple client`, and those of the machine that it runs in. */
export interface XsFlags extends Flags {
  readonly arena: number;
  readonly stack: number;
  readonly memory?: boolean;
  readonly provider: "psa" | "portable";
}

/** A full record and what a certificate that straddles two may leave before it; a write; what a chain leaves. */
const buffers = { input: 16645 + 2048, output: 2048, store: 8192 };

/** Has XS talk with a server. */
export async function talkInXs(options: ConnectOptions, flags: XsFlags, files: SideFiles): Promise<Outcome> {
  const settings = settle(options);
  const provider = providerFor(flags);
  const listener = new Listener(options, settings, files);
  const { host, port } = flags;
  try {
    const job = { ...toJob(settings, flags), address: await addressOf(host) };
    const machine = provider === "psa" ? flags : {};
    const ran = await runJob(programFile(`client-${provider}`), job, machine, (out) => listener.receive(out));
    const outcome = listener.outcome(settings, failureOf(ran));
    return { host, port, ...outcome, ...(flags.memory && ran.stats && { memory: memoryOf(ran.stats) }) };
  } catch (error) {
    return { host, port, ...listener.outcome(settings, error as Error) };
  }
}

function providerFor(flags: XsFlags): XsFlags["provider"] {
  const built = about();
  if (built === undefined) throw new UsageError("there is no XS host: sh hosts/xs/build.sh says why");
  if (flags.provider === "psa" && !built.psa)
    throw new UsageError("the XS host is built without PSA Crypto: use --provider portable");
  return flags.provider;
}

/** What ended the process, unless it came to its own end. */
function failureOf({ code, errors }: Ran): Error | undefined {
  return code === 0 ? undefined : new Error(errors.trim() || `the XS host ended with ${code}`);
}

function memoryOf(stats: Stats): Outcome["memory"] {
  const slotBytes = about()!.bits >> 1;
  return {
    slots: stats.slotPeak,
    chunks: stats.chunkPeak,
    stack: stats.stackPeakSlots * slotBytes,
    native: stats.nativePeak,
  };
}

/** As a device does, one address only; of those that there are, IPv4's. */
async function addressOf(host: string): Promise<string> {
  const addresses = await lookup(host, { all: true });
  return (addresses.find(({ family }) => family === 4) ?? addresses[0]).address;
}

/** What JSON can carry of the core's options is passed on as it is; the rest is given in another form, or made in XS. */
function toJob({ core, roots, verify, clientStaple }: Settings, flags: XsFlags): Omit<ClientJob, "address"> {
  const { provider, trust, clock, identity, remembered, features, ...options } = core;
  return {
    port: flags.port,
    options: { ...options, buffers },
    trust: verify ? roots.map(({ certificate }) => certificate.raw.toString("hex")) : [],
    identity: identity && {
      certificates: identity.certificates.map((der) => Buffer.from(der).toString("hex")),
      key: privateKey(flags.key!).toString("hex"),
      staple: clientStaple && (clientStaple as Buffer).toString("hex"),
    },
    secrets: flags.keylog !== undefined,
    greeting: greeting(flags),
    silences: [PATIENCE, flags.get ? PATIENCE : COURTESY, COURTESY],
  };
}

/** PKCS #8 DER of what `settle` has found to be a private key. */
function privateKey(key: Buffer): Buffer {
  return readPrivateKey(key).export({ format: "der", type: "pkcs8" });
}

/** Takes what the program in XS tells. */
class Listener {
  private readonly options: ConnectOptions;
  private readonly files: SideFiles;
  private readonly peer = new PeerCertificates();
  private readonly hindsight: Hindsight;
  private pending = Buffer.alloc(0);
  private readonly reply: Buffer[] = [];
  private result: ClientResult | undefined;

  constructor(options: ConnectOptions, settings: Settings, files: SideFiles) {
    this.options = options;
    this.hindsight = new Hindsight(settings.core, settings.clientStaple !== undefined);
    this.files = files;
  }

  /** Any number of bytes of its standard output. */
  receive(bytes: Buffer): void {
    this.pending = Buffer.concat([this.pending, bytes]);
    for (;;) {
      const end = this.pending.length < FRAME_HEADER ? 0 : FRAME_HEADER + this.pending.readUIntBE(1, 3);
      if (end === 0 || this.pending.length < end) return;
      this.take(this.pending[0], this.pending.subarray(FRAME_HEADER, end));
      this.pending = this.pending.subarray(end);
    }
  }

  private take(kind: number, content: Buffer): void {
    if (kind === frame.MESSAGE)
      this.takeMessage(content[0] === 1, content.readUInt16BE(1), content.subarray(3));
    else if (kind === frame.SECRET) this.files.secret(content);
    else if (kind === frame.DATA) this.reply.push(content);
    else if (kind === frame.RESULT) this.result = JSON.parse(content.toString());
  }

  private takeMessage(sent: boolean, type: number, bytes: Buffer): void {
    this.peer.record(sent, type, bytes, 0, bytes.length);
    this.hindsight.record(sent, type, bytes, 0, bytes.length);
    this.options.onMessage?.(sent, type, bytes, 0, bytes.length);
  }

  /** What became of it; `failure` is for when XS could not tell. */
  outcome(settings: Settings, failure: Error | undefined): Omit<Outcome, "host" | "port"> {
    const { core, verify } = settings;
    const { result } = this;
    return {
      servername: core.serverName,
      authorized: verify && result?.established === true,
      protocol: result?.version ? (result.version === version.tls13 ? "TLSv1.3" : "TLSv1.2") : null,
      suite: nameOf(cipherSuite, result?.suite ?? 0) ?? null,
      group: groupName(result?.group ?? 0),
      alpn: result?.alpn ?? null,
      resumed: false,
      chain: this.chain(settings),
      verdicts: result?.verdicts.map((verdict) => toVerdict(verdict)) ?? [],
      error: errorOf(result, this.hindsight.advise) ?? failure,
      reply: Buffer.concat(this.reply),
    };
  }

  /** As TLSSocket's getPeerChain: the path to the root, or else what the server sent. */
  private chain({ roots }: Settings): X509Certificate[] {
    const { path = [], anchor = -1 } = this.result ?? {};
    return this.peer.chain(path, roots[anchor]?.certificate).flatMap(parsed);
  }
}

function groupName(id: number): string | null {
  const name = nameOf(namedGroup, id);
  return name === undefined ? null : keyInfo[name as keyof typeof keyInfo].name;
}

function errorOf(result: ClientResult | undefined, advise: Advise): Error | undefined {
  if (result?.error !== undefined) return new Error(result.error);
  if (result?.fault === undefined) return undefined;
  return tlsError(result.fault, result.detail, result.cause, advise);
}
