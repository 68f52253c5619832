import test from "ava";
import { NOW } from "../../certs/fixtures.js";
import { provider } from "../../hosts/node/provider.js";
import { trustAnchor } from "../../src/client/index.js";
import { type ServerOptions, TlsServer } from "../../src/server/index.js";
import { extensionType } from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { root, rows, script } from "../peers/default-staples.js";
import { certificateStatus, extension } from "../peers/messages.js";
import { authority } from "../pki/kit.js";
import { selection } from "./pair.js";
import { Scripted } from "./scripted.js";

/** What the server does where nobody says what it shall do. */

const least: ServerOptions = { provider, select: () => selection("p256"), clock: () => NOW };

const demanding: ServerOptions = {
  ...least,
  clientAuth: "require",
  trust: [trustAnchor(root.der)],
  ocsp: { stapling: "v1" },
};

for (const [title, staple, fault] of rows)
  test(`a client's certificate with ${title}`, (t) => {
    const server = new TlsServer(demanding);
    const client = new Scripted(server).hello();
    const status = staple ? [extension(extensionType.status_request, certificateStatus(staple))] : [];
    client.send(client.certificate(script.chain, () => status));
    if (!server.fault) client.send(client.certificateVerify(script.key, 0x0403)).finish();
    t.is(named(server.fault), fault);
    t.is(server.established, fault === undefined);
  });

test("a client's certificate is verified: its issuer must be one that was named", (t) => {
  const server = new TlsServer({ ...demanding, trust: [trustAnchor(authority("another").der)] });
  const client = new Scripted(server).hello();
  client.send(client.certificate(script.chain));
  if (!server.fault) client.send(client.certificateVerify(script.key, 0x0403)).finish();
  t.is(named(server.fault), "CERT_UNKNOWN_ISSUER");
});
