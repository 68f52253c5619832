import { createPrivateKey, type KeyObject } from "node:crypto";

/**
 * Reads a private key: PEM, or DER, in PKCS#8, SEC 1 or PKCS#1.
 * @throws Error when it can't be read
 */
export function readPrivateKey(key: string | Buffer, passphrase?: string): KeyObject {
  if (typeof key === "string" || key.includes("-----BEGIN"))
    return createPrivateKey({ key, passphrase, format: "pem" });
  return createPrivateKey({ key, passphrase, format: "der", type: formOf(key) });
}

/** All forms are a SEQUENCE; but for an encrypted PKCS#8 it begins with a version, and what comes next tells which one it is. */
function formOf(der: Buffer): "pkcs8" | "sec1" | "pkcs1" {
  const contents = der[1] > 0x80 ? 2 + (der[1] & 0x7f) : 2;
  if (der[contents] !== 2) return "pkcs8";
  const next = der[contents + 2 + der[contents + 1]];
  return next === 4 ? "sec1" : next === 2 ? "pkcs1" : "pkcs8";
}
