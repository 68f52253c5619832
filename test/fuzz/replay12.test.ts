import test from "ava";
import { fixture } from "../../certs/fixtures.js";
import { version } from "../../src/client/index.js";
import { servers } from "../peers/identity.js";
import { message } from "../peers/messages.js";
import { layouts, type Script } from "../peers/script.js";
import { record, words } from "./recording.js";
import { anyBoundary, anyMutation, everyByte, everyCut } from "./replay.js";

const script: Script = {
  ...servers.p256,
  version: version.tls12,
  staples: [fixture("good/p256/server1-ocsp.der")],
  layout: layouts.pieces(900),
};

/** Data before and after a HelloRequest, which a client may ignore, then the end. */
const recording = record(script, { ocsp: { policy: "leaf" } }, (puppet) =>
  Buffer.concat([
    puppet.sendData(Buffer.from(words.slice(0, 10))),
    puppet.sendRecord(22, message(0)),
    puppet.sendData(Buffer.from(words.slice(10))),
    puppet.close(),
  ]),
);

test("TLS 1.2: any boundaries", anyBoundary, recording);
test("TLS 1.2: every byte", everyByte, recording, version.tls12);
test("TLS 1.2: every cut", everyCut, recording);
test("TLS 1.2: mutants", anyMutation, recording, version.tls12, 2500);
