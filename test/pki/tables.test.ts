import test from "ava";
import type { Issued } from "../../certs/certificate.js";
import { explicit, sequence } from "../../certs/der.js";
import {
  extendedKeyUsage,
  extension,
  generalName,
  keyUsage,
  nameConstraints as limits,
  purpose,
} from "../../certs/extensions.js";
import { algorithms, newKey } from "../../certs/keys.js";
import { certId, ocspResponse, singleResponse } from "../../certs/response.js";
import { provider } from "../../hosts/node/provider.js";
import { type ClientOptions, configure, features } from "../../src/client/index.js";
import { configure as configureWith } from "../../src/client/options.js";
import { findScheme } from "../../src/crypto/schemes.js";
import { findSuite } from "../../src/crypto/suites.js";
import type { PkiTables } from "../../src/pki/certificate.js";
import { nameConstraints } from "../../src/pki/constraints.js";
import { everything } from "../../src/pki/everything.js";
import { trustAnchor } from "../../src/pki/path.js";
import { rsa } from "../../src/pki/rsa.js";
import { pkiTables } from "../../src/pki/tables.js";
import { authority, host, judge, leaf, root, server, verdict } from "./kit.js";
import { Judge } from "./ocsp-judge.js";

/** Features of the tables: what is not handed in is refused, wherever it stands. */

const base = pkiTables();
const withoutRsa = pkiTables([nameConstraints]);
const withoutConstraints = pkiTables([rsa]);

/** As RFC 5280 demands it, and as some CAs write it. */
const editions = {
  critical: limits([generalName("tlstaple.test")], []),
  "not critical": extension(
    "2.5.29.30",
    false,
    sequence(explicit(0, sequence(generalName("tlstaple.test")))),
  ),
};

const delegation = { ocspSigning: extendedKeyUsage(purpose.ocspSigning) };

/** What is made of an answer about the intermediate, by this delegate of the root's. */
function answer(signer: Issued, pki: PkiTables, subject = leafOfRoot): string {
  const responses = [singleResponse({ certId: certId(root, subject.serial) })];
  const response = ocspResponse({ signer, certificates: [signer.der], responses });
  return new Judge(subject.der, root.der, 65536, provider, pki).verdict(response);
}

const leafOfRoot = server(root);

test("tables are frozen, rows and all, and hold each OID once", (t) => {
  for (const tables of [base, withoutRsa, withoutConstraints, everything]) {
    t.true(Object.isFrozen(tables));
    for (const rows of [tables.extensions, tables.keys, tables.signatures]) {
      t.true(Object.isFrozen(rows) && rows.every(Object.isFrozen));
      t.is(new Set(rows.map(({ oid }) => oid)).size, rows.length);
    }
  }
  const count = (tables: PkiTables) => [
    tables.extensions.length,
    tables.keys.length,
    tables.signatures.length,
  ];
  t.deepEqual(count(base), [11, 2, 4]);
  t.deepEqual(count(everything), [13, 4, 9]);
});

test("what needs no feature passes without any", (t) => {
  t.is(judge([leaf, authority("intermediate", root)], { pki: base }), "good");
  t.is(answer(server(root, { subject: "responder", extensions: delegation }), base), "good");
});

for (const [title, constraints] of Object.entries(editions)) {
  const limited = (issuer?: Issued) =>
    authority("limited", issuer, { extensions: { constraints2: constraints } });

  test(`nameConstraints, ${title}: on the path`, (t) => {
    const ca = limited(root);
    const chain = [server(ca), ca];
    t.is(judge(chain, { pki: everything }), "good");
    t.is(judge(chain, { pki: withoutRsa }), "good");
    t.is(judge(chain, { pki: base }), "CERT_CRITICAL_EXTENSION");
    t.is(judge(chain, { pki: withoutConstraints }), "CERT_CRITICAL_EXTENSION");
    const own = server(root, { extensions: { constraints } });
    t.is(judge([own], { pki: everything }), "good", "a leaf's constrain nobody");
    t.is(judge([own], { pki: base }), "CERT_CRITICAL_EXTENSION");
    t.is(
      judge([own], { pki: base, anchors: [own.der] }),
      "CERT_CRITICAL_EXTENSION",
      "nor is it trusted by itself",
    );
  });

  test(`nameConstraints, ${title}: of an anchor`, (t) => {
    const ca = limited();
    t.is(judge([server(ca)], { anchors: [ca.der] }), "good");
    t.is(
      verdict(() => trustAnchor(ca.der, base)),
      "CERT_CRITICAL_EXTENSION",
    );
    t.is(
      judge([server(ca)], { anchors: [ca.der], anchorTables: everything, pki: base }),
      "CERT_CRITICAL_EXTENSION",
      "nor is one passed that was read with more tables",
    );
  });

  test(`nameConstraints, ${title}: of an OCSP delegate`, (t) => {
    const delegate = server(root, { subject: "responder", extensions: { ...delegation, constraints } });
    t.is(answer(delegate, everything), "good");
    t.is(answer(delegate, base), "OCSP_RESPONDER");
  });
}

test("malformed nameConstraints are refused with the feature as malformed, without it as unknown", (t) => {
  const junk = extension("2.5.29.30", true, Buffer.from("3000", "hex"));
  const ca = authority("limited", root, { extensions: { junk } });
  t.is(judge([server(ca), ca]), "CERT_MALFORMED");
  t.is(judge([server(ca), ca], { pki: base }), "CERT_CRITICAL_EXTENSION");
});

const rsaKey = newKey("rsa2048");
const rsaRoot = authority("rsa root", undefined, { key: rsaKey });

test("RSA: a key on the path, of an anchor", (t) => {
  const own = server(root, { key: rsaKey });
  const ca = authority("rsa ca", root, { key: rsaKey });
  for (const pki of [everything, withoutConstraints]) {
    t.is(judge([own], { pki }), "good");
    t.is(judge([server(ca), ca], { pki }), "good");
    t.is(judge([server(rsaRoot)], { anchors: [rsaRoot.der], pki }), "good");
  }
  for (const pki of [base, withoutRsa]) {
    t.is(judge([own], { pki }), "CERT_KEY");
    t.is(judge([server(ca), ca], { pki }), "CERT_KEY");
    t.is(
      verdict(() => trustAnchor(rsaRoot.der, pki)),
      "CERT_KEY",
    );
    t.is(
      judge([server(rsaRoot)], { anchors: [rsaRoot.der], anchorTables: everything, pki }),
      "CERT_SIGNATURE_ALGORITHM",
    );
  }
});

for (const name of ["rsa-sha256", "pss-sha256"] as const)
  test(`RSA: signatures by ${name} are of an unknown algorithm`, (t) => {
    const algorithm = algorithms[name];
    const signed = server(rsaRoot, { algorithm });
    const anchors = { anchors: [rsaRoot.der], anchorTables: everything };
    t.is(judge([signed], anchors), "good");
    t.is(judge([signed], { ...anchors, pki: withoutRsa }), "CERT_SIGNATURE_ALGORITHM");
    const delegate = server(root, { subject: "responder", key: rsaKey, extensions: delegation });
    const responses = [singleResponse({ certId: certId(root, leafOfRoot.serial) })];
    const response = ocspResponse({ signer: delegate, algorithm, certificates: [delegate.der], responses });
    const judged = (pki: PkiTables) =>
      new Judge(leafOfRoot.der, root.der, 65536, provider, pki).verdict(response);
    t.is(judged(everything), "good");
    t.is(judged(withoutRsa), "OCSP_SIGNATURE_ALGORITHM");
  });

test("RSA: a delegate's key", (t) => {
  const extensions = { ...delegation, usage: keyUsage("digitalSignature") };
  const impostor = server(root, { subject: "responder", key: rsaKey, extensions });
  const delegate = server(root, { subject: "responder", extensions });
  const responses = [singleResponse({ certId: certId(root, leafOfRoot.serial) })];
  const response = ocspResponse({ signer: delegate, certificates: [impostor.der], responses });
  const judged = (pki: PkiTables) =>
    new Judge(leafOfRoot.der, root.der, 65536, provider, pki).verdict(response);
  t.is(judged(everything), "OCSP_SIGNATURE_ALGORITHM", "it is one, but not for this signature");
  t.is(judged(withoutRsa), "OCSP_RESPONDER", "it is none");
});

test("without RSA none of its schemes and suites is offered", (t) => {
  const options = { provider, serverName: host, trust: [], clock: () => 0 };
  const without = (given: ClientOptions) => configureWith(given, features({ nameConstraints }));
  const rsaOf = ({ schemes, suites }: { schemes: readonly number[]; suites: readonly number[] }) => [
    schemes.some((id) => findScheme(id)?.key === "rsa"),
    suites.some((id) => findSuite(id)?.auth === "rsa"),
  ];
  t.deepEqual(rsaOf(configure(options)), [true, true]);
  t.deepEqual(rsaOf(without(options)), [false, false]);
  const { schemes, suites } = configure(options);
  t.deepEqual(rsaOf(without({ ...options, schemes, suites })), [false, false]);
  const own = schemes.filter((id) => findScheme(id)?.key === "rsa");
  t.throws(() => without({ ...options, schemes: own }), { message: /schemes/ });
});
