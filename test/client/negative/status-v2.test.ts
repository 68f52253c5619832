import test from "ava";
import { fixture } from "../../../certs/fixtures.js";
import type { ClientOptions, OcspOptions } from "../../../src/client/index.js";
import { extensionType as ext, handshakeType as hs, version } from "../../../src/wire/registry.js";
import { named } from "../../faults.js";
import { concat, u8, vec24 } from "../../peers/bytes.js";
import { identity, servers } from "../../peers/identity.js";
import { certificateStatus, certificateStatusMulti, extension, message } from "../../peers/messages.js";
import { edit, type Script, steps } from "../../peers/script.js";
import { Link } from "../link.js";
import { add, after, body, type Case, cases, longer, plan, shorter, tls12, tls13, twice } from "./cases.js";

/** status_request_v2, RFC 6961: what a client of TLS 1.2 makes of it. */

const read = (name: string) => fixture(`good/p256/${name}-ocsp.der`);
const [leaf, intermediate, root] = ["server1", "intermediate1", "root"].map(read);
const five = { ...identity("p256", "server5"), staples: [read("server5"), read("intermediate3")] };

type Ocsp = Partial<OcspOptions>;
const only12 = (ocsp: Ocsp): Partial<ClientOptions> => ({ ocsp, maxVersion: version.tls12 });
const single: Partial<ClientOptions> = only12({ stapling: "v2" });
const multi: Partial<ClientOptions> = only12({ stapling: "v2-multi" });
const chain: Partial<ClientOptions> = only12({ stapling: "v2-multi", policy: "chain" });

/** What is accepted, and the verdicts. */
const accepted: Record<string, [Partial<Script>, Partial<ClientOptions>, string[]]> = {
  "ocsp, the leaf's": [{ staples: [leaf] }, single, ["good", "none"]],
  "ocsp, announced and not sent": [{ staples: [undefined] }, single, ["none", "none"]],
  "ocsp: a revoked intermediate is nobody's business": [five, single, ["good", "none"]],
  "ocsp_multi, all three": [{ staples: [leaf, intermediate, root] }, chain, ["good", "good", "good"]],
  "ocsp_multi, none for the root": [{ staples: [leaf, intermediate, undefined] }, chain, ["good", "good"]],
  "ocsp_multi, fewer than certificates": [{ staples: [leaf, intermediate] }, chain, ["good", "good"]],
  "ocsp_multi, the leaf's alone": [{ staples: [leaf] }, multi, ["good", "none"]],
  "ocsp_multi, the second alone": [{ staples: [undefined, intermediate] }, multi, ["none", "good"]],
  "ocsp_multi, all empty": [{ staples: [undefined, undefined, undefined] }, multi, ["none", "none"]],
  "ocsp_multi, not announced": [{}, multi, ["none", "none"]],
  "ocsp_multi, announced and not sent": [
    { staples: [leaf], ...plan(edit.without("certificate_status")) },
    multi,
    ["none", "none"],
  ],
  "both offered, v1 chosen": [
    { staples: [leaf], statusV2: false },
    only12({ stapling: "v2-multi", alsoV1: true }),
    ["good", "none"],
  ],
  "both offered, v2 chosen": [
    { staples: [leaf, intermediate] },
    only12({ stapling: "v2-multi", alsoV1: true }),
    ["good", "good"],
  ],
  "certificates out of order, staples with them": [
    { chain: [0, 2, 1].map((i) => servers.p256.chain[i]), staples: [leaf, root, intermediate] },
    chain,
    ["good", "good", "good"],
  ],
};

for (const [title, [script, options, verdicts]] of Object.entries(accepted))
  test(title, (t) => {
    const { client } = new Link({ ...servers.p256, version: tls12, ...script }, options).run();
    t.is(client.fault, undefined);
    t.true(client.established);
    t.deepEqual(
      client.verdicts.map(({ status }) => status),
      verdicts,
    );
  });

test("a response streams through a buffer that holds one of three", (t) => {
  const options = { ...chain, buffers: { input: 2048, store: 8192 }, recordSizeLimit: 512 };
  const script = { ...servers.p256, version: tls12, staples: [leaf, intermediate, root] };
  const { client } = new Link({ ...script, recordSizeLimit: 512 }, options).run();
  t.is(client.fault, undefined);
  t.true(leaf.length + intermediate.length + root.length > 2048);
});

test("on the wire: ocsp, ocsp_multi, and beside status_request", (t) => {
  const sent = (ocsp: Ocsp, maxVersion: number = version.tls13) => {
    const { puppet } = new Link({ ...servers.p256, version: tls12 }, { ocsp, maxVersion }).run();
    const of = (type: number) =>
      puppet.hello.extensions.find((each) => each.type === type)?.data.toString("hex");
    return [of(ext.status_request), of(ext.status_request_v2)];
  };
  t.deepEqual(sent({ stapling: "v1" }), ["0100000000", undefined]);
  t.deepEqual(sent({ stapling: "off" }), [undefined, undefined]);
  t.deepEqual(sent({ stapling: "v2" }, version.tls12), [undefined, "000701000400000000"]);
  t.deepEqual(sent({ stapling: "v2-multi" }, version.tls12), [undefined, "000702000400000000"]);
  t.deepEqual(sent({ stapling: "v2", alsoV1: true }, version.tls12), ["0100000000", "000701000400000000"]);
  // TLS 1.3 knows status_request alone
  t.deepEqual(sent({ stapling: "v2-multi" }), ["0100000000", "000702000400000000"]);
});

test("TLS 1.3 chosen: the staples come by status_request", (t) => {
  const ocsp = { stapling: "v2-multi", policy: "chain" } as const;
  const script = { ...servers.p256, version: tls13, staples: [leaf, intermediate] };
  const { client } = new Link(script, { ocsp }).run();
  t.is(client.fault, undefined);
  t.is(client.verdicts[1].status, "good");
});

test("a nonce is asked for by status_request_v2, and demanded of every response", (t) => {
  const options = only12({ stapling: "v2-multi", nonce: true });
  const script = { ...servers.p256, version: tls12, staples: [leaf] };
  const { client, puppet } = new Link(script, options).run();
  t.is(puppet.hello.statusNonce?.length, 32);
  t.is(named(client.fault), "OCSP_NONCE");
  const lenient = only12({ stapling: "v2-multi", nonce: "if-present" });
  const other = new Link(script, lenient).run();
  t.is(other.puppet.hello.statusNonce?.length, 32);
  t.is(other.client.fault, undefined);
});

const refused: Record<string, Case> = {
  "a revoked leaf": {
    script: { ...identity("p256", "server2"), staples: [read("server2")] },
    options: single,
    fault: "OCSP_CERT_REVOKED",
  },
  "a revoked intermediate": { script: five, options: multi, fault: "OCSP_CERT_REVOKED" },
  "no staple for the intermediate where our policy requires one": {
    script: { staples: [leaf] },
    options: chain,
    fault: "OCSP_STAPLE_MISSING",
  },
  "no staple for the leaf where our policy requires one": {
    script: { staples: [undefined, intermediate] },
    options: chain,
    fault: "OCSP_STAPLE_MISSING",
  },
  "no staple at all where the certificate requires one": {
    script: identity("p256", "must-staple"),
    options: multi,
    fault: "OCSP_STAPLE_MISSING",
  },
  "staples in another order than the certificates": {
    script: { staples: [intermediate, leaf] },
    options: multi,
    fault: "OCSP_WRONG_CERT",
  },
  "a good leaf's, and a bad one for the intermediate": {
    script: { staples: [leaf, Buffer.from("garbage")] },
    options: multi,
    fault: "OCSP_MALFORMED",
  },
  "a bad one for the root that was sent along": {
    script: { staples: [leaf, intermediate, leaf] },
    options: multi,
    fault: "OCSP_WRONG_CERT",
  },
  "more responses than certificates": {
    script: { staples: [leaf, intermediate, root, undefined] },
    options: multi,
    fault: "OCSP_MALFORMED",
  },
  "ocsp_multi where ocsp was asked for": {
    script: { staples: [leaf], ...body(hs.certificate_status, () => certificateStatusMulti([leaf])) },
    options: single,
    fault: "OCSP_MALFORMED",
  },
  "ocsp where ocsp_multi was asked for": {
    script: { staples: [leaf], ...body(hs.certificate_status, () => certificateStatus(leaf)) },
    options: multi,
    fault: "OCSP_MALFORMED",
  },
  "ocsp_multi after status_request was announced": {
    script: {
      staples: [leaf],
      statusV2: false,
      ...body(hs.certificate_status, () => certificateStatusMulti([leaf])),
    },
    options: only12({ stapling: "v2-multi", alsoV1: true }),
    fault: "OCSP_MALFORMED",
  },
  "a type that does not exist": {
    script: { staples: [leaf], ...body(hs.certificate_status, (bytes) => concat(u8(3), bytes.subarray(1))) },
    options: multi,
    fault: "OCSP_MALFORMED",
  },
  "a type and nothing else": {
    script: { staples: [leaf], ...body(hs.certificate_status, () => u8(2)) },
    options: multi,
    fault: "DECODE_ERROR",
  },
  "a type and nothing else, then the rest in another message": {
    script: {
      staples: [leaf],
      mutate: (type, bytes) =>
        type === hs.certificate_status
          ? [message(type, u8(2)), message(type, certificateStatusMulti([leaf]).subarray(1))]
          : bytes,
    },
    options: multi,
    fault: "DECODE_ERROR",
  },
  "an empty list": {
    script: { staples: [leaf], ...body(hs.certificate_status, () => concat(u8(2), vec24())) },
    options: multi,
    fault: "DECODE_ERROR",
  },
  "a list with a byte too many": {
    script: { staples: [leaf], ...longer(hs.certificate_status) },
    options: multi,
    fault: "DECODE_ERROR",
  },
  "a list cut short": {
    script: { staples: [leaf], ...shorter(hs.certificate_status) },
    options: multi,
    fault: "DECODE_ERROR",
  },
  "a list shorter than its message, whose responses fill it": {
    script: {
      staples: [leaf],
      ...body(hs.certificate_status, () => concat(u8(2), Buffer.from([0, 0, 9]), vec24(leaf))),
    },
    options: multi,
    fault: "DECODE_ERROR",
  },
  "a response longer than its list": {
    script: {
      staples: [leaf],
      ...body(hs.certificate_status, () => concat(u8(2), vec24(Buffer.from([0, 1, 0]), leaf.subarray(0, 9)))),
    },
    options: multi,
    fault: "DECODE_ERROR",
  },
  "ocsp with a byte too many": {
    script: { staples: [leaf], ...longer(hs.certificate_status) },
    options: single,
    fault: "DECODE_ERROR",
  },
  "two CertificateStatus messages": {
    script: { staples: [leaf], ...plan(edit.twice("certificate_status")) },
    options: multi,
    fault: "UNEXPECTED_MESSAGE",
  },
  "a CertificateStatus that was not announced": {
    script: after(
      "certificate",
      steps.message(message(hs.certificate_status, certificateStatusMulti([leaf]))),
    ),
    options: multi,
    fault: "UNEXPECTED_MESSAGE",
  },
  "status_request_v2 unasked": {
    script: add("server_hello", extension(ext.status_request_v2)),
    fault: "UNSUPPORTED_EXTENSION",
  },
  "status_request where only the other was offered": {
    script: add("server_hello", extension(ext.status_request)),
    options: multi,
    fault: "UNSUPPORTED_EXTENSION",
  },
  "both answered": {
    script: { staples: [leaf], ...add("server_hello", extension(ext.status_request)) },
    options: only12({ stapling: "v2-multi", alsoV1: true }),
    fault: "ILLEGAL_PARAMETER",
  },
  "status_request_v2 twice": {
    script: { staples: [leaf], ...twice("server_hello", ext.status_request_v2) },
    options: multi,
    fault: "DUPLICATE_EXTENSION",
  },
  "status_request_v2 with contents": {
    script: add("server_hello", extension(ext.status_request_v2, u8(0))),
    options: multi,
    fault: "DECODE_ERROR",
  },
};

cases(tls12, refused);

cases(tls13, {
  "status_request_v2 in EncryptedExtensions": {
    script: add("encrypted_extensions", extension(ext.status_request_v2)),
    options: { ocsp: { stapling: "v2-multi" } },
    fault: "EXTENSION_NOT_ALLOWED",
  },
  "status_request_v2 for a certificate": {
    script: add("certificate", extension(ext.status_request_v2, certificateStatusMulti([leaf]))),
    options: { ocsp: { stapling: "v2-multi" } },
    fault: "EXTENSION_NOT_ALLOWED",
  },
});
