import type { Issued } from "../certificate.js";
import { distinguishedName } from "../certificate.js";
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  mustStaple,
  policyConstraints,
  policyExtensions,
  purpose,
  unknownExtension,
} from "../extensions.js";
import type { ChainMatrix } from "./matrix.js";

const past = Object.freeze({ notBefore: "2015-01-01T00:00:00Z", notAfter: "2020-01-01T00:00:00Z" });
const future = Object.freeze({ notBefore: "2045-01-01T00:00:00Z" });

/** Validity: RFC 5280 section 6.1.3 (a)(2). */
export function dateCases(m: ChainMatrix): void {
  m.bad("expired-leaf", "CERT_EXPIRED", "the leaf expired in 2020", [m.leaf(past), m.intermediate]);
  m.bad("expired-intermediate", "CERT_EXPIRED", "its issuer expired in 2020", m.under(m.authority(past)));
  m.bad("future-leaf", "CERT_NOT_YET_VALID", "the leaf is valid from 2045 on", [
    m.leaf(future),
    m.intermediate,
  ]);
  m.bad(
    "future-intermediate",
    "CERT_NOT_YET_VALID",
    "its issuer is valid from 2045 on",
    m.under(m.authority(future)),
  );
  m.bad("swapped-dates", "CERT_NOT_YET_VALID", "notBefore is after notAfter, and now between them", [
    m.leaf({ notBefore: "2049-01-01T00:00:00Z", notAfter: "2025-01-01T00:00:00Z" }),
    m.intermediate,
  ]);
}

/** Building a path to an anchor: RFC 5280 section 6.1, by name and by key. */
export function trustCases(m: ChainMatrix): void {
  const other = m.otherRoot("other root");
  const impostor = m.otherRoot(m.root.name);
  const leaf = m.leaf();
  m.bad("untrusted-root", "CERT_UNKNOWN_ISSUER", "complete up to a root that nobody trusts", [
    ...m.under(m.authority({}, other)),
    other,
  ]);
  m.bad("impostor-root", "CERT_SIGNATURE", "the root has the trusted one's name and another key", [
    ...m.under(m.authority({}, impostor)),
    impostor,
  ]);
  m.bad("missing-intermediate", "CERT_UNKNOWN_ISSUER", "the leaf comes alone", [leaf]);
  m.bad("missing-middle", "CERT_UNKNOWN_ISSUER", "leaf and root come without what links them", [
    leaf,
    m.root,
  ]);
  m.bad("self-signed-leaf", "CERT_UNKNOWN_ISSUER", "a self-signed leaf that is not trusted", [
    m.selfSigned(),
  ]);
  m.bad("empty-chain", "NO_PEER_CERT", "no certificate at all", []);
  m.bad(
    "sibling-authority",
    "CERT_SIGNATURE",
    "a CA with the issuer's name and another key stands in for it",
    [leaf, m.authority({ subject: m.intermediate.name, key: m.otherKey })],
  );
  m.bad(
    "issuer-name-differs",
    "CERT_UNKNOWN_ISSUER",
    "signed by the intermediate, but names another issuer",
    [m.leaf({ fields: { issuer: distinguishedName("somebody else") } }), m.intermediate],
  );
  loopCase(m);
  permutationCase(m);
  m.bad("many-impostors", "CERT_SIGNATURE", "six CAs with the issuer's name, none with its key", [
    leaf,
    ...[1, 2, 3, 4, 5, 6].map((serial) =>
      m.authority({ subject: m.intermediate.name, key: m.otherKey, serial }),
    ),
  ]);
}

/** A CA that has certified itself over and over: there are 7! orders to try them in, and none leads anywhere. */
function permutationCase(m: ChainMatrix): void {
  const mill = { name: distinguishedName("mill"), key: m.authorityKey };
  const rows = [1, 2, 3, 4, 5, 6, 7].map((serial) => m.authority({ subject: mill.name, serial }, mill));
  m.bad("permutations", "CERT_CHAIN_TOO_LONG", "a CA has certified itself seven times", [
    m.leaf({}, mill),
    ...rows,
  ]);
}

/** Two CAs that certify each other and lead nowhere. */
function loopCase(m: ChainMatrix): void {
  const a = { name: distinguishedName("loop A"), key: m.authorityKey };
  const b = { name: distinguishedName("loop B"), key: m.otherKey };
  m.bad("loop", "CERT_UNKNOWN_ISSUER", "two CAs have certified each other", [
    m.leaf({}, a),
    m.authority({ subject: a.name, key: a.key }, b),
    m.authority({ subject: b.name, key: b.key }, a),
  ]);
}

/** What an issuer must be: RFC 5280 section 6.1.4 (k) to (n). */
export function issuerCases(m: ChainMatrix): void {
  const notCa = { constraints: basicConstraints(false) };
  m.bad(
    "issuer-not-ca",
    "CERT_NOT_CA",
    "the issuer's cA is false",
    m.under(m.authority({ extensions: notCa })),
  );
  m.bad(
    "issuer-no-constraints",
    "CERT_NOT_CA",
    "the issuer has no basicConstraints",
    m.under(m.authority({ extensions: { constraints: undefined } })),
  );
  const none = Buffer.of();
  m.bad(
    "issuer-v1",
    "CERT_NOT_CA",
    "the issuer is of X.509 version 1",
    m.under(m.authority({ fields: { version: none, extensions: none } })),
  );
  const server = m.leaf({ key: m.authorityKey, subject: "a server" });
  m.bad("leaf-issues", "CERT_NOT_CA", "a server's certificate issued the leaf", [
    ...m.under(server),
    m.intermediate,
  ]);
  m.bad("path-length", "CERT_PATH_LENGTH", "a CA below one with pathLen 0", [
    ...m.under(m.authority({}, m.intermediate)),
    m.intermediate,
  ]);
  m.bad("path-length-1", "CERT_PATH_LENGTH", "two CAs below one with pathLen 1", pathLengthOne(m));
  m.bad(
    "constraints-twice",
    "CERT_MALFORMED",
    "the issuer's basicConstraints stand twice",
    m.under(m.authority({ extensions: { again: basicConstraints(true) } })),
  );
  m.bad(
    "no-cert-sign",
    "CERT_CA_KEY_USAGE",
    "the issuer's keyUsage lacks keyCertSign",
    m.under(m.authority({ extensions: { usage: keyUsage("digitalSignature", "cRLSign") } })),
  );
}

function pathLengthOne(m: ChainMatrix) {
  const top = m.authority({ subject: "top", extensions: { constraints: basicConstraints(true, 1) } });
  const middle = m.authority({ subject: "middle" }, top);
  const low = m.authority({ subject: "low" }, middle);
  return [...m.under(low), middle, top];
}

/** Purposes: RFC 5280 sections 4.2.1.3 and 4.2.1.12. */
export function purposeCases(m: ChainMatrix): void {
  const leaf = (extensions: Record<string, Buffer | undefined>) => [m.leaf({ extensions }), m.intermediate];
  m.bad(
    "no-digital-signature",
    "CERT_KEY_USAGE",
    "the leaf's keyUsage allows all but signatures",
    leaf({ usage: keyUsage("keyEncipherment", "dataEncipherment", "keyAgreement") }),
  );
  m.bad(
    "client-certificate",
    "CERT_EXTENDED_KEY_USAGE",
    "the leaf is for clients",
    leaf({ purposes: extendedKeyUsage(purpose.clientAuth, purpose.codeSigning) }),
  );
  m.bad(
    "purpose-longer",
    "CERT_EXTENDED_KEY_USAGE",
    "an OID of which serverAuth is a prefix",
    leaf({ purposes: extendedKeyUsage(`${purpose.serverAuth}.1`) }),
  );
  m.bad(
    "purpose-shorter",
    "CERT_EXTENDED_KEY_USAGE",
    "an OID that is a prefix of serverAuth",
    leaf({ purposes: extendedKeyUsage(purpose.serverAuth.slice(0, -2)) }),
  );
  m.bad(
    "ocsp-signer-as-server",
    "CERT_EXTENDED_KEY_USAGE",
    "an OCSP signer that serves",
    leaf({ purposes: extendedKeyUsage(purpose.ocspSigning) }),
  );
  m.bad(
    "issuer-purpose",
    "CERT_EXTENDED_KEY_USAGE",
    "the issuer is restricted to clients",
    m.under(m.authority({ extensions: { purposes: extendedKeyUsage(purpose.clientAuth) } })),
  );
  const unknown = unknownExtension(true);
  m.bad(
    "critical-extension-leaf",
    "CERT_CRITICAL_EXTENSION",
    "the leaf has a critical extension that nobody knows",
    leaf({ unknown }),
  );
  m.bad(
    "critical-extension-issuer",
    "CERT_CRITICAL_EXTENSION",
    "the issuer has a critical extension that nobody knows",
    m.under(m.authority({ extensions: { unknown } })),
  );
  anchorPurposeCases(m);
  policyCases(m);
}

/** What an anchor's certificate says that it is for, RFC 5280 section 4.2.1.12, limits what it may vouch for. */
function anchorPurposeCases(m: ChainMatrix): void {
  const refused = (id: string, description: string, ...purposes: string[]) => {
    const root = m.otherRoot("limited root", { extensions: { purposes: extendedKeyUsage(...purposes) } });
    const chain = m.under(m.authority({}, root));
    m.bad(id, "CERT_EXTENDED_KEY_USAGE", description, chain, { anchors: [root] });
  };
  refused("anchor-client-purpose", "the anchor is restricted to clients", purpose.clientAuth);
  refused("anchor-other-purposes", "to all but servers", purpose.codeSigning, purpose.ocspSigning);
}

/** RFC 5280 section 4.2.1.11: requireExplicitPolicy can't be met without the tree of policies, which nobody here builds. */
function policyCases(m: ChainMatrix): void {
  const policies = policyExtensions(true);
  const refused = (id: string, description: string, chain: readonly Issued[]) =>
    m.bad(id, "CERT_CRITICAL_EXTENSION", description, chain);
  const explicitPolicy = policyConstraints(true, { explicitPolicy: 0 });
  refused("explicit-policy-leaf", "the leaf demands an explicit policy, and has some", [
    m.leaf({ extensions: { ...policies, explicitPolicy } }),
    m.intermediate,
  ]);
  refused(
    "explicit-policy-issuer",
    "the issuer demands one of certificates further down",
    m.under(m.authority({ extensions: { limits: policyConstraints(true, { explicitPolicy: 5 }) } })),
  );
  refused(
    "explicit-policy-and-mapping",
    "the issuer demands one, and inhibits mapping",
    m.under(
      m.authority({ extensions: { limits: policyConstraints(true, { explicitPolicy: 0, mapping: 0 }) } }),
    ),
  );
}

/** A TLS feature of a CA binds what is below it, RFC 7633 section 4.2.2; here nobody staples. */
export function featureCases(m: ChainMatrix): void {
  const refused = (id: string, description: string, chain: readonly Issued[], anchors?: readonly Issued[]) =>
    m.bad(id, "OCSP_STAPLE_MISSING", description, chain, { anchors });
  const extensions = { feature: mustStaple() };
  refused("must-staple-leaf", "the leaf promises a staple", [m.leaf({ extensions }), m.intermediate]);
  refused("must-staple-issuer", "its issuer promises one", m.under(m.authority({ extensions })));
  const top = m.authority({ extensions, subject: "top", key: m.otherKey });
  refused("must-staple-grandparent", "the issuer's issuer does", [...m.under(m.authority({}, top)), top]);
  const root = m.otherRoot("stapling root", { extensions });
  refused("must-staple-anchor", "the anchor does", m.under(m.authority({}, root)), [root]);
}
