import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test from "ava";
import type { SecureOptions } from "../../../hosts/moddable/socket.js";
import { App } from "./app.js";
import { staple } from "./peer.js";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

test("the options are not kept", async (t) => {
  const secure: { given: SecureOptions | undefined } = { given: { ocsp: { policy: "leaf" } } };
  const [all, ocsp] = [new WeakRef(secure.given!), new WeakRef(secure.given!.ocsp!)];
  const app = new App({ secure: secure.given, script: { staples: [staple] } });
  secure.given = undefined;
  await setImmediate();
  gc();
  t.is(all.deref(), undefined);
  t.is(ocsp.deref(), undefined);
  t.deepEqual(app.open().news(), ["writable"]);
});

test("a socket that has ended keeps neither callbacks nor buffers, though somebody keeps it", async (t) => {
  const kept = { callback: () => undefined as undefined };
  const callback = new WeakRef(kept.callback);
  const app = new App({
    secure: { onSecure: kept.callback, onError: kept.callback },
    script: { staples: [staple] },
  });
  kept.callback = () => undefined;
  app.open();
  const session = new WeakRef(app.socket.session!);
  app.socket.close();
  await setImmediate();
  gc();
  t.is(callback.deref(), undefined);
  t.is(session.deref(), undefined);
  t.is(app.socket.read(), undefined);
});
