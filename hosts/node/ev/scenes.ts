/** A vehicle and a charger on loopback, by both standards: what must come of each meeting. */

import { once } from "node:events";
import type { Issued } from "../../../certs/certificate.js";
import { pem } from "../../../certs/certificate.js";
import type { KeyType } from "../../../certs/keys.js";
import { portOf } from "../common/demonstration.js";
import {
  type ConnectOptions,
  connect,
  createServer,
  type ProfileName,
  type ServerSocket,
  Stapler,
  type TLSSocket,
  TlsError,
} from "../index.js";
import { createResponder, listen } from "../responder/index.js";
import { type Branch, branch, posing, serialOf, shown } from "./pki.js";

/** The charger of one scene, and the vehicle that meets it. */
export interface Scene {
  readonly what: string;
  /** Chains of the charger, the default first. */
  readonly charger: readonly Branch[];
  readonly stapler: Stapler;
  /** The V2G roots that the vehicle trusts. */
  readonly trusted: readonly Issued[];
  /** What must come of it: the common name of the charger's certificate, or the fault. */
  readonly expected: string;
  /** -20: the vehicle's own, where it is not the good one. */
  readonly vehicle?: Branch;
}

/** What came of one. */
export interface Outcome {
  readonly got: string;
  readonly socket: TLSSocket;
  /** What the charger heard of the vehicle, or why it refused it. */
  readonly charger: string;
}

/** What all scenes of a standard share. */
export interface Stage {
  readonly profile: ProfileName;
  readonly scenes: readonly Scene[];
  readonly vehicle: Branch | undefined;
  close(): void;
}

/** Keys of certificates: a charger's, and a vehicle's where it has one. */
const keyTypes: Readonly<Record<ProfileName, { charger: KeyType; vehicle?: KeyType; domain: string }>> =
  Object.freeze({
    "iso15118-2": { charger: "p256", domain: "CPO" },
    "iso15118-20": { charger: "p521", vehicle: "ed448", domain: "CSO" },
  });

/** Makes the certificates, and starts the OCSP responder of all CAs. */
export async function stageOf(profile: ProfileName): Promise<Stage> {
  const { charger, vehicle, domain } = keyTypes[profile];
  const made = (name: string, root: string) =>
    branch(charger, { name, domain, operator: `${domain} of ${root}`, root });
  const [north, south, west] = ["North", "South", "West"].map((area) =>
    made(`Charger ${area}`, `V2G Root ${area}`),
  );
  const revoked = made("Charger of a revoked Sub-CA", "V2G Root East");
  const shop = posing(charger, north, "No charger", "OEM");
  const responder = await startResponder([north, south, revoked, shop], [revoked.subCas[1]]);
  const stapler = new Stapler({ overrideUrl: responder.url, issuers: [north, south, revoked].map(rootPem) });
  const deaf = new Stapler({ overrideUrl: "http://127.0.0.1:1/", issuers: rootPem(north) });
  const own = vehicle && branch(vehicle, vehicleOf("Vehicle Root"));
  const stranger = vehicle && branch(vehicle, vehicleOf("Unknown Vehicle Root"));
  const both = [north, south];
  const scenes: Scene[] = [
    { what: "a good charger", charger: [north], stapler, trusted: [north.root], expected: "Charger North" },
    {
      what: "its Sub-CA 2 is revoked",
      charger: [revoked],
      stapler,
      trusted: [revoked.root],
      expected: "OCSP_CERT_REVOKED",
    },
    {
      what: "no staple: the charger reaches no responder",
      charger: [north],
      stapler: deaf,
      trusted: [north.root],
      expected: "OCSP_STAPLE_MISSING",
    },
    {
      what: "a charger with two chains, a vehicle that trusts the second root",
      charger: both,
      stapler,
      trusted: [south.root],
      expected: "Charger South",
    },
    {
      what: "a vehicle that trusts another root: it gets the first chain, and refuses it",
      charger: both,
      stapler,
      trusted: [west.root],
      expected: "CERT_UNKNOWN_ISSUER",
    },
    {
      what: "a certificate of the same CAs that is no charger's",
      charger: [shop],
      stapler,
      trusted: [north.root],
      expected: "CERT_NAME_MISMATCH",
    },
  ];
  if (stranger)
    scenes.push({
      what: "a vehicle of a maker that the charger does not know",
      charger: [north],
      stapler,
      trusted: [north.root],
      vehicle: stranger,
      expected: "PEER_ALERT",
    });
  const close = () => {
    stapler.close();
    deaf.close();
    responder.close();
  };
  return { profile, scenes, vehicle: own, close };
}

const vehicleOf = (root: string) => ({ name: "Vehicle 1", domain: "OEM", operator: "Vehicle", root });

const rootPem = ({ root }: Branch) => pem(root.der);

/** One responder for all CAs, each of which signs for itself. */
async function startResponder(branches: readonly Branch[], revoked: readonly Issued[]) {
  const serials = revoked.map(serialOf);
  const revocation = {
    status: "revoked",
    revocationTime: new Date("2026-01-01T00:00:00Z"),
    revocationReason: 1,
  } as const;
  const index = (serial: string) => (serials.includes(serial) ? revocation : ({ status: "good" } as const));
  const issuers = new Set(branches.flatMap(({ root, subCas }) => [root, ...subCas]));
  const authorities = [...issuers].map(({ der, key }) => ({
    issuer: der,
    index,
    signer: { cert: der, key: key.secret },
  }));
  const server = await listen(await createResponder({ authorities, validity: 3600 }));
  return { url: `http://127.0.0.1:${await portOf(server)}/`, close: () => server.close() };
}

/** One meeting. */
export async function meet(stage: Stage, scene: Scene, more: Partial<ConnectOptions> = {}): Promise<Outcome> {
  const { profile, vehicle = undefined } = stage;
  const { charger, stapler, trusted } = scene;
  const own = scene.vehicle ?? vehicle;
  const server = createServer({
    profile,
    cert: charger.map((each) => shown(each).cert),
    key: charger.map((each) => shown(each).key),
    roots: charger.map(rootPem),
    ca: vehicle && rootPem(vehicle),
    stapler,
  });
  const heard = whatIsHeard(server);
  const socket = connect({
    profile,
    host: "127.0.0.1",
    port: await portOf(server),
    ca: trusted.map(({ der }) => pem(der)),
    ...(own && shown(own)),
    ...more,
  });
  const got = await settled(socket);
  server.close();
  return { got, socket, charger: await heard };
}

/** What the charger's side says at the end. */
function whatIsHeard(server: ReturnType<typeof createServer>): Promise<string> {
  return new Promise((resolve) => {
    server.once("secureConnection", (socket: ServerSocket) => {
      const peer = socket.getPeerCertificate()?.subject?.CN;
      socket.on("error", () => undefined);
      resolve(peer === undefined ? "a vehicle without a certificate" : `${peer}`);
      socket.end("V2G");
    });
    server.once("tlsClientError", (error: Error & { code?: string }) => resolve(error.code ?? error.message));
  });
}

/** The charger's name once it is found good and has spoken, or the fault. */
async function settled(socket: TLSSocket): Promise<string> {
  try {
    await once(socket, "secureConnect");
    const name = `${socket.getPeerCertificate()?.subject.CN}`;
    // In TLS 1.3 the charger judges the vehicle after the vehicle is done
    for await (const _ of socket);
    return name;
  } catch (error) {
    return error instanceof TlsError ? error.code : String(error);
  }
}
