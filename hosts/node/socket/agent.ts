import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions, type RequestOptions } from "node:https";
import { type ConnectOptions, type ContextOption, type ContextOptions, contextOptions } from "./options.js";
import { TLSSocket } from "./socket.js";

/** What https.Agent tells connections apart by itself, and what makes none different. */
const others: readonly ContextOption[] = [
  "ca",
  "minVersion",
  "maxVersion",
  "rejectUnauthorized",
  "handshakeTimeout",
  "buffers",
  "verifiedSignatures",
];

/** What makes connections different from each other, beyond that. */
const distinguishing = ["context", ...contextOptions.filter((name) => !others.includes(name))] as const;

/** Options of an `Agent`: those of https.Agent, and what its connections share. */
export type AgentOptions = Omit<HttpsAgentOptions, keyof ContextOptions> &
  ContextOptions &
  Pick<ConnectOptions, "context">;

/** An https.Agent whose connections are ours. It pools a connection only for requests with the same options. */
export class Agent extends HttpsAgent {
  /** Numbers for what is compared by identity: contexts, functions, certificates' bytes. */
  private readonly identities = new WeakMap<object, number>();
  private lastIdentity = 0;
  /** The latest session for each name, the one used last at the end. */
  private readonly sessions = new Map<string, Buffer>();

  constructor(options?: AgentOptions) {
    super(options as HttpsAgentOptions);
  }

  /** As https.Agent's, it resumes the session of a connection before, unless one is given. */
  override createConnection(options: RequestOptions & ConnectOptions): TLSSocket {
    const name = this.getName(options);
    const socket = new TLSSocket({ session: this.sessions.get(name), ...options });
    socket.on("session", (session: Buffer) => this.keep(name, session));
    socket.on("error", () => this.sessions.delete(name));
    return socket;
  }

  private keep(name: string, session: Buffer): void {
    const { maxCachedSessions = 100 } = this.options as { maxCachedSessions?: number };
    this.sessions.delete(name);
    this.sessions.set(name, session);
    const [oldest] = this.sessions.keys();
    if (this.sessions.size > maxCachedSessions) this.sessions.delete(oldest);
  }

  override getName(options: RequestOptions & ConnectOptions = {}): string {
    const ours = [
      ...distinguishing.map((name) => options[name]),
      ...[options.key, options.pfx].filter(isNested),
    ];
    return `${super.getName(options)}:${JSON.stringify(ours, (_, value) => this.identify(value))}`;
  }

  /** Plain values stand for themselves; everything that has an identity for that. */
  private identify(value: unknown): unknown {
    if (!isOpaque(value)) return value;
    const known = this.identities.get(value) ?? ++this.lastIdentity;
    this.identities.set(value, known);
    return `#${known}`;
  }
}

/** What https.Agent tells from no other: keys with a passphrase of their own. */
function isNested(value: unknown): boolean {
  return typeof value === "object" && !ArrayBuffer.isView(value);
}

function isOpaque(value: unknown): value is object {
  if (typeof value === "function") return true;
  const plain = Array.isArray(value) || Object.getPrototypeOf(value ?? {}) === Object.prototype;
  return typeof value === "object" && value !== null && !plain;
}
