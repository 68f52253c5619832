import { X509Certificate } from "node:crypto";
import test from "ava";
import { type Issued, nameOf } from "../../certs/certificate.js";
import { explicit, implicit, integer, namedBits, nil, oid, sequence, set, tlv } from "../../certs/der.js";
import {
  basicConstraints,
  extendedKeyUsage,
  extension,
  keyUsage,
  nameConstraints,
  policyConstraints,
  policyExtensions,
  purpose,
  subjectAltName,
  unknownExtension,
} from "../../certs/extensions.js";
import { chainCases } from "../../certs/fixtures.js";
import { algorithms, newKey } from "../../certs/keys.js";
import { provider } from "../../hosts/node/provider.js";
import {
  Certificate,
  extendedKeyUsage as eku,
  serves,
  keyUsage as usages,
} from "../../src/pki/certificate.js";
import { Der } from "../../src/pki/der.js";
import { everything as pki } from "../../src/pki/everything.js";
import { parseReference } from "../../src/pki/hostname.js";
import { Store } from "../../src/pki/store.js";
import { faults } from "../../src/wire/fault.js";
import { signatureScheme } from "../../src/wire/registry.js";
import { authority, host, intermediate, keep, leaf, root, server, verdict } from "./kit.js";

function parsed({ der }: { der: Uint8Array }): Certificate {
  const certificate = new Certificate();
  certificate.read(pki, der, 0, der.length);
  return certificate;
}

const options = { provider, pki };
const judged = (certificate: { der: Uint8Array }) => verdict(() => parsed(certificate));
const withExtensions = (extensions: Record<string, Buffer | undefined>) =>
  server(intermediate, { extensions });
const withFields = (fields: object) => server(intermediate, { fields });
const hex = (bytes: Uint8Array, start: number, end: number) =>
  Buffer.from(bytes.subarray(start, end)).toString("hex");
const text = (value: string) => Buffer.from(value, "hex");

test("reads what OpenSSL reads", (t) => {
  let read = 0;
  for (const { chain, expected } of chainCases()) {
    if (expected !== "good") continue;
    for (const der of chain) {
      const certificate = new Certificate();
      if (verdict(() => certificate.read(pki, der, 0, der.length)) !== "good") continue;
      read++;
      const openssl = new X509Certificate(der);
      const serial = hex(der, certificate.serialStart, certificate.serialEnd);
      if (!openssl.serialNumber.startsWith("-")) {
        t.is(BigInt(`0x${serial}`), BigInt(`0x${openssl.serialNumber}`));
      }
      t.is(certificate.notBefore, Date.parse(openssl.validFrom) / 1000);
      t.is(certificate.notAfter, Date.parse(openssl.validTo) / 1000);
      t.is(certificate.ca, openssl.ca);
      const spki = openssl.publicKey.export({ type: "spki", format: "der" });
      t.true(spki.toString("hex").endsWith(hex(der, certificate.key.start, certificate.key.end)));
    }
  }
  t.true(read > 100);
});

test("keeps in the store what it needs, and the input may go", (t) => {
  const constraints = nameConstraints([implicit(2, Buffer.from("test"))], []);
  const { der, name, serial } = authority("kept", root, { extensions: { constraints2: constraints } });
  const input = Uint8Array.from([1, 2, 3, ...der, 4, 5]);
  const certificate = new Certificate();
  certificate.read(pki, input, 3, input.length - 2);
  certificate.keep({ provider, pki }, new Store(new Uint8Array(4096), 7));
  input.fill(0xee);
  const { bytes } = certificate;
  t.is(hex(bytes, certificate.nameStart, certificate.nameEnd), name.toString("hex"));
  t.is(hex(bytes, certificate.issuerStart, certificate.issuerEnd), root.name.toString("hex"));
  t.is(hex(bytes, certificate.serialStart, certificate.serialEnd), serial.subarray(2).toString("hex"));
  const value = constraints.subarray(-certificate.constraintsEnd + certificate.constraintsStart);
  t.is(hex(bytes, certificate.constraintsStart, certificate.constraintsEnd), value.toString("hex"));
  t.is(certificate.key.bytes, bytes);
  t.true(certificate.verify(options, parsed(root).key));
  t.false(certificate.verify(options, parsed(leaf).key));
});

test("takes nothing of the store when there is not room for all", (t) => {
  const full = new Store(new Uint8Array(4096));
  keep(new Certificate(), full, leaf.der);
  const small = new Store(new Uint8Array(full.at - 1));
  const certificate = new Certificate();
  t.is(
    verdict(() => keep(certificate, small, leaf.der)),
    "STORE_TOO_SMALL",
  );
  t.is(certificate.fault, faults.INTERNAL_ERROR, "it can't stand on a path");
  t.is(small.at, 0);
  t.true(small.needed >= full.at);
});

test("alternative names are dropped when only they do not fit", (t) => {
  const kept = (store: Store, der: Uint8Array) => {
    const certificate = new Certificate();
    keep(certificate, store, der);
    t.is(certificate.fault, undefined);
    return certificate;
  };
  const full = new Store(new Uint8Array(4096));
  t.false(kept(full, leaf.der).altNamesLost(full));
  const exact = new Store(new Uint8Array(full.at));
  t.true(kept(exact, leaf.der).altNamesLost(exact));
  t.true(parsed(leaf).isFor(parseReference(host)), "they are compared before");
  t.false(parsed(leaf).isFor(parseReference("other.test")));
  const nameless = withExtensions({ names: undefined });
  // ECDSA signatures differ in length by a few bytes
  const other = kept(new Store(new Uint8Array(full.at + 8)), nameless.der);
  t.false(other.altNamesLost(exact), "there were none");
});

test("a certificate remembers nothing of another that was read with the same cursor", (t) => {
  const everything = authority("everything", root, {
    extensions: {
      constraints: basicConstraints(true, 3),
      usage: keyUsage("keyCertSign", "digitalSignature"),
      purposes: extendedKeyUsage(purpose.serverAuth),
      names: subjectAltName(host),
      limits: nameConstraints([implicit(2, Buffer.from("test"))], []),
      feature: extension("1.3.6.1.5.5.7.1.24", false, sequence(integer(5))),
      unknown: unknownExtension(true),
    },
  });
  const bare = withFields({ version: Buffer.of(), extensions: Buffer.of() });
  const der = new Der();
  const other = new Certificate(der);
  const certificate = new Certificate(der);
  const store = new Store(new Uint8Array(4096));
  keep(other, store, everything.der);
  keep(certificate, store, bare.der);
  t.true(other.mustStaple && other.unknownCritical && other.pathLen === 3);
  const { version, ca, pathLen, keyUsage: usage, extendedKeyUsage: purposes } = certificate;
  const { mustStaple, unknownCritical, constraintsStart, constraintsEnd } = certificate;
  t.deepEqual(
    { version, ca, pathLen, usage, purposes },
    { version: 1, ca: false, pathLen: -1, usage: 0, purposes: 0 },
  );
  t.deepEqual({ mustStaple, unknownCritical }, { mustStaple: false, unknownCritical: false });
  t.is(constraintsStart, constraintsEnd);
  t.is(certificate.altNamesStart, certificate.altNamesEnd);
  t.is(parsed(leaf).verification, undefined);
  t.false(parsed(leaf).verify(options, parsed(intermediate).key));
});

test("the fault for bad DER is what the certificate was made with", (t) => {
  const certificate = new Certificate(new Der(faults.OCSP_MALFORMED));
  t.is(
    verdict(() => certificate.read(pki, leaf.der, 0, leaf.der.length - 1)),
    "OCSP_MALFORMED",
  );
});

test("versions and what each may have", (t) => {
  const none = Buffer.of();
  const version = (n: number) => explicit(0, integer(n));
  t.is(judged(withFields({ version: none, extensions: none })), "good");
  t.is(judged(withFields({ version: version(1), extensions: none })), "good");
  t.is(judged(withFields({ version: version(2), extensions: none })), "good");
  t.is(
    judged(withFields({ version: version(0), extensions: none })),
    "CERT_MALFORMED",
    "a default is not written",
  );
  t.is(judged(withFields({ version: version(3) })), "CERT_MALFORMED");
  t.is(judged(withFields({ version: none })), "CERT_MALFORMED", "version 1 with extensions");
  t.is(judged(withFields({ version: version(1) })), "CERT_MALFORMED", "version 2 with extensions");
  t.is(judged(withFields({ version: explicit(0, integer(2), integer(2)) })), "CERT_MALFORMED");
  const ids = Buffer.concat([implicit(1, Buffer.from([0, 7])), implicit(2, Buffer.from([0, 7]))]);
  t.is(judged(withFields({ version: version(1), extensions: ids })), "good");
  t.is(
    judged(withFields({ version: none, extensions: ids })),
    "CERT_MALFORMED",
    "version 1 with unique identifiers",
  );
});

test("serial numbers have 1 to 20 octets, and one for the sign of 160 bits; negative and zero ones are tolerated", (t) => {
  const serial = (contents: string) => judged(withFields({ serialNumber: tlv(2, text(contents)) }));
  for (const contents of ["00", "01", "ff", "80", `7f${"ab".repeat(19)}`, `00${"ff".repeat(20)}`])
    t.is(serial(contents), "good", contents);
  const long = [
    `7f${"ab".repeat(20)}`,
    `80${"00".repeat(20)}`,
    `ff00${"ab".repeat(19)}`,
    `00${"ff".repeat(21)}`,
  ];
  for (const contents of ["", "0001", "ffff", ...long]) {
    t.is(serial(contents), "CERT_MALFORMED", contents);
  }
});

test("names: no empty issuer, no empty set, no subject without a name at all", (t) => {
  const empty = sequence();
  t.is(judged(withFields({ issuer: empty })), "CERT_MALFORMED");
  t.is(judged(withFields({ subject: empty })), "good");
  t.is(
    judged(server(intermediate, { fields: { subject: empty }, extensions: { names: undefined } })),
    "CERT_MALFORMED",
  );
  const attribute = sequence(oid("2.5.4.3"), tlv(12, Buffer.from("x")));
  for (const subject of [
    sequence(set()),
    sequence(set(sequence(oid("2.5.4.3")))),
    sequence(set(sequence(oid("2.5.4.3"), nil, nil))),
    sequence(attribute),
    set(set(attribute)),
    sequence(set(attribute, nil)),
    sequence(set(attribute), nil),
  ]) {
    t.is(judged(withFields({ subject })), "CERT_MALFORMED", subject.toString("hex"));
    t.is(judged(withFields({ issuer: subject })), "CERT_MALFORMED", subject.toString("hex"));
  }
  t.is(judged(withFields({ subject: sequence(set(attribute, attribute), set(attribute)) })), "good");
});

test("nothing trails", (t) => {
  const der = Buffer.concat([leaf.der, nil]);
  t.is(judged({ der }), "CERT_MALFORMED");
  t.is(judged(server(intermediate, { bendTbs: (tbs) => sequence(tbs.subarray(4), nil) })), "CERT_MALFORMED");
  t.is(judged({ der: sequence(leaf.der.subarray(4), nil) }), "CERT_MALFORMED");
  const extensions = explicit(3, sequence(unknownExtension(false)), nil);
  t.is(judged(withFields({ extensions })), "CERT_MALFORMED");
  t.is(judged(withFields({ extensions: explicit(3, sequence()) })), "CERT_MALFORMED");
});

test("the signature algorithm inside is the one outside", (t) => {
  const other = algorithms["ecdsa-sha384"].identifier;
  t.is(judged(server(intermediate, { outerAlgorithm: other })), "CERT_ALGORITHM_MISMATCH");
  t.is(judged(withFields({ signature: other })), "CERT_ALGORITHM_MISMATCH");
  const padded = sequence(oid("1.2.840.10045.4.3.2"), nil);
  t.is(judged(server(intermediate, { outerAlgorithm: padded })), "CERT_ALGORITHM_MISMATCH");
});

test("a signature is a BIT STRING of whole octets", (t) => {
  const bend = (der: Buffer) => {
    const unused = Buffer.from(der);
    const at = unused.lastIndexOf(
      Buffer.from([0x03, parsed(leaf).signatureEnd - parsed(leaf).signatureStart + 1, 0]),
    );
    unused[at + 2] = 1;
    unused[unused.length - 1] &= 0xfe;
    return unused;
  };
  t.is(judged({ der: bend(leaf.der) }), "CERT_MALFORMED");
});

test("a scheme that is unknown leaves no verification", (t) => {
  const { der } = server(intermediate, { algorithm: algorithms["ecdsa-sha1"] });
  const certificate = new Certificate();
  keep(certificate, new Store(new Uint8Array(4096)), der);
  t.is(certificate.scheme, 0);
  t.is(certificate.verification, undefined);
  const schemes = [signatureScheme.ed25519];
  const other = new Certificate();
  keep(other, new Store(new Uint8Array(4096)), leaf.der, { provider: { ...provider, schemes }, pki });
  t.is(other.verification, undefined, "the provider has no such scheme");
});

test("basic constraints", (t) => {
  const constraints = (...parts: Buffer[]) =>
    withExtensions({ constraints: extension("2.5.29.19", true, sequence(...parts)) });
  const yes = text("0101ff");
  t.deepEqual([parsed(constraints()).ca, parsed(constraints()).pathLen], [false, -1]);
  const no = text("010100");
  t.deepEqual(
    [parsed(constraints(no)).ca, parsed(constraints(no)).pathLen],
    [false, -1],
    "the default, spelt out",
  );
  t.deepEqual([parsed(constraints(yes)).ca, parsed(constraints(yes)).pathLen], [true, -1]);
  t.is(parsed(constraints(yes, integer(0))).pathLen, 0);
  t.is(parsed(constraints(yes, integer(300))).pathLen, 300);
  for (const bad of [
    [text("010101")],
    [text("01020000")],
    [text("0100")],
    [no, yes],
    [yes, text("0201ff")],
    [yes, yes],
    [yes, integer(0), nil],
  ]) {
    t.is(judged(constraints(...bad)), "CERT_MALFORMED");
  }
});

test("key usage", (t) => {
  const usage = (...names: Parameters<typeof keyUsage>) =>
    parsed(withExtensions({ usage: keyUsage(...names) }));
  t.true(usage("digitalSignature").permits(usages.digitalSignature));
  t.false(usage("digitalSignature").permits(usages.keyCertSign));
  t.true(usage("keyCertSign", "cRLSign").permits(usages.keyCertSign));
  t.false(usage("keyCertSign", "cRLSign").permits(usages.digitalSignature));
  const absent = parsed(withExtensions({ usage: undefined }));
  t.true(absent.permits(usages.digitalSignature) && absent.permits(usages.keyCertSign));
  const raw = (value: Buffer) => judged(withExtensions({ usage: extension("2.5.29.15", true, value) }));
  t.is(raw(namedBits(8)), "good");
  t.is(raw(text("030100")), "CERT_MALFORMED", "at least one bit");
  t.is(raw(text("03020700")), "CERT_MALFORMED", "at least one bit");
});

test("extended key usage", (t) => {
  const purposes = (...list: string[]) => parsed(withExtensions({ purposes: extendedKeyUsage(...list) }));
  const both = (certificate: Certificate) => [
    serves(certificate.extendedKeyUsage, eku.serverAuth),
    certificate.signsOcsp,
  ];
  t.deepEqual(both(purposes(purpose.serverAuth)), [true, false]);
  t.deepEqual(both(purposes(purpose.clientAuth, purpose.serverAuth)), [true, false]);
  t.deepEqual(both(purposes(purpose.any)), [true, false]);
  t.deepEqual(both(purposes(purpose.ocspSigning)), [false, true]);
  t.deepEqual(both(purposes(purpose.clientAuth)), [false, false]);
  t.deepEqual(both(purposes(`${purpose.serverAuth}.1`, `${purpose.ocspSigning}.1`)), [false, false]);
  t.deepEqual(both(parsed(withExtensions({}))), [true, false], "without it: for TLS, not for OCSP");
  t.is(judged(withExtensions({ purposes: extendedKeyUsage() })), "CERT_MALFORMED");
});

test("TLS features, RFC 7633", (t) => {
  const feature = (...list: Buffer[]) =>
    withExtensions({ feature: extension("1.3.6.1.5.5.7.1.24", false, sequence(...list)) });
  const staples = (...numbers: number[]) => parsed(feature(...numbers.map((n) => integer(n)))).mustStaple;
  t.true(staples(5));
  t.true(staples(17));
  t.true(staples(23, 5));
  t.false(staples(23));
  t.false(parsed(leaf).mustStaple);
  t.is(judged(feature(nil)), "CERT_MALFORMED");
});

test("alternative names are GeneralNames, at least one", (t) => {
  const names = (...list: Buffer[]) => judged(withExtensions({ names: subjectAltName(...list) }));
  t.is(names(), "CERT_MALFORMED");
  t.is(names(tlv(12, Buffer.from("x"))), "CERT_MALFORMED");
  t.is(names(explicit(4, nameOf(["2.5.4.3", "x"]))), "good");
  t.is(names(explicit(4, nil)), "CERT_MALFORMED");
  t.is(names(explicit(4, nameOf(), nil)), "CERT_MALFORMED");
});

test("name constraints have a list, none is empty, and bases have no distance", (t) => {
  const constraints = (...parts: Buffer[]) =>
    judged(withExtensions({ limits: extension("2.5.29.30", true, sequence(...parts)) }));
  const base = implicit(2, Buffer.from("test"));
  t.is(constraints(explicit(0, sequence(base)), explicit(1, sequence(base))), "good");
  t.is(constraints(explicit(1, sequence(base))), "good");
  t.is(constraints(), "CERT_MALFORMED");
  t.is(constraints(explicit(0)), "CERT_MALFORMED");
  t.is(constraints(explicit(1, sequence(base)), explicit(0, sequence(base))), "CERT_MALFORMED");
  t.is(constraints(explicit(0, sequence(base, implicit(0, text("00"))))), "good", "the default, spelt out");
  t.is(constraints(explicit(0, sequence(base, implicit(0, text("0000"))))), "CERT_MALFORMED");
  t.is(constraints(explicit(0, sequence(base, implicit(0)))), "CERT_MALFORMED");
  t.is(constraints(explicit(0, sequence(base, implicit(0, text("01"))))), "CERT_MALFORMED", "minimum");
  t.is(constraints(explicit(0, sequence(base, implicit(1, text("01"))))), "CERT_MALFORMED", "maximum");
  t.is(constraints(explicit(0, sequence(nil))), "CERT_MALFORMED");
});

test("critical extensions that are unknown are remembered, not thrown", (t) => {
  t.true(parsed(withExtensions({ unknown: unknownExtension(true) })).unknownCritical);
  t.false(parsed(withExtensions({ unknown: unknownExtension(false) })).unknownCritical);
  const twice = { unknown: unknownExtension(true), policies: policyExtensions(true).policies };
  t.true(parsed(withExtensions(twice)).unknownCritical);
});

test("policies that can't fail a path are known; an explicit one can't be met", (t) => {
  const unmet = (extensions: Record<string, Buffer>) => parsed(withExtensions(extensions)).unknownCritical;
  for (const [name, value] of Object.entries(policyExtensions(true))) t.false(unmet({ [name]: value }), name);
  const limits = (...parts: Buffer[]) => unmet({ limits: extension("2.5.29.36", true, sequence(...parts)) });
  const [explicitPolicy, mapping] = [implicit(0, Buffer.of(0)), implicit(1, Buffer.of(0))];
  t.true(limits(explicitPolicy));
  t.true(limits(explicitPolicy, mapping));
  t.true(limits(mapping, explicitPolicy), "in whatever order");
  t.true(limits(explicit(0, integer(0))), "in whatever form");
  t.false(limits(mapping));
  const limit = (critical: boolean) => unmet({ limits: policyConstraints(critical, { explicitPolicy: 0 }) });
  t.deepEqual([limit(true), limit(false)], [true, false], "RFC 5280 4.2.1.11: it must be critical");
  t.true(unmet({ unknown: unknownExtension(true), limits: policyConstraints(true, { mapping: 0 }) }));
  const malformed = extension("2.5.29.32", true, Buffer.concat([sequence(), sequence()]));
  t.is(judged(withExtensions({ malformed })), "CERT_MALFORMED");
});

test("self-issued means the same name, not the same key", (t) => {
  t.true(parsed(root).selfIssued);
  t.false(parsed(intermediate).selfIssued);
  t.true(parsed(authority("root", root)).selfIssued);
});

test("certificates of the other key kinds are signed as they say", (t) => {
  const kinds: [Parameters<typeof newKey>[0], keyof typeof algorithms][] = [
    ["p384", "ecdsa-sha384"],
    ["p384", "ecdsa-sha256"],
    ["ed25519", "ed25519"],
    ["rsa2048", "rsa-sha512"],
    ["rsa2048", "pss-sha384"],
  ];
  for (const [type, algorithm] of kinds) {
    const issuer: Issued = authority("other kind", undefined, {
      key: newKey(type),
      algorithm: algorithms[algorithm],
    });
    const { der } = server(issuer, { algorithm: algorithms[algorithm] });
    const certificate = new Certificate();
    keep(certificate, new Store(new Uint8Array(4096)), der);
    t.true(certificate.verify(options, parsed(issuer).key), `${type} ${algorithm}`);
    t.false(certificate.verify(options, parsed(root).key), `${type} ${algorithm}`);
  }
});
