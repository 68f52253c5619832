import type { Issued } from "../certificate.js";
import {
  children,
  explicit,
  generalizedTime,
  implicit,
  integer,
  sequence,
  tag,
  tlv,
  utcTime,
} from "../der.js";
import {
  basicConstraints,
  explicitlyNoAuthority,
  extendedKeyUsage,
  extension,
  generalName,
  policyConstraints,
  policyExtensions,
  purpose,
  subjectAltName,
  unknownExtension,
} from "../extensions.js";
import { algorithms } from "../keys.js";
import type { ChainMatrix, Differences } from "./matrix.js";

/** Paths that exist, though the chain is not leaf, intermediate, root: RFC 5280 section 6.1, RFC 8446 section 4.4.2. */
export function goodTrustCases(m: ChainMatrix): void {
  const leaf = m.leaf();
  const other = m.otherRoot("other root");
  const plain = [leaf, m.intermediate];
  m.good("plain", "leaf and intermediate", plain);
  m.good("any-name", "the same, whatever its name", plain, { name: null });
  m.good("root-included", "the root is sent too", [...plain, m.root]);
  m.good("twice", "everything is sent twice", [...plain, ...plain]);
  m.good("out-of-order", "the root comes before the intermediate", [leaf, m.root, m.intermediate]);
  m.good("extra-first", "an unrelated CA comes before the intermediate", [leaf, other, m.intermediate]);
  m.good("extra-last", "an unrelated leaf comes after the path", [...plain, m.leaf({}, other)]);
  m.good("extra-expired", "an unrelated CA that has expired", [leaf, m.authority(past), m.intermediate]);
  const garbled = m.authority({ bend: (der) => der.subarray(0, 40) });
  m.good("extra-garbled", "a certificate that nobody needs is malformed", [leaf, garbled, m.intermediate]);
  m.good("sibling-first", "a CA with the issuer's name and another key comes first", [
    leaf,
    m.authority({ subject: m.intermediate.name, key: m.otherKey }),
    m.intermediate,
  ]);
  m.good("expired-first", "an expired certificate of the issuer comes first", [
    leaf,
    m.authority({ ...past, subject: m.intermediate.name, key: m.intermediate.key }),
    m.intermediate,
  ]);
  m.good("anchor-second", "the second of two anchors", plain, { anchors: [other, m.root] });
  m.good("anchor-intermediate", "the intermediate is the anchor, and is not sent", [leaf], {
    anchors: [m.intermediate],
  });
  m.good("anchor-intermediate-sent", "the intermediate is the anchor, and is sent", [...plain, m.root], {
    anchors: [m.intermediate],
  });
  const selfSigned = m.selfSigned();
  m.good("self-signed", "a self-signed leaf that is an anchor", [selfSigned], { anchors: [selfSigned] });
  m.good("leaf-pinned", "the leaf itself is the anchor", [leaf], { anchors: [leaf] });
  crossSigned(m);
  fourLevels(m);
}

const past = Object.freeze({ notBefore: "2015-01-01T00:00:00Z", notAfter: "2020-01-01T00:00:00Z" });

function crossSigned(m: ChainMatrix): void {
  const other = m.otherRoot("other root");
  const byOther = m.authority({}, other);
  const byRoot = m.authority();
  const leaf = m.leaf({}, byRoot);
  m.good("cross-signed", "the issuer has two certificates, the first from a root that is not trusted", [
    leaf,
    byOther,
    byRoot,
  ]);
  const crossRoot = m.authority({ subject: m.root.name, key: m.root.key }, other);
  const chain = [m.leaf(), m.intermediate, crossRoot];
  m.good("cross-signed-root", "the root, cross-signed by an old one; the new one is trusted", chain);
  m.good("cross-signed-old", "the same; the old one is trusted", chain, { anchors: [other] });
}

function fourLevels(m: ChainMatrix): void {
  const top = m.authority({
    subject: "top",
    key: m.otherKey,
    extensions: { constraints: basicConstraints(true, 1) },
  });
  const low = m.authority({ extensions: { constraints: basicConstraints(true, 0) } }, top);
  const leaf = m.leaf({}, low);
  m.good("four-levels", "two intermediates with pathLen 1 and 0", [leaf, low, top]);
  m.good("four-levels-reversed", "the same in the wrong order", [leaf, top, low]);
  const old = m.authority({ key: m.otherKey, extensions: { constraints: basicConstraints(true, 0) } });
  m.good("self-issued", "a key rollover does not count for pathLen (RFC 5280 section 6.1.4 (l))", [
    ...m.under(m.authority({}, old)),
    old,
  ]);
}

/** Names: RFC 9525 section 6. */
export function goodNameCases(m: ChainMatrix): void {
  const named = (id: string, description: string, names: (string | Buffer)[], name: string) =>
    m.good(id, description, [m.leaf({ extensions: { names: subjectAltName(...names) } }), m.intermediate], {
      name,
    });
  named("wildcard", "a wildcard for one label", ["*.tlstaple.test"], "leaf.tlstaple.test");
  named(
    "wildcard-second",
    "a wildcard that comes second",
    ["tlstaple.test", "*.tlstaple.test"],
    "a.tlstaple.test",
  );
  named(
    "name-case",
    "names are compared without regard to case",
    ["LEAF.tlstaple.TEST"],
    "Leaf.TLSTAPLE.test",
  );
  named("name-third", "the third of three", ["a.test", "127.0.0.1", "c.test"], "c.test");
  named("name-idn", "an internationalised name, as an A-label", ["xn--bcher-kva.test"], "xn--bcher-kva.test");
  named("address", "an IPv4 address", ["127.0.0.1"], "127.0.0.1");
  named("address-6", "an IPv6 address", ["2001:db8::1"], "2001:db8::1");
  named("address-6-long", "an IPv6 address, spelt out", ["2001:db8::1"], "2001:DB8:0:0:0:0:0:1");
  named("address-6-mapped", "an IPv4 address mapped into IPv6", ["::ffff:7f00:1"], "::ffff:127.0.0.1");
  const odd = tlv(0xa0, Buffer.from("06032a0304a0020500", "hex"));
  named("name-among-others", "a name after forms that are not looked at", [odd, "leaf.test"], "leaf.test");
  m.good("subject-empty", "no subject, and a critical SAN", [
    m.leaf({ subject: sequence(), extensions: { names: criticalNames() } }),
    m.intermediate,
  ]);
}

const criticalNames = () => extension("2.5.29.17", true, sequence(generalName("leaf.tlstaple.test")));

/** Fields that are rare but right. */
export function goodFieldCases(m: ChainMatrix): void {
  const leaf = (id: string, description: string, differences: Differences) =>
    m.good(id, description, [m.leaf(differences), m.intermediate]);
  const issuer = (id: string, description: string, extensions: Record<string, Buffer | undefined>) =>
    m.good(id, description, m.under(m.authority({ extensions })));
  const serial = (hex: string): Differences => ({
    fields: { serialNumber: tlv(tag.integer, Buffer.from(hex, "hex")) },
  });
  leaf("serial-20", "a serial number of 20 octets", serial(`7f${"ff".repeat(19)}`));
  leaf(
    "serial-21",
    "a serial number of 160 bits, the top one set: 21 octets",
    serial(`00${"ff".repeat(20)}`),
  );
  leaf("serial-zero", "serial number 0: graceful, RFC 5280 section 4.1.2.2", serial("00"));
  leaf("serial-negative", "a negative serial number: graceful too", serial("ff"));
  leaf("until-2099", "a GeneralizedTime from 2050 on", { notAfter: "2099-12-31T23:59:59Z" });
  leaf("until-9999", "no well-defined end: section 4.1.2.5", { notAfter: "9999-12-31T23:59:59Z" });
  leaf("since-1950", "UTCTime 50 is 1950", { notBefore: "1950-01-01T00:00:00Z" });
  const until = utcTime("2049-12-31T23:59:59Z");
  leaf("since-1900", "a GeneralizedTime before 1970", {
    fields: { validity: sequence(generalizedTime("1900-01-01T00:00:00Z"), until) },
  });
  leaf("since-generalized", 'a GeneralizedTime before 2050, which we "MUST be able to process"', {
    fields: { validity: sequence(generalizedTime("2025-01-01T00:00:00Z"), until) },
  });
  leaf("since-leap-day", "29 February of a leap year", {
    fields: { validity: sequence(utcTime("2024-02-29T00:00:00Z"), generalizedTime("2052-02-29T00:00:00Z")) },
  });
  leaf("unknown-extension", "an extension that nobody knows, not critical", {
    extensions: { unknown: unknownExtension(false) },
  });
  leaf("no-usage", "no keyUsage: any", { extensions: { usage: undefined } });
  leaf("no-purposes", "no extendedKeyUsage: any", { extensions: { purposes: undefined } });
  leaf("no-constraints", "no basicConstraints: not a CA", { extensions: { constraints: undefined } });
  leaf("no-authority-explicitly", "cA FALSE, the default, spelt out", {
    extensions: { constraints: explicitlyNoAuthority() },
  });
  leaf("two-purposes", "serverAuth is the second purpose", {
    extensions: { purposes: extendedKeyUsage(purpose.clientAuth, purpose.serverAuth) },
  });
  leaf("unique-ids", "unique identifiers", { bendTbs: withUniqueIds });
  issuer("issuer-server-purpose", "the issuer is restricted to servers", {
    purposes: extendedKeyUsage(purpose.serverAuth),
  });
  issuer("issuer-any-purpose", "the issuer may serve any purpose", {
    purposes: extendedKeyUsage(purpose.any),
  });
  issuer("issuer-no-usage", "the issuer has no keyUsage: any", { usage: undefined });
  policyCases(m);
  anchorCases(m);
}

/** What can't fail a path when any policy will do and none is asked for, RFC 5280 section 6.1. */
function policyCases(m: ChainMatrix): void {
  const issuer = (id: string, description: string, limits: Buffer) =>
    m.good(id, description, m.under(m.authority({ extensions: { limits } })));
  const { policies, ...others } = policyExtensions(true);
  const authority = m.authority({ extensions: { policies, ...others } });
  m.good(
    "policies-critical",
    "critical policies, mappings and inhibitAnyPolicy",
    m.under(authority, { extensions: { policies } }),
  );
  issuer(
    "mapping-inhibited",
    "critical policyConstraints inhibit mapping",
    policyConstraints(true, { mapping: 0 }),
  );
  issuer(
    "explicit-policy-not-critical",
    "policyConstraints that are not critical, as they must be to be meant",
    policyConstraints(false, { explicitPolicy: 0 }),
  );
}

/** Anchors that are rare but right. */
function anchorCases(m: ChainMatrix): void {
  const under = (id: string, description: string, root: Issued) =>
    m.good(id, description, m.under(m.authority({}, root)), { anchors: [root] });
  const limited = (...purposes: string[]) =>
    m.otherRoot("limited root", { extensions: { purposes: extendedKeyUsage(...purposes) } });
  under(
    "anchor-server-purpose",
    "the anchor is for servers",
    limited(purpose.clientAuth, purpose.serverAuth),
  );
  under("anchor-any-purpose", "the anchor may serve any purpose", limited(purpose.any));
  const past = { notBefore: "2015-01-01T00:00:00Z", notAfter: "2020-01-01T00:00:00Z" };
  under("anchor-expired", "nobody looks at the dates of an anchor", m.otherRoot("old root", past));
  const sha1Root = m.otherRoot("SHA-1 root", { algorithm: algorithms["ecdsa-sha1"] });
  m.good(
    "sha1-root",
    "nobody verifies the signature of an anchor",
    [...m.under(m.authority({}, sha1Root)), sha1Root],
    {
      anchors: [sha1Root],
    },
  );
  const none = Buffer.of();
  const v1Root = m.otherRoot("v1 root", { fields: { version: none, extensions: none } });
  m.good("v1-root", "an anchor of X.509 version 1", m.under(m.authority({}, v1Root)), { anchors: [v1Root] });
  const v2 = { version: explicit(0, integer(1)), extensions: none };
  under("v2-root", "an anchor of X.509 version 2", m.otherRoot("v2 root", { fields: v2 }));
}

/** issuerUniqueID and subjectUniqueID stand before the extensions, RFC 5280 section 4.1.2.8. */
function withUniqueIds(tbs: Buffer): Buffer {
  const fields = children(tbs);
  const extensions = fields.pop()!;
  const ids = [implicit(1, Buffer.from("000102", "hex")), implicit(2, Buffer.from("000304", "hex"))];
  return sequence(...fields, ...ids, extensions);
}
