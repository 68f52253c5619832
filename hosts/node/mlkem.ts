import * as crypto from "node:crypto";
import { createRequire } from "node:module";
import type { Kem } from "../../src/crypto/index.js";
import { nobleKem } from "../portable/mlkem.js";

/** ML-KEM-768: OpenSSL's, which Node has from 24.7 with OpenSSL 3.5, else noble's, loaded when it is used. */

/** What @types/node of the oldest Node lacks. */
interface Encapsulation {
  readonly encapsulate?: (key: crypto.KeyObject) => { sharedKey: Buffer; ciphertext: Buffer };
  readonly decapsulate?: (key: crypto.KeyObject, ciphertext: Uint8Array) => Buffer;
}

const { encapsulate, decapsulate } = crypto as Encapsulation;
const generate = crypto.generateKeyPairSync as unknown as (type: string) => crypto.KeyPairKeyObjectResult;

/** SubjectPublicKeyInfo up to the key, RFC 9935: what all versions of Node read. */
const spkiHead = Buffer.from("308204b2300b0609608648016503040402038204a100", "hex");

const openSsl: Kem<crypto.KeyObject> = {
  generate() {
    const { publicKey, privateKey } = generate("ml-kem-768");
    const spki = publicKey.export({ format: "der", type: "spki" });
    return { publicKey: new Uint8Array(spki.subarray(spkiHead.length)), privateKey };
  },

  encapsulate(publicKey) {
    const spki = Buffer.concat([spkiHead, publicKey]);
    try {
      const key = crypto.createPublicKey({ key: spki, format: "der", type: "spki" });
      const { sharedKey, ciphertext } = encapsulate!(key);
      return { ciphertext, secret: sharedKey };
    } catch {
      return undefined; // OpenSSL checks the key, FIPS 203 7.2
    }
  },

  decapsulate: (ciphertext, privateKey) => decapsulate!(privateKey, ciphertext),

  /** Node offers no way to wipe a key. */
  forget() {},
};

function isThere(): boolean {
  try {
    return encapsulate !== undefined && generate("ml-kem-768") !== undefined;
  } catch {
    return false;
  }
}

let found: Kem<unknown> | undefined;

/** The best there is. */
export function mlKem768(): Kem<unknown> {
  found ??= (isThere() ? openSsl : noble()) as Kem<unknown>;
  return found;
}

function noble(): Kem<Uint8Array> {
  const { ml_kem768 } = createRequire(import.meta.url)("@noble/post-quantum/ml-kem.js");
  return nobleKem(ml_kem768, (bytes) => crypto.randomFillSync(bytes));
}
