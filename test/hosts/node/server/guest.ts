/** The process of well-mannered clients, ours and node:tls's, one connection of each after the other. */
import { once } from "node:events";
import { connect as connectNode } from "node:tls";
import { connect } from "../../../../hosts/node/index.js";
import { rootOf } from "../servers.js";

/** `port`: begin. Absent: come to an end, and tell. */
export interface Visit {
  readonly port?: number;
}

/** How long the clients waited to be served, in milliseconds. */
export interface Experience {
  readonly ours: number[];
  readonly node: number[];
  readonly failures: string[];
}

const ca = rootOf("p256");
const words = "hello";

const clients = {
  ours: (port: number) =>
    connect({ host: "127.0.0.1", port, servername: "localhost", ca, ocsp: { policy: "leaf" } }),
  node: (port: number) => connectNode({ host: "127.0.0.1", port, servername: "localhost", ca }),
};

/** A handshake, and words that come back. */
async function talk(who: keyof typeof clients, port: number): Promise<number> {
  const start = performance.now();
  const socket = clients[who](port);
  socket.setTimeout(20_000, () => socket.destroy(new Error("not served in 20 s")));
  socket.end(words);
  let heard = "";
  socket.on("data", (chunk: Buffer) => {
    heard += chunk;
  });
  await once(socket, "end");
  if (heard !== words) throw new Error(`heard ${heard}`);
  return performance.now() - start;
}

class Guests {
  private staying = true;
  private readonly experience: Experience = { ours: [], node: [], failures: [] };
  private readonly visits: Promise<void>[];

  constructor(port: number) {
    this.visits = (["ours", "node"] as const).map((who) => this.visit(who, port));
  }

  private async visit(who: keyof typeof clients, port: number): Promise<void> {
    while (this.staying)
      await talk(who, port).then(
        (wait) => this.experience[who].push(wait),
        (error) => this.experience.failures.push(`${who}: ${error.message}`),
      );
  }

  async leave(): Promise<Experience> {
    this.staying = false;
    await Promise.all(this.visits);
    return this.experience;
  }
}

let guests: Guests | undefined;

process.once("disconnect", () => process.exit());
process.on("message", async ({ port }: Visit) => {
  if (port !== undefined) guests = new Guests(port);
  process.send!(port === undefined ? await guests!.leave() : {});
});
process.send!({});
