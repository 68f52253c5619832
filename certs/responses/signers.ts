import { distinguishedName, type Issued, issue } from "../certificate.js";
import type { Differences } from "../chains/matrix.js";
import { explicit, flipLastBit, generalizedTime, integer, octets, sequence } from "../der.js";
import {
  explicitlyNoAuthority,
  extendedKeyUsage,
  keyHash,
  keyUsage,
  policyConstraints,
  policyExtensions,
  purpose,
  unknownExtension,
} from "../extensions.js";
import { authorityExtensions, signerExtensions } from "../good.js";
import { algorithms, type Key } from "../keys.js";
import { byKey, byName, certId, certStatus } from "../response.js";
import type { OcspMatrix } from "./matrix.js";

const past = Object.freeze({ notBefore: "2015-01-01T00:00:00Z", notAfter: "2020-01-01T00:00:00Z" });
const future = Object.freeze({ notBefore: "2045-01-01T00:00:00Z" });

/** Who may sign, RFC 6960 section 4.2.2.2, and who it says it is. */
export function goodSignerCases(m: OcspMatrix): void {
  m.good("by-issuer", "the issuer answers itself, and gives its name", m.byIssuer());
  m.good(
    "by-issuer-key",
    "the issuer answers, and gives its key's hash",
    m.byIssuer({ responderId: byKey(m.issuer) }),
  );
  m.good("by-issuer-sent", "the same, and sends its certificate", m.by(m.issuer));
  m.good("by-delegate", "its delegate answers, and gives its name", m.response());
  m.good(
    "by-delegate-key",
    "its delegate answers, and gives its key's hash",
    m.response({ responderId: byKey(m.delegate) }),
  );
  m.good(
    "delegate-second",
    "the delegate's certificate comes second",
    m.response({ certificates: [m.p256.signers[2].der, m.delegate.der] }),
  );
  m.good(
    "delegate-no-nocheck",
    "a delegate without id-pkix-ocsp-nocheck",
    m.by(m.signer({ extensions: { noCheck: undefined } })),
  );
  m.good(
    "delegate-no-usage",
    "a delegate without keyUsage: any",
    m.by(m.signer({ extensions: { usage: undefined } })),
  );
  const purposes = extendedKeyUsage(purpose.any, purpose.serverAuth, purpose.ocspSigning);
  m.good(
    "delegate-purposes",
    "OCSPSigning is the delegate's third purpose",
    m.by(m.signer({ extensions: { purposes } })),
  );
  m.good("delegate-p384", "a delegate with a P-384 key", m.by(m.signer({ key: m.key("p384", "p384") })));
  m.good(
    "delegate-ed25519",
    "a delegate with an Ed25519 key",
    m.by(m.signer({ key: m.key("ed25519", "ed25519") })),
  );
  const rsa = m.signer({ key: m.key("rsa", "rsa2048") });
  m.good("delegate-rsa", "a delegate with an RSA key", m.by(rsa));
  m.good(
    "delegate-pss",
    "a delegate that signs with RSA-PSS",
    m.by(rsa, { algorithm: algorithms["pss-sha256"] }),
  );
  m.good(
    "delegate-unknown-extension",
    "an extension of the delegate that nobody knows, not critical",
    m.by(m.signer({ extensions: { unknown: unknownExtension(false) } })),
  );
  const authorities = m.p256.intermediates.map(({ der }) => der);
  m.good(
    "delegate-fourth",
    "the delegate's certificate comes fourth",
    m.response({ certificates: [...authorities, m.delegate.der] }),
  );
  sha512Cases(m);
  unusualDelegateCases(m);
  rsaCases(m);
  configuredCases(m);
}

/** ECDSA with SHA-512, whatever the key's curve. */
function sha512Cases(m: OcspMatrix): void {
  const algorithm = algorithms["ecdsa-sha512"];
  const p384 = m.signer({ key: m.key("p384", "p384"), algorithm });
  m.good("sha512", "a P-256 key signs with SHA-512", m.response({ algorithm }));
  m.good("sha512-p384", "so does a P-384 key", m.by(p384, { algorithm }));
  m.good("delegate-sha512", "the issuer signed the delegate with SHA-512", m.by(m.signer({ algorithm })));
}

/** Delegates whose certificates are rare but right. */
function unusualDelegateCases(m: OcspMatrix): void {
  const by = (id: string, description: string, differences: Differences) =>
    m.good(id, description, m.by(m.signer(differences)));
  by("delegate-no-authority-explicitly", "a delegate with cA FALSE, the default, spelt out", {
    extensions: { constraints: explicitlyNoAuthority() },
  });
  by("delegate-serial-21", "a delegate with a serial number of 21 octets", {
    fields: { serialNumber: longSerial },
  });
  by("delegate-since-1900", "a delegate since before 1970", {
    fields: {
      validity: sequence(generalizedTime("1900-01-01T00:00:00Z"), generalizedTime("2049-12-31T00:00:00Z")),
    },
  });
  by("delegate-policies-critical", "a delegate with critical policies", {
    extensions: policyExtensions(true),
  });
}

/** 160 bits, the top one set. */
const longSerial = integer(2n ** 160n - 1n);

/** The RSA edition, and a CA's own certificate. */
function rsaCases(m: OcspMatrix): void {
  const [issuer] = m.rsa.intermediates;
  const about = { subject: "good/rsa/server1.pem", issuer: "good/rsa/intermediate1.pem" };
  const single = { certId: certId(issuer, m.rsa.leaves.get("server1")!.serial) };
  m.good("rsa-issuer", "RSA: the issuer answers itself", m.byIssuer({ signer: issuer, single }), about);
  m.good("rsa-delegate", "RSA: its delegate answers", m.by(m.rsa.signers[1], { single }), about);
  m.bad(
    "rsa-sha1",
    "OCSP_SIGNATURE_ALGORITHM",
    "RSA: signed with SHA-1",
    m.by(m.rsa.signers[1], { single, algorithm: algorithms["rsa-sha1"] }),
    about,
  );
  m.bad(
    "rsa-md5",
    "OCSP_SIGNATURE_ALGORITHM",
    "RSA: signed with MD5",
    m.by(m.rsa.signers[1], { single, algorithm: algorithms["rsa-md5"] }),
    about,
  );
  const root = { issuer: "good/p256/root.pem" };
  const aboutAuthority = (n: number) => ({ certId: certId(m.p256.root, m.p256.intermediates[n - 1].serial) });
  m.good(
    "intermediate",
    "about intermediate 1, by the root's delegate",
    m.by(m.p256.signers[0], { single: aboutAuthority(1) }),
    {
      ...root,
      subject: "good/p256/intermediate1.pem",
    },
  );
  const revoked = certStatus.revoked("2025-01-01T00:00:00Z", 2);
  m.bad(
    "intermediate-revoked",
    "OCSP_CERT_REVOKED",
    "about the revoked intermediate 3",
    m.by(m.p256.signers[0], { single: { ...aboutAuthority(3), status: revoked } }),
    { ...root, subject: "good/p256/intermediate3.pem", reason: 2 },
  );
}

/** Responders that the client trusts by configuration, RFC 6960 section 4.2.2.2 (1). */
function configuredCases(m: OcspMatrix): void {
  const shape = { subject: "good/p256/server3.pem", issuer: "good/p256/intermediate2.pem" };
  const single = { certId: certId(m.p256.intermediates[1], m.p256.leaves.get("server3")!.serial) };
  const [rootSigner] = m.p256.signers;
  const response = m.by(rootSigner, { single });
  m.bad(
    "wolfssl-shape",
    "OCSP_RESPONDER",
    "the root's delegate answers for a leaf of intermediate 2",
    response,
    shape,
  );
  m.good("wolfssl-shape-configured", "the same, and that delegate is configured", response, {
    ...shape,
    trusted: rootSigner,
  });
  m.good(
    "configured-not-sent",
    "a configured responder need not send its certificate",
    m.response({ signer: rootSigner, certificates: undefined, single }),
    {
      ...shape,
      trusted: rootSigner,
    },
  );
  const own = selfSigned("own responder", m.otherKey);
  m.good("configured-self-signed", "a configured responder that nobody issued", m.by(own), { trusted: own });
  m.bad("configured-other", "OCSP_RESPONDER", "another responder than the configured one", m.by(own), {
    trusted: rootSigner,
  });
  const namesake = selfSigned("own responder", m.delegateKey);
  m.bad(
    "configured-namesake",
    "OCSP_SIGNATURE",
    "one with the configured one's name and another key",
    m.by(namesake),
    { trusted: own },
  );
}

/** A signer that nobody issued. */
function selfSigned(subject: string, key: Key): Issued {
  const extensions = signerExtensions(key, { name: distinguishedName(subject), key });
  return issue(undefined, { subject, key, extensions });
}

/** Signers without the authority to answer. */
export function badSignerCases(m: OcspMatrix): void {
  const refused = (id: string, description: string, response: Buffer) =>
    m.bad(id, "OCSP_RESPONDER", description, response);
  const leaf = m.subject;
  refused("by-subject", "the certificate answers for itself", m.by(leaf));
  const stranger = selfSigned("stranger", m.otherKey);
  refused("by-stranger", "a self-signed stranger answers", m.by(stranger));
  refused("by-other-issuer", "intermediate 2 answers", m.by(m.p256.intermediates[1]));
  refused("by-root", "the issuer's issuer answers", m.by(m.p256.root));
  refused(
    "delegate-not-sent",
    "the delegate's certificate is missing",
    m.response({ certificates: undefined }),
  );
  refused("delegate-not-sent-empty", "the list of certificates is empty", m.response({ certificates: [] }));
  refused("delegate-of-other", "intermediate 2's delegate answers", m.by(m.p256.signers[2]));
  refused(
    "responder-id-other-name",
    "the responderID is another's name",
    m.response({ responderId: byName(m.p256.signers[2]) }),
  );
  refused(
    "responder-id-other-key",
    "the responderID is another's key",
    m.response({ responderId: byKey(m.p256.signers[2]) }),
  );
  refused(
    "responder-id-short",
    "the responderID's hash lacks a byte",
    m.response({ responderId: shortKeyId(m) }),
  );
  purposeCases(m, refused);
  delegateCases(m, refused);
}

type Refused = (id: string, description: string, response: Buffer) => void;

function shortKeyId(m: OcspMatrix): Buffer {
  return explicit(2, octets(keyHash(m.delegate.key.spki).subarray(0, -1)));
}

/** The delegate's extendedKeyUsage must hold id-kp-OCSPSigning. */
function purposeCases(m: OcspMatrix, refused: Refused): void {
  const by = (purposes: Buffer | undefined) => m.by(m.signer({ extensions: { purposes } }));
  refused("delegate-no-purposes", "a delegate without extendedKeyUsage", by(undefined));
  refused("delegate-any-purpose", "a delegate for any purpose", by(extendedKeyUsage(purpose.any)));
  refused("delegate-server", "a delegate that is a server", by(extendedKeyUsage(purpose.serverAuth)));
  refused(
    "delegate-purpose-longer",
    "an OID of which OCSPSigning is a prefix",
    by(extendedKeyUsage(`${purpose.ocspSigning}.1`)),
  );
  refused(
    "delegate-purpose-shorter",
    "an OID that is a prefix of OCSPSigning",
    by(extendedKeyUsage(purpose.ocspSigning.slice(0, -2))),
  );
}

/** The delegate's certificate must be the issuer's own work, and valid. */
function delegateCases(m: OcspMatrix, refused: Refused): void {
  refused("delegate-expired", "the delegate's certificate has expired", m.by(m.signer(past)));
  refused("delegate-future", "the delegate's certificate is not valid yet", m.by(m.signer(future)));
  refused(
    "delegate-critical-extension",
    "it has a critical extension that nobody knows",
    m.by(m.signer({ extensions: { unknown: unknownExtension(true) } })),
  );
  refused(
    "delegate-explicit-policy",
    "it demands an explicit policy",
    m.by(m.signer({ extensions: { limits: policyConstraints(true, { explicitPolicy: 0 }) } })),
  );
  refused(
    "delegate-no-signature-usage",
    "its keyUsage does not allow signatures",
    m.by(m.signer({ extensions: { usage: keyUsage("keyAgreement") } })),
  );
  const sibling = { name: m.issuer.name, key: m.otherKey };
  refused(
    "delegate-of-sibling",
    "a CA with the issuer's name and another key issued it",
    m.by(m.signer({}, sibling)),
  );
  const authority = authorityExtensions(m.delegateKey);
  refused(
    "delegate-is-authority",
    "a CA that answers too could vouch for itself",
    m.by(m.signer({ extensions: authority })),
  );
  refused(
    "delegate-tampered",
    "the issuer's signature on it is broken",
    m.by(m.signer({ bendSignature: flipLastBit })),
  );
  const middle = m.signer({
    subject: "delegating delegate",
    key: m.otherKey,
    extensions: authorityExtensions(m.otherKey),
  });
  const grandchild = m.signer({}, middle);
  refused(
    "delegate-of-delegate",
    "a CA below the issuer issued it",
    m.by(grandchild, { certificates: [grandchild.der, middle.der] }),
  );
  refused(
    "delegate-sha1",
    "the issuer signed it with SHA-1",
    m.by(m.signer({ algorithm: algorithms["ecdsa-sha1"] })),
  );
  m.good(
    "delegate-renewed",
    "two certificates of one delegate, the first expired",
    m.response({
      signer: m.signer(),
      certificates: [m.signer(past).der, m.signer().der],
    }),
  );
}

/** Signatures over the response. */
export function responseSignatureCases(m: OcspMatrix): void {
  const ecdsa = { ...algorithms["ecdsa-sha256"] };
  const byOther = { ...ecdsa, sign: (_: unknown, data: Uint8Array) => ecdsa.sign(m.otherKey.secret, data) };
  const refused = (id: string, description: string, response: Buffer) =>
    m.bad(id, "OCSP_SIGNATURE", description, response);
  refused(
    "signature-of-other",
    "another key signed in the delegate's name",
    m.response({ algorithm: byOther }),
  );
  refused(
    "signature-of-other-issuer",
    "another key signed in the issuer's name",
    m.byIssuer({ algorithm: byOther }),
  );
  refused("signature-tampered", "a bit of s is flipped", m.response({ bendSignature: flipLastBit }));
  refused("signature-empty", "the signature is empty", m.response({ bendSignature: () => Buffer.of() }));
  const revoked = { status: certStatus.revoked("2025-01-01T00:00:00Z") };
  refused(
    "revoked-tampered",
    "revoked, says a response that nobody signed",
    m.response({ single: revoked, bendSignature: flipLastBit }),
  );
  const algorithm = (id: string, description: string, response: Buffer) =>
    m.bad(id, "OCSP_SIGNATURE_ALGORITHM", description, response);
  algorithm("sha1", "signed with ECDSA and SHA-1", m.response({ algorithm: algorithms["ecdsa-sha1"] }));
  algorithm(
    "algorithm-of-other-key",
    "RSA is claimed, the delegate's key is ECDSA",
    m.response({ algorithm: { ...ecdsa, identifier: algorithms["rsa-sha256"].identifier } }),
  );
}
