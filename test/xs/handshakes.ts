import { psa } from "../../hosts/psa/index.js";
import { Connection, type Owner } from "../../hosts/xs/connection.js";
import { fromHex, toText } from "../../hosts/xs/text.js";
import {
  type ClientOptions,
  type Provider,
  responder,
  TlsClient,
  trustAnchor,
} from "../../src/client/index.js";
import { named } from "../faults.js";
import type { HandshakeCase, HandshakeJob, HandshakeResult } from "./handshake-job.js";

// Runs in XS: real handshakes with a server in Node, one after the other. The top level is flash.

const job: HandshakeJob = JSON.parse(toText(host.readFile(programArguments[0])));
const certificates = job.certificates.map(fromHex);
const provider = psa(globalThis.psa);
const greeting = Uint8Array.of(0x68, 0x69);

function optionsOf(row: HandshakeCase): ClientOptions {
  const { serverName, clock, version, ocsp, buffers, responders, nonce } = row;
  return {
    provider: nonce === undefined ? provider : withNonce(fromHex(nonce)),
    trust: row.trust.map((i) => trustAnchor(certificates[i])),
    serverName,
    clock: () => clock,
    clockFloor: 0,
    minVersion: version,
    maxVersion: version,
    ocsp: { ...ocsp, responders: responders.map((i) => responder(certificates[i])) },
    buffers,
  };
}

/** Draws the case's nonce instead of a random one; it is the only draw of 32 bytes after the first. */
function withNonce(nonce: Uint8Array): Provider {
  let draws = 0;
  const random: Provider["random"] = (bytes, start, end) => {
    provider.random(bytes, start, end);
    if (++draws === 2) bytes.set(nonce, start);
  };
  return Object.create(provider, { random: { value: random } });
}

class Series implements Owner {
  private index = 0;
  private client: TlsClient | undefined;
  private arena: Uint8Array | undefined;
  private connection: Connection | undefined;

  begin(): void {
    const { index } = this;
    if (index % job.interval === 0 || index === job.cases.length) this.takeStock();
    if (index < job.cases.length) this.connect(job.cases[index]);
  }

  /** Nothing is left over from the handshakes but what leaks. */
  private takeStock(): void {
    this.client = undefined;
    if (!job.cases[this.index]?.again) this.arena = undefined;
    // Twice, as what the first one finalizes goes with the second
    host.collect();
    host.collect();
    host.mark("handshakes");
  }

  private connect(row: HandshakeCase): void {
    const { input, output, store } = row.buffers;
    if (!row.again) this.arena = new Uint8Array(input + output + store);
    this.client = new TlsClient(optionsOf(row), this.arena);
    this.connection = new Connection(this.client!, "127.0.0.1", job.port, this);
  }

  opened(): void {
    this.connection!.write(greeting, 0, greeting.length);
    this.connection!.close();
  }

  received(): void {}

  ended(error: Error | undefined): void {
    const { fault, faultDetail: detail, established, state, verdicts } = this.client!;
    const end = named(fault) ?? error?.message;
    const staples = verdicts.map(({ status }) => status);
    const result: HandshakeResult = { verdict: end ?? (established ? "good" : state), detail, staples };
    host.print(JSON.stringify(result));
    this.connection = undefined;
    this.index++;
    // Not from here, so that no frame of the old connection is on the stack
    host.setTimer(() => this.begin(), 0, -1);
  }
}

globalThis.main = () => new Series().begin();
