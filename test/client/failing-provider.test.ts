import test from "ava";
import { provider } from "../../hosts/node/provider.js";
import { faults, type Provider, version, wants } from "../../src/client/index.js";
import { servers } from "../peers/identity.js";
import { Link } from "./link.js";

// A provider whose library is out of memory throws, at any call: of that nothing may pass the public API, as on
// a device it would end the whole program.

const outOfMemory = new Error("out of memory");

/** The provider, its objects too, until the call number `last`; from then on every call throws. */
function failing(last: number): { provider: Provider; failed: () => boolean } {
  let calls = 0;
  const guard = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const value = Reflect.get(object, name);
        // `dispose` never throws, as src/crypto/provider.ts has it, and `longShare` is a table
        if (typeof value !== "function" || name === "dispose" || name === "longShare") return value;
        return (...args: unknown[]) => {
          if (calls++ >= last) throw outOfMemory;
          const result = value.apply(object, args);
          return typeof result === "object" && result !== null ? guard(result) : result;
        };
      },
    });
  return { provider: guard({ ...provider }), failed: () => calls > last };
}

/** Uses every method that may call the provider. */
function connect(protocol: number, provider: Provider): Link {
  const link = new Link(
    { ...servers.p256, version: protocol },
    { provider, minVersion: protocol, maxVersion: protocol },
  );
  link.run();
  const { client } = link;
  if (client.wants & wants.SPACE) {
    client.plainIn.bytes[client.plainIn.start] = 1;
    client.plainIn.advance(1);
  }
  client.updateKey();
  link.run();
  client.close();
  client.abort(faults.HANDSHAKE_TIMEOUT);
  client.wipe();
  return link;
}

for (const protocol of [version.tls12, version.tls13])
  test(`a provider that fails at any call, TLS ${protocol.toString(16)}: nothing is thrown`, (t) => {
    let calls = 0;
    for (; ; calls++) {
      const { provider, failed } = failing(calls);
      t.notThrows(() => connect(protocol, provider), `at call ${calls}`);
      if (!failed()) break;
    }
    t.true(calls > 40, `${calls} calls`);
  });

test("what the provider threw is the cause", (t) => {
  const { provider } = failing(20);
  const { client } = new Link({ ...servers.p256 }, { provider }).run();
  t.is(client.fault, faults.INTERNAL_ERROR);
  t.is(client.cause, outOfMemory);
  t.false(client.established);
});

for (const protocol of [version.tls12, version.tls13])
  test(`a provider that answers with a promise has verified nothing, TLS ${protocol.toString(16)}`, (t) => {
    const verification: Provider["verification"] = (scheme) => {
      const settle = async () => true;
      return Object.assign(provider.verification(scheme), { settle: settle as never });
    };
    const { client } = new Link(
      { ...servers.p256, version: protocol },
      { provider: { ...provider, verification }, minVersion: protocol, maxVersion: protocol },
    ).run();
    t.is(client.fault, faults.HANDSHAKE_SIGNATURE);
    t.false(client.established);
  });
