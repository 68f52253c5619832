/** What P-521 adds to a system: a module of its own, as few need it. */

import type { PrivateKeySpan, Provider, Signer } from "../../src/crypto/index.js";
import { Der, isP521, tag, withP521 } from "../../src/pki/index.js";
import { isFault, namedGroup } from "../../src/wire/index.js";
import type { Credential, SecureOptions } from "./options.js";
import type { Platform } from "./platform.js";

/** Bytes by which an uncompressed point is longer than P-384's, and bytes of a private key. */
const MORE = 133 - 97;
const SCALAR = 66;

/** The system with P-521 behind its other groups, and among the keys of certificates. */
export function platformWithP521(system: Platform): Platform {
  const { features, provider } = system;
  return Object.freeze(
    Object.assign({}, system, {
      provider: providerWithP521(provider),
      features: Object.freeze(Object.assign({}, features, { pki: withP521(features.pki) })),
      readIdentity: system.readIdentity
        ? (platform: Platform, secure: SecureOptions) =>
            system.readIdentity!(platform, withSigner(platform, secure))
        : undefined,
    }),
  );
}

/** The options with a signer in the place of a key on P-521. */
function withSigner(platform: Platform, secure: SecureOptions): SecureOptions {
  const { clientKey } = secure;
  if (clientKey === undefined || typeof (clientKey as Signer).begin === "function") return secure;
  const found = platform.readCredentials(
    platform,
    clientKey as Credential,
    "secure.clientKey",
    "PRIVATE KEY",
  );
  const key = readP521Key(found[0]);
  return key ? Object.assign({}, secure, { clientKey: platform.signer(key) }) : secure;
}

function providerWithP521(provider: Provider): Provider {
  const groups = Object.freeze(provider.groups.concat(namedGroup.secp521r1));
  const longShare = Object.freeze((chosen: readonly number[]) =>
    chosen.includes(namedGroup.secp521r1) ? MORE : 0,
  );
  return Object.freeze(
    Object.create(provider, { groups: { value: groups }, longShare: { value: longShare } }),
  );
}

/** Finds a private key on P-521 in PKCS #8 (RFC 5958) or SEC 1 (RFC 5915); undefined where there is none. */
export function readP521Key(bytes: Uint8Array): PrivateKeySpan | undefined {
  const der = new Der(undefined, bytes);
  try {
    der.enter(tag.SEQUENCE);
    return der.small() === 0 ? readPkcs8(der) : readSec1(der);
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown;
    return undefined;
  }
}

/** The curve is named before the key. */
function readPkcs8(der: Der): PrivateKeySpan | undefined {
  const algorithm = der.enter(tag.SEQUENCE);
  der.oid();
  const named = isP521(der);
  der.drop(algorithm);
  if (!named) return undefined;
  der.enter(tag.OCTET_STRING);
  der.enter(tag.SEQUENCE);
  return der.small() === 1 ? readScalar(der) : undefined;
}

/** The curve is named behind it. */
function readSec1(der: Der): PrivateKeySpan | undefined {
  const key = readScalar(der);
  der.enter(tag.CONSTRUCTED);
  return isP521(der) ? key : undefined;
}

function readScalar(der: Der): PrivateKeySpan | undefined {
  const start = der.value(tag.OCTET_STRING);
  const { at: end, bytes } = der;
  return end - start === SCALAR ? { kind: "p521", bytes, start, end } : undefined;
}
