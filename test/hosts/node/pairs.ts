/** Certificates with keys of any kind, made on the spot. */

import { type Issued, issue, pem } from "../../../certs/certificate.js";
import {
  basicConstraints,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from "../../../certs/extensions.js";
import { type KeyType, newKey } from "../../../certs/keys.js";

/** A root, and a leaf that is good for localhost as server and as client. */
export interface Pair {
  readonly root: Issued;
  readonly leaf: Issued;
  /** PEM. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** One whose keys are of this type; of several with the same name the roots have different ones. */
export function pairOf(type: KeyType, name = `root ${type}`): Pair {
  const rootKey = newKey(type);
  const root = issue(undefined, {
    subject: name,
    key: rootKey,
    extensions: {
      constraints: basicConstraints(true),
      usage: keyUsage("digitalSignature", "keyCertSign"),
      subjectKey: subjectKeyIdentifier(rootKey.spki),
    },
  });
  const key = newKey(type);
  const leaf = issue(root, {
    subject: `leaf of ${name}`,
    key,
    extensions: {
      constraints: basicConstraints(false),
      usage: keyUsage("digitalSignature"),
      names: subjectAltName("localhost", "127.0.0.1"),
    },
  });
  return { root, leaf, ca: pem(root.der), cert: pem(leaf.der), key: key.pem };
}
