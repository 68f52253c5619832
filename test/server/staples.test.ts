import test, { type ExecutionContext } from "ava";
import { extensionType as ext, handshakeType as hs, version } from "../../src/wire/registry.js";
import { concat, u8, u16, vec16, vec24 } from "../peers/bytes.js";
import { type Extension, extension } from "../peers/messages.js";
import { accepted } from "./greeting.js";
import { selection, staples } from "./pair.js";

/** What the server staples, and how: RFC 6066 section 8, RFC 6961, RFC 8446 4.4.2.1. */

const { tls12, tls13 } = version;
const [leaf, intermediate] = staples("p256");

/** The CertificateStatus of a server with staples, and the ServerHello's extensions. */
function status(t: ExecutionContext, list: (Uint8Array | undefined)[], ...extra: Extension[]) {
  const select = () => ({ ...selection("p256"), staples: list });
  const client = accepted(t, { version: tls12, extra }, { select });
  const bytes = client.received.find(({ type }) => type === hs.certificate_status)?.bytes;
  const types = client.serverExtensions.map(({ type }) => type);
  return {
    body: bytes?.subarray(4),
    v1: types.includes(ext.status_request),
    v2: types.includes(ext.status_request_v2),
    stapling: client.server.hello?.stapling,
    order: client.received.map(({ type }) => type),
  };
}

const request = concat(u16(0), u16(0));
const v1 = extension(ext.status_request, u8(1), request);
const item = (type: number) => concat(u8(type), vec16(request));
const v2 = (...types: number[]) => extension(ext.status_request_v2, vec16(...types.map(item)));

test("TLS 1.2: status_request", (t) => {
  const answer = status(t, [leaf, intermediate], v1);
  t.deepEqual(answer.body, concat(u8(1), vec24(leaf)));
  t.true(answer.v1 && !answer.v2);
  t.deepEqual(answer.order.slice(0, 4), [2, 11, 22, 12]);
  const none = status(t, [undefined, intermediate], v1);
  t.is(none.body, undefined);
  t.false(none.v1);
});

test("TLS 1.2: status_request_v2, RFC 6961", (t) => {
  const one = status(t, [leaf, intermediate], v2(1));
  t.deepEqual(one.body, concat(u8(1), vec24(leaf)));
  t.true(one.v2 && !one.v1);
  t.is(one.stapling, "v2");
  const many = status(t, [leaf, intermediate], v2(2));
  t.deepEqual(
    many.body,
    concat(
      u8(2),
      vec24(vec24(leaf), vec24(intermediate), ...rest(selection("p256").identity.certificates.length - 2)),
    ),
  );
  t.is(many.stapling, "v2-multi");
  const gap = status(t, [undefined, intermediate], v2(1, 2));
  t.deepEqual(
    gap.body,
    concat(
      u8(2),
      vec24(vec24(), vec24(intermediate), ...rest(selection("p256").identity.certificates.length - 2)),
    ),
  );
  t.is(status(t, [undefined, intermediate], v2(1)).body, undefined);
  for (const offer of [v2(1, 2), v2(2, 1), v2(2, 2)]) t.is(status(t, [leaf], offer).body?.[0], 2);
  const nothing = status(t, [], v2(2));
  t.is(nothing.body, undefined);
  t.false(nothing.v2);
  t.is(status(t, [leaf], extension(ext.status_request_v2, vec16(u8(9), vec16(u8(0))))).stapling, "off");
});

function rest(n: number): Buffer[] {
  return Array.from({ length: n }, () => vec24());
}

test("TLS 1.2: with both, exactly one is answered", (t) => {
  const both = status(t, [leaf, intermediate], v1, v2(1));
  t.true(both.v2 && !both.v1);
  t.is(both.body?.[0], 1);
  const multi = status(t, [leaf, intermediate], v2(1, 2), v1);
  t.true(multi.v2 && !multi.v1);
  t.is(multi.body?.[0], 2);
});

test("TLS 1.3: status_request_v2 is not acted upon", (t) => {
  const select = () => ({ ...selection("p256"), staples: [leaf, intermediate] });
  const client = accepted(t, { version: tls13, extra: [v2(1, 2)] }, { select });
  t.is(client.server.hello?.stapling, "off");
  const certificate = client.received.find(({ type }) => type === hs.certificate)!.bytes;
  t.false(certificate.includes(Buffer.from(leaf)));
  const asked = accepted(t, { version: tls13, extra: [v1, v2(1, 2)] }, { select });
  const list = asked.received.find(({ type }) => type === hs.certificate)!.bytes;
  t.true(list.includes(Buffer.from(leaf)) && list.includes(Buffer.from(intermediate)));
});
