import { distinguishedName, nameOf } from "../certificate.js";
import { implicit, sequence } from "../der.js";
import {
  basicConstraints,
  directoryName,
  extension,
  generalName,
  nameConstraints,
  subjectAltName,
  subnet,
} from "../extensions.js";
import type { ChainMatrix } from "./matrix.js";

const email = (address: string) => implicit(1, Buffer.from(address));
const uri = (text: string) => implicit(6, Buffer.from(text));

/** Matching the server's name: RFC 9525 section 6. */
export function nameCases(m: ChainMatrix): void {
  const named = (...names: (string | Buffer)[]) => [
    m.leaf({ extensions: { names: subjectAltName(...names) } }),
    m.intermediate,
  ];
  const mismatch = (id: string, description: string, names: (string | Buffer)[], name: string) =>
    m.bad(id, "CERT_NAME_MISMATCH", description, named(...names), { name });
  const addressMismatch = (id: string, description: string, names: (string | Buffer)[], name: string) =>
    m.bad(id, "CERT_IP_MISMATCH", description, named(...names), { name });

  mismatch("wrong-name", "another name", ["other.tlstaple.test"], "leaf.tlstaple.test");
  mismatch("name-suffix", "the certificate's name ends the one asked for", ["leaf.test"], "overleaf.test");
  mismatch("name-prefix", "the certificate's name begins with it", ["leaf.test.evil.test"], "leaf.test");
  mismatch(
    "parent-name",
    "the certificate is for the parent domain",
    ["tlstaple.test"],
    "leaf.tlstaple.test",
  );
  mismatch("nul-in-name", "a NUL stands after the name asked for", ["leaf.test\0.evil.test"], "leaf.test");
  mismatch("email-only", "only an e-mail address at the host", [email("root@leaf.test")], "leaf.test");
  mismatch("uri-only", "only a URI at the host", [uri("https://leaf.test/")], "leaf.test");
  mismatch("address-only", "only addresses, and a name is asked for", ["127.0.0.1", "::1"], "leaf.test");
  mismatch("wildcard-parent", "a wildcard does not stand for nothing", ["*.leaf.test"], "leaf.test");
  mismatch("wildcard-deep", "nor for two labels", ["*.leaf.test"], "a.b.leaf.test");
  mismatch("wildcard-partial", "a wildcard is a whole label", ["l*.tlstaple.test"], "leaf.tlstaple.test");
  mismatch("wildcard-suffix", "a wildcard is a whole label", ["*f.tlstaple.test"], "leaf.tlstaple.test");
  mismatch("wildcard-inside", "and the leftmost one", ["leaf.*.test"], "leaf.tlstaple.test");
  mismatch("wildcard-twice", "and there is one", ["*.*.test"], "leaf.tlstaple.test");
  mismatch("wildcard-alone", "and something follows it", ["*"], "localhost");
  addressMismatch("wrong-address", "another IPv4 address", ["127.0.0.2", "::1"], "127.0.0.1");
  addressMismatch("wrong-address-6", "another IPv6 address", ["127.0.0.1", "::2"], "::1");
  addressMismatch("address-as-name", "an address spelt as a dNSName", [dns("127.0.0.1")], "127.0.0.1");
  addressMismatch("address-wildcard", "a wildcard for an address", [dns("*.0.0.1")], "127.0.0.1");
  addressMismatch("mapped-address", "an IPv4 address mapped into IPv6", ["::ffff:7f00:1"], "127.0.0.1");
  addressMismatch("name-only", "only a name, and an address is asked for", ["leaf.test"], "127.0.0.1");
  m.bad("common-name-only", "CERT_NAME_MISMATCH", "the name stands in commonName, and there is no SAN", [
    m.leaf({ extensions: { names: undefined } }),
    m.intermediate,
  ]);
}

const dns = (name: string) => implicit(2, Buffer.from(name));

/** Name constraints: RFC 5280 section 4.2.1.10. */
export function constraintCases(m: ChainMatrix): void {
  // OpenSSL holds a commonName that looks like a host's name against the constraints too
  const constrained = (constraints: Buffer, ...names: (string | Buffer)[]) =>
    m.under(m.authority({ extensions: { nameConstraints: constraints } }), {
      subject: "matrix leaf",
      extensions: { names: subjectAltName(...names) },
    });
  const permitted = (...bases: Buffer[]) => nameConstraints(bases, []);
  const excluded = (...bases: Buffer[]) => nameConstraints([], bases);
  const refused = (id: string, description: string, constraints: Buffer, ...names: (string | Buffer)[]) =>
    m.bad(id, "CERT_NAME_CONSTRAINTS", description, constrained(constraints, ...names), { name: null });
  const accepted = (id: string, description: string, constraints: Buffer, ...names: (string | Buffer)[]) =>
    m.good(id, description, constrained(constraints, ...names), { name: null });
  const leaf = "leaf.tlstaple.test";
  const loopback = subnet("127.0.0.0", "255.0.0.0");
  const local6 = subnet("fd00::", "ff00::");

  refused("excluded-dns", "the name lies in an excluded domain", excluded(dns("tlstaple.test")), leaf);
  refused("excluded-dns-case", "the same in other letters", excluded(dns("TLStaple.Test")), leaf);
  refused("excluded-dns-exact", "the name itself is excluded", excluded(dns(leaf)), leaf);
  refused("excluded-all-dns", "an empty base excludes every name", excluded(dns("")), leaf);
  refused(
    "not-permitted-dns",
    "the name lies outside the permitted domain",
    permitted(dns("other.test")),
    leaf,
  );
  refused("label-boundary", "the permitted base ends within a label", permitted(dns("staple.test")), leaf);
  refused(
    "one-name-outside",
    "one of the names lies outside",
    permitted(dns("tlstaple.test")),
    leaf,
    "evil.test",
  );
  refused("wildcard-excluded", "a wildcard covers an excluded name", excluded(dns(leaf)), "*.tlstaple.test");
  refused(
    "excluded-in-permitted",
    "excluded beats permitted",
    nameConstraints([dns("tlstaple.test")], [dns(leaf)]),
    leaf,
  );
  refused("excluded-address", "the address lies in an excluded network", excluded(loopback), "127.0.0.1");
  refused("not-permitted-address", "the address lies outside", permitted(loopback), "192.0.2.1");
  refused("excluded-address-6", "an excluded IPv6 network", excluded(local6), "fd00::1");
  refused("not-permitted-address-6", "an IPv6 address, IPv4 is permitted", permitted(loopback), "::1");
  refused(
    "excluded-email",
    "an e-mail address in an excluded domain",
    excluded(email("evil.test")),
    leaf,
    email("a@evil.test"),
  );
  refused(
    "excluded-uri",
    "a URI at an excluded host",
    excluded(uri("evil.test")),
    leaf,
    uri("https://evil.test/"),
  );
  const ours = directoryName(nameOf(["2.5.4.10", "tlstaple test"]));
  refused("excluded-directory", "the subject lies in an excluded subtree", excluded(ours), leaf);
  const theirs = directoryName(nameOf(["2.5.4.10", "others"]));
  refused("not-permitted-directory", "the subject lies outside the permitted one", permitted(theirs), leaf);
  m.bad(
    "constraint-on-authority",
    "CERT_NAME_CONSTRAINTS",
    "a CA below a constrained one has a name outside",
    constrainedAuthority(m),
  );
  m.bad(
    "constraint-of-grandparent",
    "CERT_NAME_CONSTRAINTS",
    "the constraint of a CA two steps up holds too",
    grandparent(m, excluded(dns("tlstaple.test"))),
  );
  const anchor = m.otherRoot("constrained root", { extensions: { nameConstraints: excluded(dns(leaf)) } });
  m.bad(
    "constraint-of-anchor",
    "CERT_NAME_CONSTRAINTS",
    "the trust anchor itself is constrained",
    m.under(m.authority({}, anchor)),
    { anchors: [anchor] },
  );

  accepted(
    "permitted-dns",
    "inside the permitted domain",
    permitted(dns("tlstaple.test")),
    leaf,
    "x.y.tlstaple.test",
  );
  accepted("permitted-exact", "the permitted name itself", permitted(dns(leaf)), leaf);
  accepted(
    "permitted-either",
    "each name in one of two",
    permitted(dns("a.test"), dns("b.test")),
    "x.a.test",
    "b.test",
  );
  accepted("permitted-wildcard", "a wildcard inside", permitted(dns("tlstaple.test")), "*.tlstaple.test");
  accepted("excluded-elsewhere", "an excluded domain that is not met", excluded(dns("other.test")), leaf);
  accepted(
    "permitted-other-form",
    "DNS is constrained, addresses are not",
    permitted(dns("a.test")),
    "127.0.0.1",
  );
  accepted("permitted-address", "inside both networks", permitted(loopback, local6), "127.0.0.1", "fd00::1");
  accepted("permitted-directory", "the subject in a permitted subtree", permitted(ours), leaf);
  accepted(
    "constraint-unmet-form",
    "an e-mail constraint, and no e-mail address",
    excluded(email("evil.test")),
    leaf,
  );
}

/** The CA in the middle permits names of one organisation; the one below it belongs to another. */
function constrainedAuthority(m: ChainMatrix) {
  const base = directoryName(nameOf(["2.5.4.10", "tlstaple test"], ["2.5.4.11", "TEST ONLY"]));
  const top = m.authority({
    subject: "constrained",
    key: m.otherKey,
    extensions: { nameConstraints: nameConstraints([base], []) },
  });
  const low = m.authority({ subject: nameOf(["2.5.4.10", "others"]) }, top);
  return [m.leaf({ subject: distinguishedName("leaf.tlstaple.test") }, low), low, top];
}

function grandparent(m: ChainMatrix, constraints: Buffer) {
  const top = m.authority({
    subject: "constrained",
    key: m.otherKey,
    extensions: { nameConstraints: constraints },
  });
  const low = m.authority({}, top);
  return [...m.under(low), top];
}

/** Names that are encoded or constrained in a way RFC 5280 does not allow. */
export function malformedNameCases(m: ChainMatrix): void {
  const leaf = (names: Buffer) => [m.leaf({ extensions: { names } }), m.intermediate];
  m.bad("empty-names", "CERT_MALFORMED", "a SAN of no names", leaf(subjectAltName()));
  const five = implicit(7, Buffer.from([127, 0, 0, 1, 0]));
  m.bad(
    "address-of-five",
    "CERT_IP_MISMATCH",
    "an iPAddress of five octets matches nothing",
    leaf(subjectAltName(five)),
    {
      name: "127.0.0.1",
    },
  );
  const trailing = extension(
    "2.5.29.17",
    false,
    Buffer.concat([sequence(generalName("leaf.tlstaple.test")), Buffer.of(0)]),
  );
  m.bad("names-trailing", "CERT_MALFORMED", "a byte after the SAN", leaf(trailing));
  m.bad(
    "constraints-twice",
    "CERT_MALFORMED",
    "basicConstraints stands twice",
    m.under(m.authority({ extensions: { again: basicConstraints(true) } })),
  );
}
