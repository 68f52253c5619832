import type { Hello, Selection } from "../../../src/server/index.js";
import { type Fault, faults, version } from "../../../src/wire/index.js";
import { StapleError, sourceFailed } from "../ocsp/staple-error.js";
import type { StapleSource } from "../ocsp/stapler.js";
import {
  type Credentials,
  type SecureContext,
  type SecureContextOptions,
  toContext,
} from "./secure-context.js";

/** Called with what a client's name is to be served with: a context, options for one, or nothing for the server's own. */
export type SNIAnswer = (error: Error | null, context?: SecureContext | SecureContextOptions) => void;

/** As node:tls's: finds the context for the name that a client asks for. */
export type SNICallback = (servername: string, callback: SNIAnswer) => void;

type Answer = Selection | Fault;

/** Chooses what a client is shown: the context by its name, the chain by its schemes, the staples by its wish. */
export class Selector {
  /** For clients that ask for no name, or for one that nobody else has. */
  default: SecureContext;
  /** Undefined: nothing is fetched. */
  stapler: StapleSource | undefined;
  /** Called when the source of staples fails, once until it fails otherwise. */
  onStapleError: (error: StapleError) => void = () => undefined;
  /** In TLS 1.3 a staple for each certificate, not for the first alone. */
  stapleChain = true;
  /** Pass the nonces of clients on to the responders. */
  forwardNonce = false;
  private readonly named: { readonly pattern: RegExp; readonly context: SecureContext }[] = [];
  private readonly onName: SNICallback | undefined;
  private told = "";

  constructor(context: SecureContext, onName?: SNICallback) {
    this.default = context;
    this.onName = onName;
  }

  /** As in node:tls, `*` stands for one label or a part of one, and of several that match the last added counts. */
  add(hostname: string, context: SecureContext): void {
    const escaped = hostname.toLowerCase().replace(/[.+?^${}()|[\]\\]/g, "\\$&");
    this.named.unshift({ pattern: new RegExp(`^${escaped.replaceAll("*", "[^.]*")}$`), context });
  }

  /** The answer to a ClientHello, at once where that is possible. Rejects with what `SNICallback` throws or answers. */
  select(hello: Hello): Answer | Promise<Answer> {
    const { onName } = this;
    const { serverName } = hello;
    if (serverName === undefined) return this.serve(this.default, hello);
    if (onName === undefined) return this.serve(this.find(serverName) ?? this.default, hello);
    return this.ask(onName, serverName).then((context) => this.serve(context, hello));
  }

  private find(serverName: string): SecureContext | undefined {
    return this.named.find(({ pattern }) => pattern.test(serverName))?.context;
  }

  private async ask(onName: SNICallback, serverName: string): Promise<SecureContext> {
    const context = await new Promise<Parameters<SNIAnswer>[1]>((resolve, reject) => {
      onName(serverName, (error, found) => (error ? reject(error) : resolve(found)));
    });
    return context ? toContext(context) : (this.find(serverName) ?? this.default);
  }

  private serve(context: SecureContext, hello: Hello): Answer | Promise<Answer> {
    const choice = context.choose(hello);
    if (choice === undefined) return faults.UNRECOGNIZED_NAME;
    const { identity, staples, staplesUntil } = choice.credentials;
    const shown: Selection = { identity, named: choice.named };
    const count = this.stapleCount(hello, choice.credentials);
    if (count === 0) return shown;
    if (staples) return { ...shown, staples: staples.slice(0, count), staplesUntil };
    return this.staple(shown, count, this.forwardNonce ? hello.nonce : undefined);
  }

  /**
   * How many certificates get a staple: the first in RFC 6066, all in RFC 6961's list and in TLS 1.3 (RFC 8446 4.4.2.1);
   * none where a session is resumed.
   */
  private stapleCount({ stapling, version: spoken, resumes }: Hello, { identity }: Credentials): number {
    if (stapling === "off" || resumes(identity)) return 0;
    const all = stapling === "v2-multi" || (spoken === version.tls13 && this.stapleChain);
    return all ? identity.certificates.length : 1;
  }

  /** Waits for the stapler only when it must fetch; how long that may take is the stapler's business. */
  private staple(shown: Selection, count: number, nonce: Uint8Array | undefined): Answer | Promise<Answer> {
    const { stapler } = this;
    if (stapler === undefined) return shown;
    const { certificates } = shown.identity;
    const selection = ({ staples, until }: Awaited<ReturnType<StapleSource["staples"]>>): Selection => ({
      ...shown,
      staples,
      staplesUntil: until,
    });
    const fresh = nonce && stapler.fresh?.(certificates, count, nonce);
    const ready = fresh ? undefined : stapler.ready(certificates, count);
    if (ready) return selection(ready);
    return (fresh ?? stapler.staples(certificates, count)).then(selection, (cause) => {
      this.complain(certificates[0], cause);
      return shown;
    });
  }

  private complain(certificate: Uint8Array, cause: unknown): void {
    const why = sourceFailed(cause);
    if (why.text === this.told) return;
    this.told = why.text;
    this.onStapleError(new StapleError(certificate, why));
  }
}
