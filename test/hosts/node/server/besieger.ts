/** The process of hostile clients, so that what it costs to be one slows nobody down. */
import { Random } from "../../../fuzz/random.js";
import { attack, attacks, deaf, sieges } from "./attacks.js";

/** Attacks a server with so many connections, so many of them at a time. */
export interface Siege {
  readonly port: number;
  readonly connections: number;
  readonly concurrency: number;
  /** One in so many is one that the server must end. */
  readonly sieges: number;
}

export interface Outcome {
  /** Connections that the server did not end in time. */
  readonly stuck: number;
  readonly milliseconds: number;
}

const random = new Random({ log: Object.assign(() => undefined, { skip: () => undefined }) });

async function besiege({ port, connections, concurrency, sieges: rarity }: Siege): Promise<Outcome> {
  const start = performance.now();
  let left = connections;
  let stuck = 0;
  const besieger = async () => {
    while (left-- > 0) {
      const kind = random.below(rarity) > 0 ? attacks : random.below(4) > 0 ? sieges : deaf;
      if (!(await attack(port, random.pick(kind), random))) stuck++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, besieger));
  return { stuck, milliseconds: performance.now() - start };
}

process.once("disconnect", () => process.exit());
process.on("message", async (siege: Siege) => process.send!(await besiege(siege)));
process.send!({});
