import { createRequire } from "node:module";
import type { KeyExchange } from "./exchange.js";
import type { Idle } from "./idle.js";
import type { Cell, Results } from "./measure.js";
import { type Cost, type Split, subtract } from "./split.js";
import { median, ratio, spread } from "./stats.js";

/** The results as text. */
export function report(results: Results): string {
  const blocks = [
    environment(),
    verifies(results),
    "Handshakes, one after the other over loopback TCP. Each ends with a byte of application data each way.\n" +
      "CPU is the client's, TCP included. ± is half the range of all rounds; × is to node:tls, round by round.",
    ...groups(results.handshakes, handshakeTable),
    "Handshakes at servers, with node:tls as the client; CPU is the server's",
    ...groups(results.served, handshakeTable),
    "Bulk receive, in one connection each. × is to node:tls, for the ciphers alone to its TLS 1.3",
    ...groups(results.bulk, bulkTable),
    "Bulk sent by servers to node:tls as the client, in one connection each; CPU is the server's",
    ...groups(results.sent, bulkTable),
    "Without network, in memory, stapled handshakes: what the core costs, and what its provider over node:crypto",
    splitTable(results.splits),
    "A server's connections on which nothing happens, KB for each",
    idleTable(results.idle),
    "Key exchanges alone: a key pair and the secret",
    exchangeTable(results.exchanges),
  ];
  return blocks.join("\n\n");
}

const packages = ["tlstaple", "subtls", "@reclaimprotocol/tls", "node-forge", "@noble/curves"];

function environment(): string {
  const { node, openssl, v8 } = process.versions;
  const versions = packages.map((name) => `${name} ${versionOf(name)}`);
  return [`Node.js ${node}, OpenSSL ${openssl}, V8 ${v8}`, ...versions].join("; ");
}

function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  const path = name === "tlstaple" ? "../../../package.json" : `../../../node_modules/${name}/package.json`;
  return require(path).version;
}

function verifies({ peers, first }: Results): string {
  const rows = Object.entries(peers).map(([name, { verifies, limits }]) => [
    name,
    `${first[name].toFixed(0)} ms`,
    verifies,
    limits,
  ]);
  return table([["peer", "first connection, CPU", "verifies", "limits"], ...rows], "lrll");
}

function exchangeTable(exchanges: readonly KeyExchange[]): string {
  const rows = exchanges.map(({ provider, group, bytes, cpuMicroseconds: cpu }) => [
    `${group}, ${provider}`,
    `${bytes.client}`,
    `${bytes.server}`,
    `${cpu.client.toFixed(0)} µs`,
    `${cpu.server.toFixed(0)} µs`,
  ]);
  return table([["", "client's share", "server's share", "client, CPU", "server, CPU"], ...rows], "lrrrr");
}

/** A table for each scenario and kind of staple. */
function groups(cells: readonly Cell[], render: (cells: readonly Cell[], all: readonly Cell[]) => string) {
  const titles = [...new Set(cells.map(title))];
  return titles.map((wanted) => {
    const group = cells.filter((cell) => title(cell) === wanted);
    return `${wanted}\n${render(group, cells)}`;
  });
}

function title({ scenario, staple }: Cell): string {
  const what = titles[scenario] ?? `TLS ${scenario}`;
  return staple ? `${what}, with OCSP staple` : what;
}

const titles: Readonly<Record<string, string>> = Object.freeze({
  tcp: "no TLS",
  opening: "no connection: only node:crypto's calls that open as many records of 16 KiB",
  sealing: "no connection: only those that seal them",
});

/** node:tls on the same scenario, or on the nearest that it speaks. */
function baseOf(cell: Cell, all: readonly Cell[]): Cell | undefined {
  const bases = all.filter(({ peer, staple }) => peer === "node:tls" && staple === cell.staple);
  const wanted = [cell.scenario, ...(nearest[cell.scenario] ?? [])];
  return wanted.map((id) => bases.find(({ scenario }) => scenario === id)).find((base) => base);
}

const nearest: Readonly<Record<string, string[]>> = Object.freeze({
  "1.1 RSA": ["1.2 RSA", "1.2 P-256"],
  tcp: ["1.3 P-256"],
  opening: ["1.3 P-256"],
  sealing: ["1.3 P-256"],
});

function handshakeTable(cells: readonly Cell[], all: readonly Cell[]): string {
  const rows = cells.map((cell) => {
    const perSecond = cell.wall.map((wall) => 1000 / wall);
    const base = baseOf(cell, all);
    return [
      cell.peer,
      median(perSecond).toFixed(0),
      percent(spread(perSecond)),
      median(cell.cpu).toFixed(2),
      percent(spread(cell.cpu)),
      base ? ratio(cell.cpu, base.cpu).toFixed(2) : "",
      cell.facts,
    ];
  });
  return table([["peer", "per s", "±", "CPU ms", "±", "× CPU", "negotiated"], ...rows], "lrrrrrl");
}

function bulkTable(cells: readonly Cell[], all: readonly Cell[]): string {
  const rows = cells.map((cell) => {
    const speed = rates(cell, cell.wall);
    const perCpu = rates(cell, cell.cpu);
    const base = baseOf(cell, all);
    return [
      cell.peer,
      median(speed).toFixed(0),
      percent(spread(speed)),
      base ? ratio(speed, rates(base, base.wall)).toFixed(2) : "",
      median(perCpu).toFixed(0),
      percent(spread(perCpu)),
      base ? ratio(perCpu, rates(base, base.cpu)).toFixed(2) : "",
      `${cell.bytes / MIB} MiB, ${cell.facts}`,
    ];
  });
  const head = ["peer", "MiB/s", "±", "× rate", "MiB per CPU s", "±", "× per CPU", "how"];
  return table([head, ...rows], "lrrrrrrl");
}

const MIB = 1 << 20;

/** MiB per second, from milliseconds per connection. */
function rates({ bytes }: Cell, milliseconds: readonly number[]): number[] {
  return milliseconds.map((each) => (bytes / MIB / each) * 1000);
}

function splitTable(splits: readonly Split[]): string {
  const rows = splits.flatMap(({ scenario, handshake, record, construction }) => [
    splitRow(`TLS ${scenario}: handshake, core`, handshake.core),
    splitRow("  provider", subtract(handshake.all, handshake.core)),
    splitRow("  record of 16 KiB, core", record.core),
    splitRow("  provider", subtract(record.all, record.core)),
    splitRow("  a new client and its buffers", construction),
  ]);
  return table([["", "CPU µs", "heap bytes", "buffer bytes"], ...rows], "lrrr");
}

function splitRow(name: string, { cpuMicroseconds, heap, buffers }: Cost): string[] {
  return [name, cpuMicroseconds.toFixed(1), heap.toFixed(0), buffers.toFixed(0)];
}

function idleTable(idle: readonly Idle[]): string {
  const kb = (bytes: number) => (bytes / 1024).toFixed(1);
  const rows = idle.map(({ server, state, connections, resident, heap, buffers }) => [
    state === "silent" ? "TCP, not a byte came" : `${state}, handshake done`,
    server,
    kb(resident),
    kb(heap),
    kb(buffers),
    `${connections}`,
  ]);
  return table([["", "server", "resident", "heap", "buffers", "connections"], ...rows], "llrrrr");
}

function percent(part: number): string {
  return `${(part * 100).toFixed(0)}%`;
}

/** Columns as wide as their widest cell; `align` has an l or r for each. */
export function table(rows: readonly (readonly string[])[], align: string): string {
  const widths = [...align].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (cell: string, column: number) =>
    align[column] === "l" ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return rows.map((row) => `  ${row.map(pad).join("  ").trimEnd()}`).join("\n");
}
