import type { ClientIdentity } from "../../src/client/index.js";
import type { Signer } from "../../src/crypto/index.js";
import type { Credential, ReadCredentials, SecureOptions } from "./options.js";
import type { Platform } from "./platform.js";
import { readPrivateKey } from "./privatekey.js";

/**
 * The device's own certificates, who signs with their key, and their staples, which are looked into by the server alone.
 * @throws TypeError for what can't be
 */
export function readIdentity(
  platform: Platform,
  { clientCertificates, clientKey, clientStaple }: SecureOptions,
  read: ReadCredentials,
): ClientIdentity {
  if (clientCertificates === undefined || clientKey === undefined)
    throw new TypeError("secure.clientCertificates and secure.clientKey come together");
  return {
    certificates: read(platform, clientCertificates, "secure.clientCertificates", "CERTIFICATE"),
    signer: isSigner(clientKey) ? clientKey : readKey(platform, clientKey, read),
    staples: read(platform, clientStaple ?? [], "secure.clientStaple", "OCSP RESPONSE"),
  };
}

function isSigner(key: Credential | Signer): key is Signer {
  return typeof (key as Signer).begin === "function";
}

function readKey(platform: Platform, key: Credential, read: ReadCredentials): Signer {
  const found = read(platform, key, "secure.clientKey", "PRIVATE KEY");
  try {
    return platform.signer(readPrivateKey(found[0]));
  } catch (error) {
    throw new TypeError(`secure.clientKey: ${(error as Error).message}`);
  }
}
