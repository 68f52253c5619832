import {
  type ClientOptions,
  type Path,
  type Provider,
  type Signer,
  TlsClient,
  trustAnchor,
} from "../../src/client/index.js";
import { Connection, type Owner } from "./connection.js";
import { type ClientJob, type ClientResult, FRAME_HEADER, frame } from "./job.js";
import { fromHex, fromText, toHex, toText } from "./text.js";
import Timer from "./timer.js";

// The client of `npm run xs -- client`, in XS. What stands at the top level is flash.

const job: ClientJob = JSON.parse(toText(host.readFile(programArguments[0])));
const trust = job.trust.map((der) => trustAnchor(fromHex(der)));
const certificates = job.identity?.certificates.map(fromHex);
const staples = job.identity?.staple === undefined ? undefined : [fromHex(job.identity.staple)];
const greeting = fromText(job.greeting);

/** One connection, and what is told of it. */
export class Client implements Owner {
  private readonly client: TlsClient;
  private readonly connection: Connection;
  private readonly header = new Uint8Array(FRAME_HEADER + 3);
  private readonly timer: Timer;
  private path: readonly number[] = [];
  private anchor = -1;
  /** How many of the job's silences are over. */
  private phase = 0;

  constructor(provider: Provider, signer: (der: Uint8Array) => Signer) {
    this.client = new TlsClient(this.options(provider, signer));
    this.timer = Timer.set(() => this.onSilence(), job.silences[0]);
    this.connection = new Connection(this.client, job.address, job.port, this);
  }

  opened(): void {
    this.phase = 1;
    this.wait();
    this.connection.write(greeting, 0, greeting.length);
  }

  received(bytes: Uint8Array, start: number, end: number): void {
    this.wait();
    this.tell(frame.DATA, 0, bytes, start, end);
  }

  ended(error: Error | undefined): void {
    Timer.clear(this.timer);
    this.tellText(frame.RESULT, JSON.stringify(this.result(error?.message)));
  }

  private options(provider: Provider, signer: (der: Uint8Array) => Signer): ClientOptions {
    const { identity, options, secrets } = job;
    return Object.assign({}, options, {
      provider,
      trust,
      clock: () => host.clock(),
      identity: identity && { certificates: certificates!, signer: signer(fromHex(identity.key)), staples },
      onPath: (path: Path) => this.take(path),
      onMessage: (sent: boolean, type: number, bytes: Uint8Array, start: number, end: number) =>
        this.onMessage(sent, type, bytes, start, end),
      onSecret: secrets ? (...line: [string, Uint8Array, Uint8Array]) => this.onSecret(...line) : undefined,
    });
  }

  private take(path: Path): void {
    this.path = Array.from({ length: path.length }, (_, i) => path.index(i));
    this.anchor = trust.indexOf(path.anchor!);
  }

  /** The server may be silent for so long, from now on. */
  private wait(): void {
    Timer.schedule(this.timer, job.silences[this.phase]);
  }

  /** Before the handshake it is a failure; after it, it is time to end, and then to go. */
  private onSilence(): void {
    if (this.phase === 0) this.connection.drop(new Error("the server does not answer"));
    else if (this.phase === 2) this.connection.drop();
    else {
      this.phase = 2;
      this.wait();
      this.connection.close();
    }
  }

  private onMessage(sent: boolean, type: number, bytes: Uint8Array, start: number, end: number): void {
    this.header.set([sent ? 1 : 0, type >> 8, type & 0xff], FRAME_HEADER);
    this.tell(frame.MESSAGE, 3, bytes, start, end);
  }

  private onSecret(label: string, random: Uint8Array, secret: Uint8Array): void {
    this.tellText(frame.SECRET, `${label} ${toHex(random)} ${toHex(secret)}\n`);
  }

  private tellText(kind: number, text: string): void {
    const bytes = fromText(text);
    this.tell(kind, 0, bytes, 0, bytes.length);
  }

  /** Writes a frame of what stands in the header behind the length, and of `bytes[start…end)`. */
  private tell(kind: number, prefix: number, bytes: Uint8Array, start: number, end: number): void {
    const { header } = this;
    const length = prefix + end - start;
    header[0] = kind;
    header[1] = length >> 16;
    header[2] = length >> 8;
    header[3] = length;
    host.write(header, 0, FRAME_HEADER + prefix);
    host.write(bytes, start, end);
  }

  private result(error: string | undefined): ClientResult {
    const { established, version, suite, group, alpn, verdicts, fault, faultDetail, cause } = this.client;
    return {
      established,
      version,
      suite,
      group,
      alpn,
      verdicts,
      path: this.path,
      anchor: this.anchor,
      fault,
      detail: faultDetail,
      cause: cause === undefined ? undefined : String(cause),
      error,
    };
  }
}
