import { type Introduction, type Order, peerNames, type Sample } from "./client.js";
import { exchanges, type KeyExchange } from "./exchange.js";
import { type Idle, type Idleness, idle } from "./idle.js";
import type { Idler } from "./idler.js";
import { Helper } from "./process.js";
import { connecting, findScenario, SERVER_NAME, servedScenarios, trustedRoot } from "./scenarios.js";
import { add, countingFlags, type Split, type SplitOrder } from "./split.js";

/** How long to measure. */
export interface Plan {
  readonly rounds: number;
  /** For one sample. */
  readonly milliseconds: number;
  /** Milliseconds until a peer's code counts as compiled: its first connections are ten times as slow. */
  readonly warmUp: number;
  /** Connections on which nothing happens, at each server. */
  readonly idle: number;
}

/** One peer in one scenario, and what was measured in each round. */
export interface Cell {
  readonly peer: string;
  readonly scenario: string;
  readonly staple: boolean;
  /** Received on each connection. */
  readonly bytes: number;
  readonly facts: string;
  /** Milliseconds for each connection. */
  readonly wall: number[];
  readonly cpu: number[];
}

export interface Results {
  readonly peers: Readonly<Record<string, Introduction>>;
  /** CPU milliseconds of the first connection that each peer's process makes. */
  readonly first: Readonly<Record<string, number>>;
  readonly handshakes: readonly Cell[];
  /** Of servers, whose CPU it is; the client is node:tls. */
  readonly served: readonly Cell[];
  /** Bulk data that these servers send. */
  readonly sent: readonly Cell[];
  readonly bulk: readonly Cell[];
  readonly splits: readonly Split[];
  readonly idle: readonly Idle[];
  readonly exchanges: readonly KeyExchange[];
}

interface Client {
  readonly name: string;
  readonly introduction: Introduction;
  readonly helper: Helper<Order>;
}

async function startClient(name: string): Promise<Client> {
  const helper = new Helper<Order>("client.js", [name], ["--no-deprecation"]);
  return { name, helper, introduction: await helper.answer<Introduction>() };
}

/** Starts the server and one process for each peer, measures, and stops them all. */
export async function measure(plan: Plan, progress: (what: string) => void): Promise<Results> {
  const server = new Helper("server.js");
  const ports = await server.answer<Record<string, number>>();
  const clients = await Promise.all(peerNames.map(startClient));
  const bench = new Bench(plan, ports, clients, progress);
  try {
    const first = await bench.warmUp();
    const handshakes = await bench.handshakes();
    const { served, sent } = await bench.served(server);
    const bulk = await bench.bulk();
    const splits = await bench.splits();
    const peers = Object.fromEntries(clients.map(({ name, introduction }) => [name, introduction]));
    const idle = await bench.idle();
    progress("key exchanges");
    const keys = exchanges(10 * plan.rounds);
    return { peers, first, handshakes, served, sent, bulk, splits, idle, exchanges: keys };
  } finally {
    for (const { helper } of clients) helper.close();
    server.close();
  }
}

/** A server process, and its port for each scenario. */
class Server {
  readonly name: string;
  readonly ports: Readonly<Record<string, number>>;
  private readonly helper: Helper<object>;

  constructor(name: string, helper: Helper<object>, ports: Readonly<Record<string, number>>) {
    this.name = name;
    this.helper = helper;
    this.ports = ports;
  }

  /** Milliseconds of CPU that it has used so far. */
  async cpu(): Promise<number> {
    const { user, system } = await this.helper.ask<NodeJS.CpuUsage>({});
    return (user + system) / 1000;
  }
}

const idlenesses: readonly Idleness[] = ["silent", "TLSv1.3", "TLSv1.2"];
const idlers: readonly Idler[] = ["node:tls", "tlstaple"];

const MIB = 1 << 20;
/** Slow peers get less, so that a sample takes about as long. */
const bulkSizes = [64 * MIB, 16 * MIB, 4 * MIB];

class Bench {
  private readonly plan: Plan;
  private readonly ports: Readonly<Record<string, number>>;
  private readonly clients: readonly Client[];
  private readonly progress: (what: string) => void;

  constructor(
    plan: Plan,
    ports: Readonly<Record<string, number>>,
    clients: readonly Client[],
    progress: (what: string) => void,
  ) {
    this.plan = plan;
    this.ports = ports;
    this.clients = clients;
    this.progress = progress;
  }

  /** One peer after the other, in all that it can do. */
  async warmUp(): Promise<Record<string, number>> {
    const first: Record<string, number> = {};
    for (const client of this.clients) {
      this.progress(`warming up: ${client.name}`);
      const { scenarios, staples } = client.introduction;
      first[client.name] = (await this.sample(client, scenarios[0], staples, 1, 0)).cpu;
      for (const id of scenarios)
        await this.sample(client, id, staples, 1, this.plan.warmUp / scenarios.length);
    }
    return first;
  }

  /** Every scenario, without a staple, and with one for those who can. */
  async handshakes(): Promise<Cell[]> {
    const cells: Cell[] = [];
    for (const { id } of connecting)
      for (const staple of [false, true]) {
        const clients = this.able(id, staple);
        if (clients.length === 0) continue;
        this.progress(`handshakes: ${id}${staple ? ", stapled" : ""}`);
        cells.push(...(await this.rounds(clients, id, staple, () => 1)));
      }
    return cells;
  }

  /** Stapled handshakes, and then bulk data, at node:tls's server and at ours, in turns; the client is node:tls. */
  async served(node: Helper<object>): Promise<Pick<Results, "served" | "sent">> {
    const own = new Helper<object>("server.js", ["tlstaple"]);
    const servers = [
      new Server("node:tls", node, this.ports),
      new Server("tlstaple", own, await own.answer<Record<string, number>>()),
    ];
    this.progress("warming up: servers");
    for (const server of servers)
      for (const id of servedScenarios) await this.visit(server, id, this.plan.warmUp / 2);
    const served: Cell[] = [];
    for (const id of servedScenarios) {
      this.progress(`handshakes at servers: ${id}`);
      served.push(...(await this.serverRounds(servers, id)));
    }
    const sent: Cell[] = [];
    for (const id of ["1.3 P-256", "1.2 P-256"]) {
      this.progress(`bulk at servers: ${id}`);
      for (const server of servers) await this.visit(server, id, this.plan.warmUp / 4, bulkSizes[0]);
      sent.push(...(await this.serverRounds(servers, id, bulkSizes[0])));
    }
    own.close();
    return { served, sent };
  }

  private async serverRounds(servers: readonly Server[], id: string, bytes = 1): Promise<Cell[]> {
    const { rounds, milliseconds } = this.plan;
    const cells: Cell[] = [];
    for (const server of servers) {
      const { facts } = await this.visit(server, id, 0, bytes);
      cells.push({ peer: server.name, scenario: id, staple: true, bytes, facts, wall: [], cpu: [] });
    }
    for (let round = 0; round < rounds; round++)
      for (const [i, server] of servers.entries()) {
        const before = await server.cpu();
        const { connections, wall } = await this.visit(server, id, milliseconds, bytes);
        cells[i].wall.push(wall / connections);
        cells[i].cpu.push(((await server.cpu()) - before) / connections);
      }
    return cells;
  }

  private visit({ ports }: Server, id: string, milliseconds: number, bytes = 1): Promise<Sample> {
    const client = this.clients.find(({ name }) => name === "node:tls")!;
    return this.sample(client, id, true, bytes, milliseconds, ports[id]);
  }

  /** Bulk data depends on version and suite only. */
  async bulk(): Promise<Cell[]> {
    const cells: Cell[] = [];
    for (const id of ["1.3 P-256", "1.2 P-256", "1.1 RSA", "tcp", "opening", "sealing"]) {
      this.progress(`bulk: ${id}`);
      // What is remembered of a handshake is nothing to data
      const clients = this.able(id, false).filter(({ name }) => name !== "tlstaple again");
      const sizes = new Map<Client, number>();
      for (const client of clients) sizes.set(client, await this.affordable(client, id));
      cells.push(...(await this.rounds(clients, id, false, (client) => sizes.get(client) ?? 0)));
    }
    return cells;
  }

  async splits(): Promise<Split[]> {
    const timer = new Helper<SplitOrder>("split.js", ["time"]);
    const counter = new Helper<SplitOrder>("split.js", ["count"], countingFlags);
    await Promise.all([timer.answer(), counter.answer()]);
    const found: Split[] = [];
    for (const scenario of ["1.3 P-256", "1.2 P-256"]) {
      this.progress(`core and provider: ${scenario}`);
      const order = { scenario, port: this.ports[scenario], milliseconds: 3 * this.plan.milliseconds };
      found.push(merge(await timer.ask<Split>(order), await counter.ask<Split>(order)));
    }
    timer.close();
    counter.close();
    return found;
  }

  async idle(): Promise<Idle[]> {
    const found: Idle[] = [];
    for (const state of idlenesses) {
      this.progress(`idle connections: ${state}`);
      for (const server of idlers) found.push(await idle(server, state, this.plan.idle));
    }
    return found;
  }

  private able(id: string, staple: boolean): Client[] {
    return this.clients.filter(
      ({ introduction: { scenarios, staples } }) => scenarios.includes(id) && (staples || !staple),
    );
  }

  /** A B C, A B C, ... after one connection of each, which says what is negotiated. */
  private async rounds(
    clients: readonly Client[],
    id: string,
    staple: boolean,
    bytesOf: (client: Client) => number,
  ): Promise<Cell[]> {
    const { rounds, milliseconds } = this.plan;
    const cells: Cell[] = [];
    for (const client of clients) {
      const bytes = bytesOf(client);
      const { facts } = await this.sample(client, id, staple, bytes, 0);
      cells.push({ peer: client.name, scenario: id, staple, bytes, facts, wall: [], cpu: [] });
    }
    for (let round = 0; round < rounds; round++)
      for (let i = 0; i < clients.length; i++) {
        const sample = await this.sample(clients[i], id, staple, cells[i].bytes, milliseconds);
        cells[i].wall.push(sample.wall / sample.connections);
        cells[i].cpu.push(sample.cpu / sample.connections);
      }
    return cells;
  }

  /** The largest size that a peer receives within a sample's time, when it has warmed up to it. */
  private async affordable(client: Client, id: string): Promise<number> {
    const trial = bulkSizes[bulkSizes.length - 1];
    await this.sample(client, id, false, trial, this.plan.warmUp / 4);
    const { wall } = await this.sample(client, id, false, trial, 0);
    const fits = (size: number) => (wall * size) / trial <= 2 * this.plan.milliseconds;
    return bulkSizes.find(fits) ?? trial;
  }

  private sample(
    client: Client,
    id: string,
    staple: boolean,
    bytes: number,
    milliseconds: number,
    port = this.ports[id],
  ): Promise<Sample> {
    const { edition, version } = findScenario(id);
    const target = { port, name: SERVER_NAME, root: trustedRoot(edition), version, staple };
    // A connection at least, even in no time at all
    return client.helper.ask<Sample>({ target, bytes, milliseconds: Math.max(milliseconds, 1) });
  }
}

function merge(a: Split, b: Split): Split {
  const both = (x: Split["record"], y: Split["record"]) => ({
    all: add(x.all, y.all),
    core: add(x.core, y.core),
  });
  return {
    scenario: a.scenario,
    handshake: both(a.handshake, b.handshake),
    record: both(a.record, b.record),
    construction: add(a.construction, b.construction),
  };
}
