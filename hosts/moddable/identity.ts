import type { ClientIdentity } from "../../src/client/index.js";
import type { Signer } from "../../src/crypto/index.js";
import type { Credential, SecureOptions } from "./options.js";
import type { Platform } from "./platform.js";
import { readPrivateKey } from "./privatekey.js";

/**
 * The device's own certificates, who signs with their key, and their staples, which are looked into by the server alone.
 * @throws TypeError for what can't be
 */
export function readIdentity(platform: Platform, secure: SecureOptions): ClientIdentity {
  const { clientCertificates: given, clientKey } = secure;
  if (given === undefined || clientKey === undefined)
    throw new TypeError("secure.clientCertificates and secure.clientKey come together");
  const certificates = platform.readCredentials(platform, given, "secure.clientCertificates", "CERTIFICATE");
  const signer = readSigner(platform, clientKey);
  const stapled = secure.clientStaple ?? [];
  const staples = platform.readCredentials(platform, stapled, "secure.clientStaple", "OCSP RESPONSE");
  return { certificates, signer, staples };
}

function readSigner(platform: Platform, key: Credential | Signer): Signer {
  if (isSigner(key)) return key;
  const found = platform.readCredentials(platform, key, "secure.clientKey", "PRIVATE KEY");
  try {
    return platform.signer(readPrivateKey(found[0]));
  } catch (error) {
    throw new TypeError(`secure.clientKey: ${(error as Error).message}`);
  }
}

function isSigner(key: Credential | Signer): key is Signer {
  return typeof (key as Signer).begin === "function";
}
