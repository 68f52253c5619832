import {
  alert,
  contentType as ct,
  extensionType as ext,
  handshakeType as hs,
  signatureScheme as s,
} from "../../../src/wire/registry.js";
import { concat, flip, none, u8, u16, vec8, vec16 } from "../../peers/bytes.js";
import { servers } from "../../peers/identity.js";
import { extension, keyUpdate, message, newSessionTicket13 } from "../../peers/messages.js";
import { plainRecord } from "../../peers/records.js";
import { layouts, steps } from "../../peers/script.js";
import {
  add,
  after,
  alpn,
  before,
  bothVersions,
  cases,
  changeCipherSpec,
  handshake,
  repeat,
  times,
  tls12,
  tls13,
} from "./cases.js";

/** Records, limits, alerts and ends of the connection that break a rule. */

// Records

bothVersions({
  "an answer that is no TLS at all": {
    script: before("server_hello", steps.raw(Buffer.from("HTTP/1.1 400 Bad Request\r\n"))),
    fault: "UNKNOWN_RECORD_TYPE",
  },
  "a heartbeat record": {
    script: before("server_hello", steps.raw(Buffer.from("1803030003010000", "hex"))),
    fault: "UNKNOWN_RECORD_TYPE",
  },
  "a record of SSL 2": {
    script: before("server_hello", steps.raw(Buffer.from("1602000001aa", "hex"))),
    fault: "RECORD_VERSION",
  },
  "a header that announces more than any record holds": {
    script: before("server_hello", steps.raw(Buffer.from("1603034101", "hex"))),
    fault: "RECORD_OVERFLOW",
  },
  "a record in the clear with 2^14+1 bytes": {
    script: before("server_hello", handshake(Buffer.alloc(16_385))),
    fault: "RECORD_OVERFLOW",
  },
  "an empty handshake record": {
    script: before("server_hello", handshake(none)),
    fault: "UNEXPECTED_MESSAGE",
  },
  "application data in the clear": {
    script: before("server_hello", steps.record(ct.application_data, Buffer.from("x"))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "an empty record of application data before the handshake is done": {
    script: before("finished", steps.record(ct.application_data, none)),
    fault: "UNEXPECTED_MESSAGE",
  },
  "application data before Finished": {
    script: before("finished", steps.record(ct.application_data, Buffer.from("x"))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "another record between the parts of a message": {
    script: before(
      "certificate",
      handshake(u8(hs.certificate)),
      steps.record(ct.application_data, Buffer.from("x")),
    ),
    fault: "UNEXPECTED_MESSAGE",
  },
  "change_cipher_spec between the parts of a message": {
    script: before("certificate", handshake(u8(hs.certificate)), changeCipherSpec()),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a record that does not verify": {
    script: { tamper: (record, { content }) => (content[0] === hs.finished ? flip(record) : record) },
    fault: "BAD_RECORD_MAC",
  },
  "a sealed record shorter than its tag": {
    script: before("finished", steps.raw(plainRecord(ct.application_data, Buffer.alloc(15)))),
    fault: "BAD_RECORD_MAC",
  },
  "data that does not verify": {
    afterwards: (link) => link.deliver(flip(link.puppet.sendData(Buffer.from("data")))),
    fault: "BAD_RECORD_MAC",
  },
  "a record that comes twice": {
    afterwards: (link) => {
      const record = link.puppet.sendRecord(ct.application_data, none);
      link.deliver(concat(record, record));
    },
    fault: "BAD_RECORD_MAC",
  },
  "records in another order": {
    afterwards: (link) => {
      const records = [1, 2].map(() => link.puppet.sendData(Buffer.from("data")));
      link.deliver(concat(records[1], records[0]));
    },
    fault: "BAD_RECORD_MAC",
  },
  "a sealed record with 2^14+1 bytes": {
    afterwards: (link) => link.deliver(link.puppet.sendRecord(ct.application_data, Buffer.alloc(16_385))),
    fault: "RECORD_OVERFLOW",
  },
  "too many empty records": {
    afterwards: repeat(33, (link) => link.deliver(link.puppet.sendRecord(ct.application_data, none))),
    fault: "TOO_MANY_EMPTY_RECORDS",
  },
  "an empty handshake record after the handshake": {
    afterwards: (link) => link.deliver(link.puppet.sendRecord(ct.handshake, none)),
    fault: "UNEXPECTED_MESSAGE",
  },
  "change_cipher_spec under protection": {
    afterwards: (link) => link.deliver(link.puppet.sendRecord(ct.change_cipher_spec, u8(1))),
    fault: "UNEXPECTED_MESSAGE",
  },
});

cases(tls13, {
  "a sealed record with another type in its header": {
    script: { tamper: (record, { content }) => (content[0] === hs.finished ? flip(record, 0) : record) },
    fault: "UNEXPECTED_MESSAGE",
  },
  "change_cipher_spec after the handshake": {
    afterwards: (link) => link.deliver(plainRecord(ct.change_cipher_spec, u8(1))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a sealed record of zeros alone": {
    script: before("certificate", steps.record(0, none)),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a sealed record of unknown type": {
    script: before("certificate", steps.record(99, u8(0))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a sealed record whose padding makes it too long": {
    afterwards: (link) => {
      const inner = concat(Buffer.alloc(16_384, "x"), u8(ct.application_data));
      link.deliver(link.puppet.sendRecord(0, inner)); // the type, 0, counts as padding
    },
    fault: "RECORD_OVERFLOW",
  },
  "a sealed empty handshake record": {
    script: before("certificate", handshake(none)),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a handshake message in the clear once there are keys": {
    script: before(
      "certificate",
      steps.raw(plainRecord(ct.handshake, message(hs.encrypted_extensions, u16(0)))),
    ),
    fault: "UNEXPECTED_MESSAGE",
  },
  "an alert in the clear once the keys have worked": {
    script: before("certificate", steps.raw(plainRecord(ct.alert, Buffer.from([2, 40])))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "an alert in the clear after the handshake": {
    afterwards: (link) => link.deliver(plainRecord(ct.alert, Buffer.from([2, 40]))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "close_notify in the clear after the handshake": {
    afterwards: (link) => link.deliver(plainRecord(ct.alert, Buffer.from([1, 0]))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "close_notify in the clear after a KeyUpdate": {
    afterwards: (link) =>
      link.deliver(link.puppet.sendKeyUpdate(false)).deliver(plainRecord(ct.alert, Buffer.from([1, 0]))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "an empty alert in the clear before the keys have worked": {
    script: before("encrypted_extensions", steps.raw(plainRecord(ct.alert, none))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a lost record": {
    script: { tamper: (record, { content }) => (content[0] === hs.certificate ? none : record) },
    fault: "BAD_RECORD_MAC",
  },
  "too many change_cipher_specs before the ServerHello": {
    script: before("server_hello", ...times(33, changeCipherSpec())),
    fault: "TOO_MANY_EMPTY_RECORDS",
  },
  "change_cipher_spec of another value": {
    script: before("certificate", changeCipherSpec(u8(2))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "change_cipher_spec of two bytes": {
    script: before("certificate", changeCipherSpec(Buffer.from([1, 1]))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "too many change_cipher_specs": {
    script: before("certificate", ...times(40, changeCipherSpec())),
    fault: "TOO_MANY_EMPTY_RECORDS",
  },
  "a message that begins under one key and ends under the next": {
    script: after("server_hello", handshake(u8(hs.encrypted_extensions))),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a ticket in the record of the Finished": {
    script: { ...after("finished", steps.message(newSessionTicket13(u8(1)))), layout: layouts.joined },
    fault: "UNEXPECTED_MESSAGE",
  },
  "a ticket in the record of a KeyUpdate": {
    afterwards: (link) =>
      link.deliver(link.puppet.sendRecord(ct.handshake, concat(keyUpdate(false), newSessionTicket13(u8(1))))),
    fault: "UNEXPECTED_MESSAGE",
  },
});

cases(tls12, {
  "a sealed record with another type in its header": {
    script: { tamper: (record, { content }) => (content[0] === hs.finished ? flip(record, 0) : record) },
    fault: "BAD_RECORD_MAC",
  },
  "change_cipher_spec after the handshake": {
    afterwards: (link) => link.deliver(plainRecord(ct.change_cipher_spec, u8(1))),
    fault: "BAD_RECORD_MAC",
  },
});

// A server that failed after its ServerHello, and has no keys to say so with

for (const [level, name] of [
  [2, "internal_error"],
  [2, "handshake_failure"],
  [1, "internal_error"],
  [1, "close_notify"],
  [2, "close_notify"],
  [1, "user_canceled"],
] as const)
  cases(tls13, {
    [`${name}, level ${level}, in the clear before the keys have worked`]: {
      script: before(
        "encrypted_extensions",
        steps.raw(plainRecord(ct.alert, Buffer.from([level, alert[name]]))),
      ),
      fault: "PEER_ALERT",
      silent: true,
      detail: alert[name],
    },
  });

// Limits

bothVersions({
  "a record above our record_size_limit": {
    script: { recordSizeLimit: 16_384 },
    options: { recordSizeLimit: 512 },
    afterwards: (link) => link.deliver(link.puppet.sendRecord(ct.application_data, Buffer.alloc(513))),
    fault: "RECORD_OVERFLOW",
  },
  "a record above max_fragment_length": {
    script: { maxFragmentLength: true },
    options: { maxFragmentLength: 512 },
    afterwards: (link) => link.deliver(link.puppet.sendRecord(ct.application_data, Buffer.alloc(513))),
    fault: "RECORD_OVERFLOW",
  },
});

for (const [only, where] of [
  [tls12, "server_hello"],
  [tls13, "encrypted_extensions"],
] as const) {
  cases(only, {
    "record_size_limit below 64": {
      script: add(where, extension(ext.record_size_limit, u16(63))),
      options: { recordSizeLimit: 512 },
      fault: "ILLEGAL_PARAMETER",
    },
    "record_size_limit unasked": {
      script: add(where, extension(ext.record_size_limit, u16(512))),
      fault: "UNSUPPORTED_EXTENSION",
    },
    "another max_fragment_length than asked for": {
      script: add(where, extension(ext.max_fragment_length, u8(2))),
      options: { maxFragmentLength: 512 },
      fault: "ILLEGAL_PARAMETER",
    },
    "max_fragment_length and record_size_limit both": {
      script: {
        ...add(where, extension(ext.max_fragment_length, u8(1))),
        recordSizeLimit: 512,
      },
      options: { maxFragmentLength: 512, recordSizeLimit: 512 },
      fault: "ILLEGAL_PARAMETER",
    },
    "an application protocol that was not offered": {
      script: { alpn: "h2" },
      options: { alpn: ["mqtt"] },
      fault: "ILLEGAL_PARAMETER",
    },
    "ALPN unasked": {
      script: add(where, extension(ext.application_layer_protocol_negotiation, alpn)),
      fault: "UNSUPPORTED_EXTENSION",
    },
    "two application protocols": {
      script: add(
        where,
        extension(
          ext.application_layer_protocol_negotiation,
          vec16(vec8(Buffer.from("h2")), vec8(Buffer.from("mqtt"))),
        ),
      ),
      options: { alpn: ["h2", "mqtt"] },
      fault: "DECODE_ERROR",
    },
    "no application protocol": {
      script: add(where, extension(ext.application_layer_protocol_negotiation, vec16())),
      options: { alpn: ["h2"] },
      fault: "DECODE_ERROR",
    },
    "an unknown extension": { script: add(where, extension(0x1234)), fault: "UNSUPPORTED_EXTENSION" },
    "server_name acknowledged unasked": {
      script: add(where, extension(ext.server_name)),
      options: { serverName: "127.0.0.1" },
      fault: "UNSUPPORTED_EXTENSION",
    },
    "server_name acknowledged with contents": {
      script: add(where, extension(ext.server_name, u8(0))),
      fault: "DECODE_ERROR",
    },
    "server_name acknowledged twice": {
      script: add(where, extension(ext.server_name), extension(ext.server_name)),
      fault: "DUPLICATE_EXTENSION",
    },
    "signature_algorithms from the server": {
      script: add(where, extension(ext.signature_algorithms, vec16(u16(s.ed25519)))),
      fault: "EXTENSION_NOT_ALLOWED",
    },
  });
}

// Alerts and ends

bothVersions({
  "a fatal alert before the ServerHello": {
    script: before("server_hello", steps.alert(2, alert.handshake_failure)),
    fault: "PEER_ALERT",
    silent: true,
    detail: alert.handshake_failure,
  },
  "a fatal alert in the middle": {
    script: before("certificate", steps.alert(2, alert.unrecognized_name)),
    fault: "PEER_ALERT",
    silent: true,
    detail: alert.unrecognized_name,
  },
  "a fatal alert after the handshake": {
    afterwards: (link) => link.deliver(link.puppet.sendAlert(2, alert.internal_error)),
    fault: "PEER_ALERT",
    silent: true,
    detail: alert.internal_error,
  },
  "a fatal alert with a number that nobody knows": {
    afterwards: (link) => link.deliver(link.puppet.sendAlert(2, 222)),
    fault: "PEER_ALERT",
    silent: true,
    detail: 222,
  },
  "half an alert": {
    script: before("certificate", steps.record(ct.alert, u8(2))),
    fault: "DECODE_ERROR",
  },
  "two alerts in one record": {
    script: before("certificate", steps.record(ct.alert, Buffer.from([1, 90, 1, 90]))),
    fault: "DECODE_ERROR",
  },
  "an empty alert": {
    script: before("certificate", steps.record(ct.alert, none)),
    fault: "UNEXPECTED_MESSAGE",
  },
  "too many warnings": {
    afterwards: repeat(33, (link) => link.deliver(link.puppet.sendAlert(1, alert.user_canceled))),
    fault: "TOO_MANY_EMPTY_RECORDS",
  },
  "close_notify in the handshake": {
    script: before("certificate", steps.alert(1, alert.close_notify)),
    fault: "PEER_ALERT",
    silent: true,
    detail: alert.close_notify,
  },
  "the transport ends before the ServerHello": {
    script: { hello: { random: Buffer.alloc(32) }, tamper: () => none },
    afterwards: (link) => link.eof(),
    fault: "TRUNCATED",
    silent: true,
  },
  "the transport ends in a record": {
    afterwards: (link) => link.deliver(link.puppet.sendData(Buffer.from("data")).subarray(0, -1)).eof(),
    fault: "TRUNCATED",
    silent: true,
  },
});

cases(tls13, {
  "a warning that is none in TLS 1.3": {
    afterwards: (link) => link.deliver(link.puppet.sendAlert(1, alert.unrecognized_name)),
    fault: "PEER_ALERT",
    silent: true,
    detail: alert.unrecognized_name,
  },
});

// Buffers too small

bothVersions({
  "a certificate larger than the input buffer": {
    script: { ...servers.rsa, layout: layouts.pieces(400) },
    options: { buffers: { input: 1024 }, recordSizeLimit: 450 },
    fault: "BUFFER_TOO_SMALL",
    detail: -1,
  },
  "a record larger than the input buffer": {
    afterwards: (link) => link.deliver(link.puppet.sendRecord(ct.application_data, Buffer.alloc(4000))),
    options: { buffers: { input: 2048 }, recordSizeLimit: 16_000 },
    fault: "BUFFER_TOO_SMALL",
    detail: -1,
  },
  "certificates larger than the store": {
    options: { buffers: { store: 512 } },
    fault: "STORE_TOO_SMALL",
    detail: -1,
  },
});
