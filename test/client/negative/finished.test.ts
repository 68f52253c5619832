import { handshakeType as hs } from "../../../src/wire/registry.js";
import { concat, none, u8, u16 } from "../../peers/bytes.js";
import { keyUpdate, message, newSessionTicket12, newSessionTicket13 } from "../../peers/messages.js";
import { edit, steps } from "../../peers/script.js";
import {
  before,
  body,
  bothVersions,
  cases,
  changeCipherSpec,
  flipped,
  handshake,
  longer,
  plan,
  repeat,
  shorter,
  tls12,
  tls13,
} from "./cases.js";

/** Finished, change_cipher_spec, and messages after the handshake that break a rule. */

// Finished, change_cipher_spec and what comes after

bothVersions({
  "a wrong Finished": { script: flipped(hs.finished), fault: "FINISHED_MISMATCH" },
  "a Finished whose first byte is wrong": { script: flipped(hs.finished, 0), fault: "FINISHED_MISMATCH" },
  "a Finished with a byte too many": { script: longer(hs.finished), fault: "DECODE_ERROR" },
  "a Finished cut short": { script: shorter(hs.finished), fault: "DECODE_ERROR" },
  "an empty Finished": { script: body(hs.finished, () => none), fault: "DECODE_ERROR" },
  "a second Finished": {
    afterwards: (link) => link.deliver(link.puppet.sendMessage(message(hs.finished, Buffer.alloc(12)))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a ServerHello after the handshake": {
    afterwards: (link) => link.deliver(link.puppet.sendMessage(message(hs.server_hello, Buffer.alloc(40)))),
    fault: "UNEXPECTED_MESSAGE",
  },
});

cases(tls13, {
  "a Finished before the CertificateVerify": {
    script: plan(edit.swap("certificate_verify", "finished")),
    fault: "UNEXPECTED_MESSAGE",
  },
  "ServerHelloDone in TLS 1.3": {
    script: before("finished", steps.message(message(hs.server_hello_done))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a ticket before the Finished": {
    script: before("finished", steps.message(newSessionTicket13(u8(1)))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a KeyUpdate before the Finished": {
    script: before("finished", steps.message(keyUpdate(false))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "HelloRequest in TLS 1.3": {
    afterwards: (link) => link.deliver(link.puppet.sendMessage(message(hs.hello_request))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "an empty ticket": { script: { tickets: [newSessionTicket13(none)] }, fault: "DECODE_ERROR" },
  "a ticket with a byte too many": {
    script: { tickets: [newSessionTicket13(u8(1))], ...longer(hs.new_session_ticket) },
    fault: "DECODE_ERROR",
  },
  "a KeyUpdate of 2": {
    afterwards: (link) => link.deliver(link.puppet.sendMessage(message(hs.key_update, u8(2)))),
    fault: "ILLEGAL_PARAMETER",
  },
  "an empty KeyUpdate": {
    afterwards: (link) => link.deliver(link.puppet.sendMessage(message(hs.key_update))),
    fault: "DECODE_ERROR",
  },
  "a KeyUpdate of two bytes": {
    afterwards: (link) => link.deliver(link.puppet.sendMessage(message(hs.key_update, u16(0)))),
    fault: "DECODE_ERROR",
  },
  "data under the old key after a KeyUpdate": {
    afterwards: (link) =>
      link.deliver(
        concat(link.puppet.sendMessage(keyUpdate(false)), link.puppet.sendData(Buffer.from("old key"))),
      ),
    fault: "BAD_RECORD_MAC",
  },
  "key updates without end": {
    afterwards: repeat(33, (link) => link.deliver(link.puppet.sendKeyUpdate(false))),
    fault: "TOO_MANY_EMPTY_RECORDS",
  },
});

cases(tls12, {
  "a Finished in the clear, without change_cipher_spec": {
    script: plan(edit.without("change_cipher_spec"), edit.without("write_keys")),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a Finished in the clear, behind change_cipher_spec": {
    script: plan(edit.without("write_keys")),
    fault: "BAD_RECORD_MAC",
  },
  "a sealed Finished without change_cipher_spec": {
    script: plan(edit.without("change_cipher_spec")),
    fault: "UNEXPECTED_MESSAGE",
  },
  "change_cipher_spec before the keys": {
    script: before("certificate", changeCipherSpec()),
    fault: "UNEXPECTED_MESSAGE",
  },
  "change_cipher_spec before ServerHelloDone": {
    script: before("server_hello_done", changeCipherSpec()),
    fault: "UNEXPECTED_MESSAGE",
  },
  "change_cipher_spec twice": {
    script: before("change_cipher_spec", changeCipherSpec()),
    fault: "BAD_RECORD_MAC",
  },
  "change_cipher_spec of another value": {
    script: before("change_cipher_spec", changeCipherSpec(u8(2))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a message that begins under one key and ends under the next": {
    script: before("change_cipher_spec", handshake(u8(hs.finished))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a ticket unasked": {
    script: before("change_cipher_spec", steps.message(newSessionTicket12(u8(1)))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a KeyUpdate in TLS 1.2": {
    afterwards: (link) => link.deliver(link.puppet.sendMessage(keyUpdate(false))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "HelloRequests without end": {
    afterwards: repeat(33, (link) => link.deliver(link.puppet.sendMessage(message(hs.hello_request)))),
    fault: "TOO_MANY_EMPTY_RECORDS",
  },
});
