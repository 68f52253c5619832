import {
  contents,
  explicit,
  flipLastBit,
  generalizedTime,
  implicit,
  integer,
  nil,
  octets,
  oid,
  sequence,
  tag,
  tlv,
} from "../der.js";
import { extension, keyHash, unknownExtension } from "../extensions.js";
import { digest, hashIdentifier } from "../keys.js";
import { certId, certStatus, errorResponse, rawCertId, responseStatus } from "../response.js";
import type { OcspMatrix } from "./matrix.js";

const revoked = certStatus.revoked("2025-01-01T00:00:00Z", 1);

/** Which certificate it is about: RFC 6960 section 4.1.1, and section 3.2 (1). */
export function certIdCases(m: OcspMatrix): void {
  const { issuer, subject } = m;
  const serial = subject.serial;
  const nameHash = digest("sha1", issuer.name);
  const issuerKey = keyHash(issuer.key.spki);
  const sha1 = hashIdentifier("sha1");
  const refused = (id: string, description: string, certId: Buffer) =>
    m.bad(id, "OCSP_WRONG_CERT", description, m.response({ single: { certId } }));

  m.good(
    "cert-id-sha256",
    "a CertID of SHA-256",
    m.response({ single: { certId: certId(issuer, serial, "sha256") } }),
  );
  m.good(
    "cert-id-no-null",
    "a hash algorithm without its NULL parameter",
    m.response({
      single: { certId: rawCertId(sequence(oid("1.3.14.3.2.26")), nameHash, issuerKey, serial) },
    }),
  );
  refused("other-serial", "another serial number", certId(issuer, integer(6)));
  refused("serial-longer", "serial 0501 instead of 05", certId(issuer, integer(0x0501)));
  refused("serial-longer-zero", "serial 0500 instead of 05", certId(issuer, integer(0x0500)));
  refused("serial-zero", "serial 0", certId(issuer, integer(0)));
  refused(
    "other-name-hash",
    "another issuerNameHash",
    rawCertId(sha1, flipLastBit(nameHash), issuerKey, serial),
  );
  refused(
    "other-key-hash",
    "another issuerKeyHash",
    rawCertId(sha1, nameHash, flipLastBit(issuerKey), serial),
  );
  refused("swapped-hashes", "name and key hash are swapped", rawCertId(sha1, issuerKey, nameHash, serial));
  refused(
    "short-hashes",
    "both hashes lack a byte",
    rawCertId(sha1, nameHash.subarray(0, -1), issuerKey.subarray(0, -1), serial),
  );
  refused("empty-hashes", "both hashes are empty", rawCertId(sha1, Buffer.of(), Buffer.of(), serial));
  refused(
    "hash-named-otherwise",
    "SHA-1 hashes that claim to be SHA-256",
    rawCertId(hashIdentifier("sha256"), nameHash, issuerKey, serial),
  );
  refused(
    "hash-unknown",
    "hashes of an algorithm that nobody knows",
    rawCertId(sequence(oid("1.3.6.1.4.1.99999.4"), nil), nameHash, issuerKey, serial),
  );
  refused(
    "other-issuer",
    "the same serial number, of intermediate 2",
    certId(m.p256.intermediates[1], serial),
  );
  m.bad("no-answers", "OCSP_WRONG_CERT", "a list of no answers", m.response({ responses: [] }));
  serialPrefix(m);
}

/** A certificate with serial 0501, and an answer for 05; one with 80, and an answer for -80. */
function serialPrefix(m: OcspMatrix): void {
  const long = m.signer({ subject: "serial 0501", serial: 0x0501 });
  const subject = m.certificate("serial-0501", long);
  m.bad("serial-shorter", "OCSP_WRONG_CERT", "serial 05 instead of 0501", m.response(), { subject });
  m.good(
    "serial-two-octets",
    "serial 0501",
    m.response({ single: { certId: certId(m.issuer, long.serial) } }),
    { subject },
  );
  const longest = m.signer({
    subject: "serial of 21 octets",
    fields: { serialNumber: integer(2n ** 160n - 1n) },
  });
  m.good(
    "serial-21",
    "a serial number of 21 octets",
    m.response({ single: { certId: certId(m.issuer, longest.serial) } }),
    { subject: m.certificate("serial-21", longest) },
  );
  const high = m.certificate("serial-80", m.signer({ subject: "serial 80", serial: 0x80 }));
  const negative = tlv(tag.integer, Buffer.of(0x80));
  m.bad(
    "serial-sign",
    "OCSP_WRONG_CERT",
    "serial -128 instead of 128",
    m.response({ single: { certId: certId(m.issuer, negative) } }),
    { subject: high },
  );
}

/** Several answers in one response: ours may stand anywhere, and revoked wins. */
export function listCases(m: OcspMatrix): void {
  const several = (...responses: Buffer[]) => m.response({ responses });
  const other = m.other(integer(6));
  const otherRevoked = m.other(integer(6), { status: revoked });
  m.good("ours-second", "ours after another's", several(other, m.single()));
  m.good(
    "ours-between",
    "ours between others, which are revoked",
    several(otherRevoked, m.single(), otherRevoked),
  );
  m.good(
    "ours-twice",
    "ours twice, with both hashes",
    several(m.single(), m.single({ certId: certId(m.issuer, m.subject.serial, "sha256") })),
  );
  const many = Array.from({ length: 300 }, (_, i) => m.other(integer(0x1000 + i)));
  m.good("tenth", "ours after nine others", several(...many.slice(0, 9), m.single()));
  m.good("three-hundred", "ours after three hundred others", several(...many, m.single()));
  m.bad("three-hundred-others", "OCSP_WRONG_CERT", "three hundred others", several(...many));
  m.bad(
    "good-then-revoked",
    "OCSP_CERT_REVOKED",
    "ours is good, and then revoked",
    several(m.single(), m.single({ status: revoked })),
    { reason: 1 },
  );
  m.bad(
    "revoked-then-good",
    "OCSP_CERT_REVOKED",
    "ours is revoked, and then good",
    several(m.single({ status: revoked }), m.single()),
    { reason: 1 },
  );
  const stale = {
    thisUpdate: generalizedTime("2025-01-01T00:00:00Z"),
    nextUpdate: generalizedTime("2025-01-08T00:00:00Z"),
  };
  m.good(
    "fresh-then-stale",
    "ours is good, and was: of two the first counts",
    several(m.single(), m.single(stale)),
  );
  m.bad("stale-then-fresh", "OCSP_EXPIRED", "ours was good, and is", several(m.single(stale), m.single()));
  m.bad(
    "good-then-revoked-sha256",
    "OCSP_CERT_REVOKED",
    "good by its SHA-1 CertID, revoked by its SHA-256 one",
    several(m.single(), m.single({ status: revoked, certId: certId(m.issuer, m.subject.serial, "sha256") })),
    { reason: 1 },
  );
}

/** CertStatus and CRLReason, RFC 5280 section 5.3.1. */
export function statusCases(m: OcspMatrix): void {
  const answered = (status: Buffer) => m.response({ single: { status } });
  m.bad("unknown", "OCSP_CERT_UNKNOWN", "the responder does not know it", answered(certStatus.unknown));
  m.bad(
    "revoked",
    "OCSP_CERT_REVOKED",
    "revoked, and no reason",
    answered(certStatus.revoked("2025-01-01T00:00:00Z")),
  );
  for (const reason of [0, 1, 2, 3, 4, 5, 6, 8, 9, 10]) {
    m.bad(
      `revoked-${reason}`,
      "OCSP_CERT_REVOKED",
      `revoked with reason ${reason}`,
      answered(certStatus.revoked("2025-01-01T00:00:00Z", reason)),
      { reason },
    );
  }
  m.bad(
    "revoked-by-issuer",
    "OCSP_CERT_REVOKED",
    "revoked, says the issuer itself",
    m.byIssuer({ single: { status: revoked } }),
    { reason: 1 },
  );
  m.bad(
    "revoked-1960",
    "OCSP_CERT_REVOKED",
    "revoked since before 1970",
    answered(certStatus.revoked("1960-01-01T00:00:00Z", 1)),
    { reason: 1 },
  );
  m.bad(
    "revoked-later",
    "OCSP_CERT_REVOKED",
    "revoked from next year on: revoked",
    answered(certStatus.revoked("2027-06-01T00:00:00Z", 1)),
    { reason: 1 },
  );
  const malformed = (id: string, description: string, status: Buffer) =>
    m.bad(id, "OCSP_MALFORMED", description, answered(status));
  malformed("status-3", "a status with tag 3", implicit(3));
  malformed("good-with-contents", "a good status that is not NULL", implicit(0, Buffer.of(0)));
  malformed("good-constructed", "a good status with a constructed tag", tlv(0xa0));
  malformed("revoked-empty", "a revocation without a time", tlv(0xa1));
  malformed("revoked-trailing", "a revocation with a NULL after it", tlv(0xa1, contents(revoked), nil));
}

/** Errors, types, versions: RFC 6960 sections 4.2.1 and 2.3. */
export function outerCases(m: OcspMatrix): void {
  for (const name of [
    "malformedRequest",
    "internalError",
    "tryLater",
    "sigRequired",
    "unauthorized",
  ] as const) {
    m.bad(
      `status-${name}`,
      "OCSP_NOT_SUCCESSFUL",
      `the responder answers ${name}`,
      errorResponse(responseStatus[name]),
    );
  }
  m.bad(
    "try-later-with-answer",
    "OCSP_NOT_SUCCESSFUL",
    "tryLater, and a good answer",
    m.response({ status: responseStatus.tryLater }),
  );
  m.bad(
    "successful-empty",
    "OCSP_MALFORMED",
    "successful, and no answer",
    errorResponse(responseStatus.successful),
  );
  m.bad(
    "type-unknown",
    "OCSP_UNKNOWN_TYPE",
    "a type that nobody knows",
    m.response({ responseType: "1.3.6.1.4.1.99999.5" }),
  );
  m.bad(
    "type-longer",
    "OCSP_UNKNOWN_TYPE",
    "an OID of which id-pkix-ocsp-basic is a prefix",
    m.response({ responseType: "1.3.6.1.5.5.7.48.1.1.1" }),
  );
  m.bad(
    "type-shorter",
    "OCSP_UNKNOWN_TYPE",
    "an OID that is a prefix of id-pkix-ocsp-basic",
    m.response({ responseType: "1.3.6.1.5.5.7.48.1" }),
  );
  m.bad("version-2", "OCSP_UNKNOWN_TYPE", "version 2", m.response({ version: explicit(0, integer(1)) }));
}

const critical = () => unknownExtension(true);

/** Extensions, RFC 6960 section 4.4, and the nonce, RFC 9654. */
export function extensionCases(m: OcspMatrix): void {
  const fresh = digest("sha256", Buffer.from("nonce"));
  const nonce = (value: Buffer) => extension("1.3.6.1.5.5.7.48.1.2", false, octets(value));
  const answered = (...extensions: Buffer[]) => m.response({ extensions });
  const asked = { nonce: fresh.toString("hex") };
  m.good("nonce", "the nonce that was asked for", answered(nonce(fresh)), asked);
  m.good("nonce-unasked", "a nonce that nobody asked for", answered(nonce(fresh)));
  m.good(
    "nonce-critical",
    "the nonce, and critical",
    answered(extension("1.3.6.1.5.5.7.48.1.2", true, octets(fresh))),
    asked,
  );
  m.good(
    "extensions-unknown",
    "extensions that nobody knows, not critical",
    m.response({ extensions: [unknownExtension(false)], single: { extensions: [unknownExtension(false)] } }),
  );
  m.good("extensions-empty", "an empty list of extensions, as some responders write it", answered());
  m.good(
    "extensions-empty-single",
    "the same in the answer, and in another's",
    m.response({ responses: [m.other(integer(6), { extensions: [] }), m.single({ extensions: [] })] }),
  );
  const refused = (id: string, description: string, response: Buffer) =>
    m.bad(id, "OCSP_NONCE", description, response, asked);
  refused("nonce-extensions-empty", "a nonce was asked for, and the list of extensions is empty", answered());
  refused("nonce-missing", "a nonce was asked for, and there is none", m.response());
  refused("nonce-other", "another nonce", answered(nonce(digest("sha256", Buffer.from("other")))));
  refused("nonce-shorter", "the nonce without its last byte", answered(nonce(fresh.subarray(0, -1))));
  refused(
    "nonce-longer",
    "the nonce and one more byte",
    answered(nonce(Buffer.concat([fresh, Buffer.of(0)]))),
  );
  refused("nonce-empty", "an empty nonce", answered(nonce(Buffer.of())));
  refused(
    "nonce-in-single",
    "the nonce stands in the answer instead",
    m.response({ single: { extensions: [nonce(fresh)] } }),
  );
  m.bad(
    "critical-extension",
    "OCSP_CRITICAL_EXTENSION",
    "a critical extension of the response that nobody knows",
    answered(critical()),
  );
  m.bad(
    "critical-single-extension",
    "OCSP_CRITICAL_EXTENSION",
    "a critical extension of the answer that nobody knows",
    m.response({ single: { extensions: [critical()] } }),
  );
  m.bad(
    "extension-twice",
    "OCSP_MALFORMED",
    "the nonce stands twice",
    answered(nonce(fresh), nonce(fresh)),
    asked,
  );
}
