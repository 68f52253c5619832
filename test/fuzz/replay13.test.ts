import test from "ava";
import { fixture } from "../../certs/fixtures.js";
import { signer } from "../../hosts/node/provider.js";
import { cipherSuite, namedGroup, version } from "../../src/client/index.js";
import { identity, servers } from "../peers/identity.js";
import { newSessionTicket13 } from "../peers/messages.js";
import { layouts, type Script } from "../peers/script.js";
import { record, words } from "./recording.js";
import { anyBoundary, anyMutation, everyByte, everyCut } from "./replay.js";

const staple = (name: string) => fixture(`good/p256/${name}-ocsp.der`);

const script: Script = {
  ...servers.p256,
  staples: [staple("server1"), staple("intermediate1")],
  tickets: [newSessionTicket13(Buffer.from("a ticket"))],
  layout: layouts.pieces(700),
};

/** Data before and after a KeyUpdate, then the end. */
const recording = record(script, {}, (puppet) =>
  Buffer.concat([
    puppet.sendData(Buffer.from(words.slice(0, 10))),
    puppet.sendKeyUpdate(false),
    puppet.sendData(Buffer.from(words.slice(10))),
    puppet.close(),
  ]),
);

/** A HelloRetryRequest, and everything else as plain as can be. */
const retry = record(
  {
    ...script,
    retry: { group: namedGroup.secp256r1, cookie: Buffer.from("cookie") },
    suite: cipherSuite.TLS_AES_128_GCM_SHA256,
  },
  {},
  (puppet) => Buffer.concat([puppet.sendData(Buffer.from(words)), puppet.close()]),
);

/** A server that asks for the client's certificate and staples. */
const own = identity("client", "p256");
const requesting = record(
  { ...script, request: { schemes: [0x0403], stapled: true } },
  { identity: { certificates: own.chain, signer: signer(own.key), staples: [staple("server2")] } },
  (puppet) => Buffer.concat([puppet.sendData(Buffer.from(words)), puppet.close()]),
);

test("TLS 1.3: every byte, with a CertificateRequest", everyByte, requesting, version.tls13);
test("TLS 1.3: mutants of a CertificateRequest's stream", anyMutation, requesting, version.tls13, 1500);
test("TLS 1.3: any boundaries", anyBoundary, recording);
test("TLS 1.3: every byte", everyByte, recording, version.tls13);
test("TLS 1.3: every byte, with a HelloRetryRequest", everyByte, retry, version.tls13);
test("TLS 1.3: every cut", everyCut, recording);
test("TLS 1.3: mutants", anyMutation, recording, version.tls13, 2500);
test("TLS 1.3: mutants of a HelloRetryRequest's stream", anyMutation, retry, version.tls13, 1500);
