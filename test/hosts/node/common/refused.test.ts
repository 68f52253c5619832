import { readFileSync } from "node:fs";
import test from "ava";
import { unsupported as ofServers } from "../../../../hosts/node/server/options.js";
import { refusedEvents } from "../../../../hosts/node/server/server.js";
import { NegotiatedSocket } from "../../../../hosts/node/socket/negotiated-socket.js";
import { unsupported as ofClients } from "../../../../hosts/node/socket/options.js";

const refusedMethods = [
  "enableTrace",
  "getSharedSigalgs",
  "getTLSTicket",
  "renegotiate",
  "setKeyCert",
  "setMaxSendFragment",
];

test("docs/node.md has all that node:tls has and is refused here", (t) => {
  const text = readFileSync(new URL("../../../../../docs/node.md", import.meta.url), "utf8");
  const [, section] = text.split("## What node:tls has, and this has not");
  const table = section.split("\n## ")[0];
  const methods = Object.getOwnPropertyNames(NegotiatedSocket.prototype).filter((name) =>
    /throw unsupportedMember/.test(
      `${Object.getOwnPropertyDescriptor(NegotiatedSocket.prototype, name)?.value}`,
    ),
  );
  t.deepEqual(methods.sort(), ["constructor", ...refusedMethods]);
  const names = [ofClients, ofServers, refusedEvents].flatMap((each) => Object.keys(each));
  for (const name of [...names, ...refusedMethods.map((each) => `${each}()`)])
    t.true(table.includes(`\`${name}\``), name);
});
