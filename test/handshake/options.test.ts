import test from "ava";
import { provider } from "../../hosts/node/provider.js";
import { configure as configureClient } from "../../src/client/index.js";
import { commonDefaults, put } from "../../src/handshake/options.js";
import { configure as configureServer } from "../../src/server/index.js";

const client = { provider, serverName: "localhost", trust: [], clock: () => undefined };
const server = { provider, select: () => undefined, clock: () => undefined };

const configured: [string, (options: object) => { readonly ocsp: { readonly skew: number } }][] = [
  ["client", (options) => configureClient({ ...client, ...options })],
  ["server", (options) => configureServer({ ...server, ...options })],
];

for (const [role, configure] of configured) {
  test(`${role}: an option that there is not is refused, with its place`, (t) => {
    const refuses = (options: object, name: string) =>
      t.throws(() => configure(options), {
        instanceOf: TypeError,
        message: new RegExp(`: ${name}: there is no`),
      });
    refuses({ verfiy: false }, "verfiy");
    refuses({ verfiy: undefined }, "verfiy");
    refuses({ ocsp: { polcy: "leaf" } }, "ocsp.polcy");
    refuses({ buffers: { inptu: 4096 } }, "buffers.inptu");
  });

  test(`${role}: what is undefined undoes no default, and what is given wins`, (t) => {
    t.is(configure({ ocsp: { skew: undefined } }).ocsp.skew, 900);
    t.is(configure({ ocsp: { skew: 0 } }).ocsp.skew, 0);
  });
}

test("what is filled in inherits the defaults, and does not change them", (t) => {
  const filled = put<{ verify?: boolean; maxCertificates?: number }>(Object.create(commonDefaults), {
    maxCertificates: 2,
  });
  t.deepEqual([filled.verify, filled.maxCertificates], [true, 2]);
  t.deepEqual(Object.keys(filled), ["maxCertificates"]);
  t.is(commonDefaults.maxCertificates, 8);
});
