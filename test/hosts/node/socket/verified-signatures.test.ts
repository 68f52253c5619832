/** `verifiedSignatures`: what connections of a process, a context or a server remember. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import test, { type ExecutionContext } from "ava";
import { credential } from "../../../../certs/fixtures.js";
import {
  Agent,
  type ConnectOptions,
  connect,
  createContext,
  provider,
  type ServerOptions,
} from "../../../../hosts/node/index.js";
import { settleServer } from "../../../../hosts/node/server/options.js";
import { settle } from "../../../../hosts/node/socket/options.js";
import { sharedMemories } from "../../../../hosts/node/socket/verified-signatures.js";
import type { Provider } from "../../../../src/crypto/index.js";
import { serveOurs } from "../ours.js";
import { rootOf } from "../servers.js";

const versions = ["TLSv1.2", "TLSv1.3"] as const;
const ca = rootOf("p256");

/** Node's provider, and how many signatures it verified. */
function counting(): { readonly provider: Provider; verified: number } {
  const counted = {
    verified: 0,
    provider: {
      ...provider,
      verification(scheme: number) {
        const inner = provider.verification(scheme);
        return {
          update: (bytes: Uint8Array, start: number, end: number) => inner.update(bytes, start, end),
          end: () => inner.end(),
          digest: (out: Uint8Array, at: number) => inner.digest(out, at),
          settle(...all: Parameters<typeof inner.settle>) {
            counted.verified++;
            return inner.settle(...all);
          },
        };
      },
    },
  };
  return counted;
}

/** How many signatures are verified in each of several connections, one after the other. */
async function verifiedIn(
  t: ExecutionContext,
  counted: { verified: number },
  each: readonly ConnectOptions[],
  serverOptions?: ServerOptions,
): Promise<number[]> {
  const { port } = await serveOurs(t, { sessionTimeout: 0, stapleChain: false, ...serverOptions }, (socket) =>
    socket.end("x"),
  );
  const numbers: number[] = [];
  for (const options of each) {
    counted.verified = 0;
    const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca, ...options });
    socket.resume();
    await once(socket, "secureConnect");
    t.true(socket.authorized);
    t.is(socket.ocsp[0].status, "good");
    await once(socket, "close");
    numbers.push(counted.verified);
  }
  return numbers;
}

for (const version of versions) {
  const only = { minVersion: version, maxVersion: version } as const;

  test(`${version}: the second handshake with a server verifies one signature, not five`, async (t) => {
    const counted = counting();
    const options = { ...only, provider: counted.provider };
    t.deepEqual(await verifiedIn(t, counted, [options, options, options]), [5, 1, 1]);
    t.deepEqual(
      await verifiedIn(t, counted, [{ ...options, context: createContext() }]),
      [1],
      "all share it",
    );
  });

  test(`${version}: 0 turns it off, another number has a memory for each context`, async (t) => {
    const counted = counting();
    const options = { ...only, provider: counted.provider };
    const off = { ...options, verifiedSignatures: 0 };
    t.deepEqual(await verifiedIn(t, counted, [options, off, off, options]), [5, 5, 5, 1]);
    const [one, another] = [8, 8].map((count) => ({
      ...options,
      context: createContext({ verifiedSignatures: count }),
    }));
    t.deepEqual(await verifiedIn(t, counted, [one, one, another, another, one]), [5, 1, 5, 1, 1]);
    t.deepEqual(await verifiedIn(t, counted, [{ ...one, verifiedSignatures: 0 }]), [5], "the session's wins");
    const few = { ...options, context: createContext({ verifiedSignatures: 1 }) };
    t.deepEqual(await verifiedIn(t, counted, [few, few]), [5, 5]);
  });

  test(`${version}: no provider takes the word of another`, async (t) => {
    const [mine, theirs] = [counting(), counting()];
    const context = createContext({ verifiedSignatures: 20 });
    const by = (counted: { provider: Provider }) => ({ ...only, context, provider: counted.provider });
    t.deepEqual(await verifiedIn(t, mine, [by(mine), by(mine)]), [5, 1]);
    t.deepEqual(await verifiedIn(t, theirs, [by(theirs), by(theirs)]), [5, 1]);
  });

  test(`${version}: a server remembers its clients' certificates`, async (t) => {
    const { certificateFile, keyFile } = credential("client", "p256");
    const client = { ...only, cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
    const clientCa = readFileSync(credential("client", "ca").certificateFile);
    const verified = async (options: ServerOptions) => {
      const counted = counting();
      const own = { requestCert: true, ca: clientCa, provider: counted.provider, ...options };
      return await verifiedIn(t, counted, [client, client], own);
    };
    const [first, second] = await verified({});
    t.true(first > 1);
    t.is(second, 1);
    t.deepEqual(await verified({ verifiedSignatures: 7 }), [first, 1]);
    t.deepEqual(await verified({ verifiedSignatures: 0 }), [first, first]);
  });
}

test("by default all share one memory, of connections and servers", (t) => {
  const remembered = (options: ConnectOptions) => settle(options).core.remembered;
  t.is(remembered({}), sharedMemories);
  t.is(remembered({ verifiedSignatures: 256 }), sharedMemories);
  t.is(settleServer({}).core.remembered, sharedMemories);
  t.not(settleServer({ verifiedSignatures: 255 }).core.remembered, sharedMemories);
  t.not(remembered({ context: createContext({ verifiedSignatures: 257 }) }), sharedMemories);
  const context = createContext({ verifiedSignatures: 0 });
  t.is(remembered({ context, verifiedSignatures: 256 }), sharedMemories);
  t.is(remembered({ context }), remembered({ verifiedSignatures: 0 }));
});

test("numbers that can't be", (t) => {
  const wrong = [-1, 0.5, 4097, Number.NaN, Number.POSITIVE_INFINITY];
  for (const verifiedSignatures of wrong) {
    const expected = { instanceOf: RangeError, code: "ERR_TLSTAPLE_OPTION_VALUE" };
    t.throws(() => createContext({ verifiedSignatures }), expected, `${verifiedSignatures}`);
    t.throws(() => settleServer({ verifiedSignatures }), expected, `${verifiedSignatures}`);
  }
  for (const value of ["256", null, true]) {
    const verifiedSignatures = value as never;
    t.throws(() => createContext({ verifiedSignatures }), { code: "ERR_TLSTAPLE_OPTION_TYPE" });
  }
  t.notThrows(() => createContext({ verifiedSignatures: 4096 }));
});

test("an agent's connections are not told apart by it", (t) => {
  const agent = new Agent();
  t.is(agent.getName({ host: "a.example", verifiedSignatures: 0 }), agent.getName({ host: "a.example" }));
});
