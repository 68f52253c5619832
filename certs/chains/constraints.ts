import { type Issued, nameOf } from "../certificate.js";
import { explicit, ia5, implicit, oid, printable, sequence, set, tlv } from "../der.js";
import { directoryName, extension, nameConstraints, subjectAltName, subnet } from "../extensions.js";
import type { ChainMatrix, Differences } from "./matrix.js";

type Names = readonly (string | Buffer)[];

const dns = (base: string) => implicit(2, Buffer.from(base));
const email = (text: string) => implicit(1, Buffer.from(text));
const uri = (text: string) => implicit(6, Buffer.from(text));
const permitted = (...bases: Buffer[]) => nameConstraints(bases, []);
const excluded = (...bases: Buffer[]) => nameConstraints([], bases);

/** Name constraints: RFC 5280 section 4.2.1.10. */
export function constraintCases(m: ChainMatrix): void {
  const rules = new Rules(m);
  dnsCases(rules);
  addressCases(rules);
  directoryCases(rules);
  otherFormCases(rules);
  pathCases(m);
}

/** Cases of a leaf with some names under a CA with some constraints; any name is asked for. */
class Rules {
  readonly #matrix: ChainMatrix;

  constructor(matrix: ChainMatrix) {
    this.#matrix = matrix;
  }

  refused(id: string, description: string, constraints: Buffer, names: Names, leaf: Differences = {}): void {
    const chain = this.#chain(constraints, names, leaf);
    this.#matrix.bad(id, "CERT_NAME_CONSTRAINTS", description, chain, { name: null });
  }

  accepted(id: string, description: string, constraints: Buffer, names: Names): void {
    this.#matrix.good(id, description, this.#chain(constraints, names, {}), { name: null });
  }

  malformed(id: string, description: string, constraints: Buffer): void {
    this.#matrix.bad(id, "CERT_MALFORMED", description, this.#chain(constraints, ["leaf.test"], {}));
  }

  #chain(constraints: Buffer, names: Names, leaf: Differences) {
    const authority = this.#matrix.authority({ extensions: { nameConstraints: constraints } });
    // OpenSSL holds a commonName that looks like a host's name against the constraints too
    const extensions = { names: subjectAltName(...names) };
    return this.#matrix.under(authority, { subject: "matrix leaf", extensions, ...leaf });
  }
}

const leaf = "leaf.tlstaple.test";

function dnsCases(rules: Rules): void {
  rules.refused("excluded-dns", "the name lies in an excluded domain", excluded(dns("tlstaple.test")), [
    leaf,
  ]);
  rules.refused("excluded-dns-case", "the same in other letters", excluded(dns("TLStaple.Test")), [leaf]);
  rules.refused("excluded-dns-exact", "the name itself is excluded", excluded(dns(leaf)), [leaf]);
  rules.refused("excluded-all-dns", "an empty base excludes every name", excluded(dns("")), [leaf]);
  rules.refused("not-permitted-dns", "outside the permitted domain", permitted(dns("other.test")), [leaf]);
  rules.refused("label-boundary", "the permitted base ends within a label", permitted(dns("staple.test")), [
    leaf,
  ]);
  rules.refused("parent-of-permitted", "the name is the permitted domain's parent", permitted(dns(leaf)), [
    "tlstaple.test",
  ]);
  rules.refused("one-name-outside", "one of the names lies outside", permitted(dns("tlstaple.test")), [
    leaf,
    "evil.test",
  ]);
  rules.refused("wildcard-excluded", "a wildcard covers an excluded name", excluded(dns(leaf)), [
    "*.tlstaple.test",
  ]);
  const both = nameConstraints([dns("tlstaple.test")], [dns(leaf)]);
  rules.refused("excluded-in-permitted", "excluded beats permitted", both, [leaf]);

  rules.accepted("permitted-dns", "inside the permitted domain", permitted(dns("tlstaple.test")), [
    leaf,
    "x.y.tlstaple.test",
  ]);
  rules.accepted("permitted-exact", "the permitted name itself", permitted(dns(leaf)), [leaf]);
  rules.accepted("permitted-either", "each name in one of two", permitted(dns("a.test"), dns("b.test")), [
    "x.a.test",
    "b.test",
  ]);
  rules.accepted("permitted-wildcard", "a wildcard inside", permitted(dns("tlstaple.test")), [
    "*.tlstaple.test",
  ]);
  rules.accepted("excluded-elsewhere", "an excluded domain that is not met", excluded(dns("other.test")), [
    leaf,
  ]);
  rules.accepted("excluded-as-long", "an excluded domain of the same shape", excluded(dns("tlstable.test")), [
    leaf,
  ]);
  rules.accepted("excluded-sibling", "an excluded sibling", excluded(dns("b.tlstaple.test")), [
    "a.tlstaple.test",
  ]);
}

function addressCases(rules: Rules): void {
  const loopback = subnet("127.0.0.0", "255.0.0.0");
  const local = subnet("fd00::", "ff00::");
  const six = implicit(7, Buffer.from([127, 0, 0, 255, 0, 0]));
  rules.refused("excluded-address", "in an excluded network", excluded(loopback), ["127.0.0.1"]);
  rules.refused("not-permitted-address", "outside the permitted network", permitted(loopback), ["192.0.2.1"]);
  rules.refused("excluded-address-6", "in an excluded IPv6 network", excluded(local), ["fd00::1"]);
  rules.refused("not-permitted-address-6", "an IPv6 address, IPv4 is permitted", permitted(loopback), [
    "::1",
  ]);
  rules.refused("excluded-address-malformed", "an excluded network of six octets", excluded(six), [
    "192.0.2.1",
  ]);
  rules.refused("permitted-address-malformed", "a permitted network of six octets", permitted(six), [
    "127.0.0.1",
  ]);
  rules.accepted("permitted-address", "inside both networks", permitted(loopback, local), [
    "127.0.0.1",
    "fd00::1",
  ]);
  rules.accepted("permitted-other-form", "DNS is constrained, addresses are not", permitted(dns("a.test")), [
    "127.0.0.1",
  ]);
  const everything = subnet("0.0.0.0", "0.0.0.0");
  rules.accepted("excluded-other-family", "all of IPv4 is excluded, and it is IPv6", excluded(everything), [
    "::1",
  ]);
}

const organization = "2.5.4.10";
const ours = nameOf([organization, "tlstaple test"]);
const attribute = (value: Buffer) => sequence(set(sequence(oid(organization), value)));

function directoryCases(rules: Rules): void {
  rules.refused(
    "excluded-directory",
    "the subject lies in an excluded subtree",
    excluded(directoryName(ours)),
    [leaf],
  );
  const printed = directoryName(attribute(printable("TLSTAPLE Test")));
  rules.refused("excluded-directory-case", "the same in other letters and another type", excluded(printed), [
    leaf,
  ]);
  const teletex = directoryName(attribute(tlv(0x14, Buffer.from("others"))));
  rules.refused("excluded-directory-type", "a base of a type that cannot be compared", excluded(teletex), [
    leaf,
  ]);
  const theirs = directoryName(nameOf([organization, "others"]));
  rules.refused(
    "not-permitted-directory",
    "the subject lies outside the permitted subtree",
    permitted(theirs),
    [leaf],
  );
  const longer = directoryName(
    nameOf(
      [organization, "tlstaple test"],
      ["2.5.4.11", "TEST ONLY"],
      ["2.5.4.3", "matrix leaf"],
      ["2.5.4.3", "x"],
    ),
  );
  rules.refused(
    "permitted-directory-longer",
    "the permitted subtree begins below the subject",
    permitted(longer),
    [leaf],
  );
  rules.accepted(
    "permitted-directory",
    "the subject in a permitted subtree",
    permitted(directoryName(ours)),
    [leaf],
  );
  rules.accepted("excluded-directory-elsewhere", "an excluded subtree that is not met", excluded(theirs), [
    leaf,
  ]);
  rules.accepted(
    "permitted-directory-second",
    "the subject in the second of two permitted subtrees",
    permitted(theirs, directoryName(ours)),
    [leaf],
  );
  rules.refused(
    "excluded-directory-second",
    "the subject in the second of two excluded subtrees",
    excluded(theirs, directoryName(ours)),
    [leaf],
  );
}

function otherFormCases(rules: Rules): void {
  rules.refused("excluded-email", "an address in an excluded domain", excluded(email("evil.test")), [
    leaf,
    email("a@evil.test"),
  ]);
  rules.refused("excluded-uri", "a URI at an excluded host", excluded(uri("evil.test")), [
    leaf,
    uri("https://evil.test/"),
  ]);
  const emailAddress = sequence(set(sequence(oid("1.2.840.113549.1.9.1"), ia5("a@evil.test"))));
  rules.refused(
    "excluded-email-subject",
    "the address stands in the subject",
    excluded(email("evil.test")),
    [leaf],
    {
      subject: emailAddress,
    },
  );
  rules.accepted(
    "constraint-unmet-form",
    "an e-mail constraint, and no address",
    excluded(email("evil.test")),
    [leaf],
  );
  rules.malformed("constraints-empty", "name constraints of no subtrees", nameConstraints([], []));
  const minimum = sequence(dns("tlstaple.test"), implicit(0, Buffer.of(1)));
  const withMinimum = extension("2.5.29.30", true, sequence(explicit(0, minimum)));
  rules.malformed("constraints-minimum", "a minimum of 1, which RFC 5280 does not allow", withMinimum);
  const zero = sequence(dns("tlstaple.test"), implicit(0, Buffer.of(0)));
  const withZero = (n: number) => extension("2.5.29.30", true, sequence(explicit(n, zero)));
  rules.accepted("constraints-minimum-0", "a minimum of 0, the default, spelt out", withZero(0), [leaf]);
  rules.refused("excluded-minimum-0", "the same, and excluded", withZero(1), [leaf]);
  const maximum = sequence(dns("tlstaple.test"), implicit(1, Buffer.of(1)));
  const withMaximum = extension("2.5.29.30", true, sequence(explicit(0, maximum)));
  rules.malformed("constraints-maximum", "a maximum, which RFC 5280 does not allow", withMaximum);
}

/** Constraints that are not the direct issuer's. */
function pathCases(m: ChainMatrix): void {
  const constrained = (constraints: Buffer) => ({ extensions: { nameConstraints: constraints } });
  const refused = (id: string, description: string, chain: Issued[], anchors = [m.root]) =>
    m.bad(id, "CERT_NAME_CONSTRAINTS", description, chain, { anchors });

  const top = m.authority({
    subject: "constrained",
    key: m.otherKey,
    ...constrained(permitted(directoryName(ours))),
  });
  const outside = m.authority({ subject: nameOf([organization, "others"]) }, top);
  refused("constraint-on-authority", "a CA below a constrained one lies outside", [...m.under(outside), top]);
  const grandparent = m.authority({
    subject: "constrained",
    key: m.otherKey,
    ...constrained(excluded(dns(leaf))),
  });
  const between = m.authority({}, grandparent);
  refused("constraint-of-grandparent", "the constraint of a CA two steps up holds too", [
    ...m.under(between),
    grandparent,
  ]);
  const anchor = m.otherRoot("constrained root", constrained(excluded(dns(leaf))));
  const byAnchor = m.under(m.authority({}, anchor));
  refused("constraint-of-anchor", "the trust anchor itself is constrained", byAnchor, [anchor]);

  const foreign = permitted(directoryName(nameOf([organization, "others"])));
  const old = m.authority({ key: m.otherKey, ...constrained(foreign) });
  const renewed = m.authority({}, old);
  const subject = nameOf([organization, "others"]);
  m.good("constraint-self-issued", "a self-issued CA is exempt (RFC 5280 section 6.1.3 (b))", [
    ...m.under(renewed, { subject }),
    old,
  ]);
}
