import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { credential, type Edition } from "../../../certs/fixtures.js";
import { run } from "../commands/program.js";
import { createServer, type Server, Stapler, type StaplerOptions } from "../index.js";
import { clientArgs } from "./commands.js";
import { outcomeOf, type Row, rows, type Way, ways } from "./table.js";

/** One cell of the table, as it came out. */
export interface Cell {
  readonly row: Row;
  readonly way: Way;
  readonly expected: string;
  readonly got: string;
}

/** Our stapling server with a certificate of the test PKI, on a free port of 127.0.0.1. */
async function serve(edition: Edition, row: Row, stapler: Stapler): Promise<Server> {
  const { certificateFile, keyFile } = credential(edition, row.server);
  const ocsp = { nonce: row.nonce && ("forward" as const) };
  const server = createServer(
    { cert: readFileSync(certificateFile), key: readFileSync(keyFile), stapler, ocsp },
    (socket) => socket.end("hello from tlstaple\n"),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Fills the table for one edition: every server, asked by `tlstaple client` in every way. */
export async function fillTable(edition: Edition, options: StaplerOptions = {}): Promise<Cell[]> {
  const cells: Cell[] = [];
  const stapler = new Stapler(options);
  for (const row of rows) {
    const server = await serve(edition, row, stapler);
    const { port } = server.address() as AddressInfo;
    for (const [i, way] of ways.entries()) {
      const got = await ask(edition, port, row.nonce ? [...way.flags, "--nonce-required"] : way.flags);
      cells.push({ row, way, expected: row.expected[i], got });
    }
    server.close();
  }
  stapler.close();
  return cells;
}

async function ask(edition: Edition, port: number, flags: readonly string[]): Promise<string> {
  const errors: string[] = [];
  const code = await run(
    clientArgs(edition, port, ...flags),
    { write: () => undefined },
    { write: (text) => errors.push(text.toString()) },
  );
  return outcomeOf(code, errors.join(""));
}
