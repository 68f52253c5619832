import { contentType as ct, extensionType as ext, handshakeType as hs } from "../../../src/wire/registry.js";
import { concat, none, u8, u16, u24 } from "../../peers/bytes.js";
import {
  extension,
  keyUpdate,
  message,
  newSessionTicket12,
  newSessionTicket13,
} from "../../peers/messages.js";
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
  times,
  tls12,
  tls13,
} from "./cases.js";

/** Finished, change_cipher_spec, and messages after the handshake that break a rule. */

const early = extension(ext.early_data, Buffer.alloc(4));

// Finished, change_cipher_spec and what comes after

bothVersions({
  "a wrong Finished": { script: flipped(hs.finished), fault: "FINISHED_MISMATCH" },
  "a Finished whose first byte is wrong": { script: flipped(hs.finished, 0), fault: "FINISHED_MISMATCH" },
  "a Finished with a byte too many": { script: longer(hs.finished), fault: "DECODE_ERROR" },
  "a Finished cut short": { script: shorter(hs.finished), fault: "DECODE_ERROR" },
  "a Finished with a wrong byte in front": {
    script: body(hs.finished, (bytes) => concat(u8(0), bytes)),
    fault: "DECODE_ERROR",
  },
  "a Finished that says it is longer than any buffer": {
    script: before("finished", handshake(concat(u8(hs.finished), u24(0xffffff)))),
    fault: "DECODE_ERROR",
  },
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
  "HelloRequest before the ServerHello of TLS 1.3": {
    script: before("server_hello", handshake(message(hs.hello_request))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "HelloRequest to a client that speaks TLS 1.3 alone, and no ServerHello": {
    script: { plan: () => [{ ...handshake(message(hs.hello_request)), awaits: hs.client_hello }] },
    options: { minVersion: tls13 },
    fault: "UNEXPECTED_MESSAGE",
  },
  "HelloRequest after a HelloRetryRequest": {
    script: { retry: { group: 23 }, ...before("server_hello", handshake(message(hs.hello_request))) },
    fault: "UNEXPECTED_MESSAGE",
  },
  "HelloRequest in the handshake of TLS 1.3": {
    script: before("certificate", handshake(message(hs.hello_request))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "HelloRequest in TLS 1.3": {
    afterwards: (link) => link.deliver(link.puppet.sendMessage(message(hs.hello_request))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a KeyUpdate that says it is longer than any buffer": {
    afterwards: (link) =>
      link.deliver(link.puppet.sendRecord(ct.handshake, concat(u8(hs.key_update), u24(0x10001)))),
    fault: "DECODE_ERROR",
  },
  "early_data twice in a ticket": {
    script: { tickets: [newSessionTicket13(u8(1), 3600, [early, early])] },
    fault: "DUPLICATE_EXTENSION",
  },
  "an extension that nobody knows twice in a ticket": {
    script: {
      tickets: [newSessionTicket13(u8(1), 3600, [extension(0x1234), early, extension(0x1234, u8(1))])],
    },
    fault: "DUPLICATE_EXTENSION",
  },
  "an extension in a ticket that has no place there": {
    script: { tickets: [newSessionTicket13(u8(1), 3600, [extension(ext.server_name)])] },
    fault: "EXTENSION_NOT_ALLOWED",
  },
  "more extensions in a ticket than anybody knows": {
    script: {
      tickets: [
        newSessionTicket13(
          u8(1),
          3600,
          Array.from({ length: 100 }, (_, i) => extension(0x1200 + i)),
        ),
      ],
    },
    fault: "ILLEGAL_PARAMETER",
  },
  "tickets without end": {
    afterwards: repeat(33, (link) => link.deliver(link.puppet.sendMessage(newSessionTicket13(u8(1))))),
    fault: "TOO_MANY_EMPTY_RECORDS",
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
  "HelloRequest with contents": {
    script: before("certificate", handshake(message(hs.hello_request, u8(0)))),
    fault: "DECODE_ERROR",
  },
  "HelloRequests without end in the handshake": {
    script: before("certificate", ...times(33, handshake(message(hs.hello_request)))),
    fault: "TOO_MANY_EMPTY_RECORDS",
  },
  "a Finished in the clear, without change_cipher_spec": {
    script: plan(edit.without("change_cipher_spec"), edit.without("write_keys")),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a Finished in the clear, behind change_cipher_spec": {
    script: plan(edit.without("write_keys")),
    fault: "BAD_RECORD_MAC",
  },
  // What is sealed passes for a message of any type and length
  "a sealed Finished without change_cipher_spec": {
    script: plan(edit.without("change_cipher_spec")),
    fault: ["UNEXPECTED_MESSAGE", "BUFFER_TOO_SMALL", "DECODE_ERROR"],
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
