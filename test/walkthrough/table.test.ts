import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import test, { type ExecutionContext } from "ava";
import { credential, type Edition, fixtureFile } from "../../certs/fixtures.js";
import { fetchOcsp, type OcspFetch } from "../../hosts/node/ocsp/http.js";
import { createResponder, listen } from "../../hosts/node/responder/index.js";
import { type Cell, fillTable } from "../../hosts/node/walkthrough/cells.js";
import { type Ca, cas, responderPorts, rows, ways } from "../../hosts/node/walkthrough/table.js";
import { opensslResponder } from "../peers/peers.js";
import { withPeer } from "../peers/with-peer.js";

/** The table of the walkthrough, cell by cell: our server and client, with our responder and with openssl's. */

/** Asks responders on other ports than those that the certificates name, so that tests can run side by side. */
function elsewhere(ports: Readonly<Record<Ca, number>>): OcspFetch {
  return (url, request) => {
    const ca = cas.find((each) => new URL(url).port === `${responderPorts[each]}`);
    if (ca === undefined) throw new Error(`nobody answers at ${url}`);
    return fetchOcsp(`http://127.0.0.1:${ports[ca]}`, request);
  };
}

async function portsOf(start: (ca: Ca) => Promise<number>): Promise<Record<Ca, number>> {
  const entries = await Promise.all(cas.map(async (ca) => [ca, await start(ca)] as const));
  return Object.fromEntries(entries) as Record<Ca, number>;
}

async function ours(t: ExecutionContext, edition: Edition, ca: Ca): Promise<number> {
  const signer = credential(edition, `ocsp-${ca}`);
  const responder = await createResponder({
    authorities: [
      {
        issuer: credential(edition, ca).chain[0],
        index: fixtureFile(`good/${edition}/index-${ca}.txt`),
        signer: { cert: signer.chain[0], key: readFileSync(signer.keyFile) },
      },
    ],
    validity: 60,
  });
  const server = await listen(responder);
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function openssls(t: ExecutionContext, edition: Edition, ca: Ca): Promise<number> {
  const peer = await opensslResponder(edition, ca);
  t.teardown(() => peer.stop());
  return peer.port;
}

function check(t: ExecutionContext, cells: readonly Cell[]): void {
  t.is(cells.length, rows.length * ways.length);
  for (const { row, way, expected, got } of cells) t.is(got, expected, `${row.server}, ${way.title}`);
}

for (const edition of ["rsa", "p256"] as const) {
  test.serial(`${edition}, our responder`, async (t) => {
    const ports = await portsOf((ca) => ours(t, edition, ca));
    check(t, await fillTable(edition, { fetch: elsewhere(ports) }));
  });

  withPeer("responder")(`${edition}, openssl ocsp as the responder`, async (t) => {
    const ports = await portsOf((ca) => openssls(t, edition, ca));
    check(t, await fillTable(edition, { fetch: elsewhere(ports) }));
  });
}
