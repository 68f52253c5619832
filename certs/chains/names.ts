import { explicit, ia5, implicit, sequence } from "../der.js";
import { extension, generalName, subjectAltName } from "../extensions.js";
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
  mismatch("name-begins", "the certificate's name begins the one asked for", ["leaf.test"], "leaf.testing");
  mismatch("name-as-long", "another name of the same length", ["beef.test"], "leaf.test");
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
  mismatch("wildcard-top-level", "and more than a top-level domain", ["*.test"], "leaf.test");
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

/** Names that are encoded in a way RFC 5280 does not allow. */
export function malformedNameCases(m: ChainMatrix): void {
  const leaf = (names: Buffer) => [m.leaf({ extensions: { names } }), m.intermediate];
  const malformed = (id: string, description: string, names: Buffer) =>
    m.bad(id, "CERT_MALFORMED", description, leaf(names));
  const host = generalName("leaf.tlstaple.test");
  malformed("empty-names", "a SAN of no names", subjectAltName());
  malformed("name-no-form", "a string where a GeneralName is wanted", subjectAltName(host, ia5("leaf.test")));
  malformed("name-directory", "a directoryName that is no Name", subjectAltName(host, explicit(4, ia5("x"))));
  const trailing = extension("2.5.29.17", false, Buffer.concat([sequence(host), Buffer.of(0)]));
  malformed("names-trailing", "a byte after the SAN", trailing);
  const five = subjectAltName(implicit(7, Buffer.from([127, 0, 0, 1, 0])));
  m.bad("address-of-five", "CERT_IP_MISMATCH", "an iPAddress of five octets matches nothing", leaf(five), {
    name: "127.0.0.1",
  });
  const nameless = m.leaf({ subject: sequence(), extensions: { names: undefined } });
  m.bad("nameless", "CERT_MALFORMED", "neither subject nor SAN", [nameless, m.intermediate]);
  const fatherless = m.leaf({ fields: { issuer: sequence() } });
  m.bad("issuer-nameless", "CERT_MALFORMED", "an empty issuer", [fatherless, m.intermediate]);
}
