import type { KeyKind } from "../crypto/provider.js";
import { findSuite, isPkcs1, keyOf, type Suite } from "../crypto/suites.js";
import { settleSuite } from "../handshake/handshake.js";
import { groupOf } from "../handshake/handshake12.js";
import { MAX_PLAINTEXT } from "../record/protection.js";
import { faults } from "../wire/fault.js";
import { extensionType, namedGroup, version } from "../wire/registry.js";
import type { ServerHandshake } from "./handshake.js";
import type { Hello } from "./options.js";

/** The highest version of both sides, RFC 8446 4.2.1; without supported_versions legacy_version tells the client's. */
export function chooseVersion(s: ServerHandshake): void {
  const { offer } = s;
  const listed = offer.has(extensionType.supported_versions);
  const tls12 = listed ? offer.tls12 : offer.legacyVersion >= version.tls12;
  // RFC 8446 D.5: SSL 3.0 is refused whatever else is offered
  if (offer.legacyVersion <= 0x0300) throw faults.PROTOCOL_VERSION;
  if (offer.tls13 && s.speaks(version.tls13)) s.version = version.tls13;
  else if (tls12 && s.speaks(version.tls12)) s.version = version.tls12;
  else throw faults.PROTOCOL_VERSION;
  // RFC 7507 section 3
  if (offer.fallback && s.version < s.config.maxVersion) throw faults.INAPPROPRIATE_FALLBACK;
}

/** The suites of this version that both sides have, ours first. */
export function commonSuites(s: ServerHandshake): Suite[] {
  const common = s.config.suites.filter((id) => s.offer.suites.includes(id)).map((id) => findSuite(id)!);
  return common.filter((suite) => suite.version === s.version);
}

/** What signs a ServerKeyExchange of TLS 1.2; an EdDSA key goes with ECDSA's suites (RFC 8422 5.10). */
function authOf(scheme: number): "rsa" | "ecdsa" {
  return keyOf(scheme) === "rsa" ? "rsa" : "ecdsa";
}

/**
 * The client's schemes that can sign this handshake: in TLS 1.3 no PKCS#1 (RFC 8446 4.2.3), in 1.2 the suite's kind on a
 * curve of the client's.
 */
export function usableSchemes(s: ServerHandshake): number[] {
  const suites = commonSuites(s);
  return s.offer.schemes.filter((id) => {
    if (s.version === version.tls13) return !isPkcs1(id);
    return suites.some((suite) => suite.auth === authOf(id)) && takesKey(s, keyOf(id)!);
  });
}

/**
 * TLS 1.2: of a client that names curves, the certificate's must be one of them (RFC 8422 5.3); Ed25519 and Ed448 are none.
 */
function takesKey({ offer }: ServerHandshake, kind: KeyKind): boolean {
  const group = groupOf(kind);
  return group === 0 || !offer.has(extensionType.supported_groups) || offer.groups.includes(group);
}

/** What may sign the certificates of the chain: without signature_algorithms_cert what may sign at all (RFC 8446 4.2.3). */
export function certificateSchemes({ offer }: ServerHandshake): readonly number[] {
  return offer.has(extensionType.signature_algorithms_cert) ? offer.certificateSchemes : offer.schemes;
}

/** The scheme that our key likes best among those that the client takes. */
export function chooseScheme(s: ServerHandshake): void {
  const usable = usableSchemes(s);
  const scheme = s.chosen.signer.schemes.find((id) => usable.includes(id));
  if (scheme === undefined) throw faults.NO_COMMON_SCHEME;
  s.scheme = scheme;
}

/** TLS 1.3's suite does not depend on the certificate. */
export function chooseSuite13(s: ServerHandshake): void {
  const [suite] = commonSuites(s);
  if (suite === undefined) throw faults.NO_COMMON_SUITE;
  settleSuite(s, suite);
}

/** TLS 1.2's suite goes with the key of the certificate, so with the scheme, which is usable only with such a suite. */
export function chooseSuite12(s: ServerHandshake): void {
  const auth = authOf(s.scheme);
  settleSuite(s, commonSuites(s).find((each) => each.auth === auth)!);
}

/** Our groups that the client has. One of TLS 1.2 that names none takes any (RFC 8422 section 4): then what all have. */
export function commonGroups(s: ServerHandshake): number[] {
  const { groups } = s.config;
  if (s.offer.has(extensionType.supported_groups)) return groups.filter((id) => s.offer.groups.includes(id));
  return groups.filter((id) => id === namedGroup.secp256r1);
}

/** TLS 1.2's key exchange is on our best group that the client has. */
export function chooseGroup12(s: ServerHandshake): void {
  // A hybrid has no place in it: a key has 255 bytes at most (RFC 8422 5.4)
  const group = commonGroups(s).find((id) => id < 0x100);
  if (group === undefined) throw faults.NO_COMMON_GROUP;
  s.group = group;
}

/** ALPN, RFC 7301 3.2: ours come first. A client or a server without it goes without. */
export function chooseAlpn(s: ServerHandshake): void {
  const { alpn } = s.config;
  if (s.offer.alpn.length === 0 || alpn.length === 0) return;
  s.alpn = alpn.find((name) => s.offer.alpn.includes(name));
  if (s.alpn === undefined) throw faults.NO_APPLICATION_PROTOCOL;
}

/** What the client wants to hear; RFC 6961 belongs to TLS 1.2 only (RFC 8446 4.4.2.1), and says more than RFC 6066. */
export function wantedStapling(s: ServerHandshake): Hello["stapling"] {
  const { status, statusV2, statusMulti } = s.offer;
  if (s.version === version.tls12 && statusMulti) return "v2-multi";
  if (s.version === version.tls12 && statusV2) return "v2";
  return status ? "v1" : "off";
}

/**
 * The longest records of both directions: RFC 8449, or else RFC 6066 section 4. In TLS 1.3 the limit counts the
 * content type. What the client asks for in vain beyond the protocol's own limit is no error.
 */
export function limitRecords(s: ServerHandshake): void {
  const { engine, offer } = s;
  const inner = s.version === version.tls13 ? 1 : 0;
  engine.maxInner = MAX_PLAINTEXT + inner;
  if (offer.recordSizeLimit > 0) {
    s.recordSizeLimit = Math.min(s.config.recordSizeLimit ?? MAX_PLAINTEXT + 1, MAX_PLAINTEXT + inner);
    engine.maxInner = s.recordSizeLimit;
    engine.outbox.maxContent = Math.min(MAX_PLAINTEXT, offer.recordSizeLimit - inner);
  } else if (offer.fragmentCode > 0) {
    const length = 2 ** (8 + offer.fragmentCode);
    engine.maxInner = length + inner;
    engine.outbox.maxContent = length;
  }
}
