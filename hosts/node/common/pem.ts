import { X509Certificate } from "node:crypto";

/** Certificates as Node takes them: PEM text or DER, any number in each, one or many. */
export type Certificates = string | Uint8Array | readonly (string | Uint8Array)[];

const block = /-----BEGIN (?:X509 )?CERTIFICATE-----[^-]+-----END (?:X509 )?CERTIFICATE-----/g;
/** What a DER certificate begins with: SEQUENCE. */
const SEQUENCE = 0x30;

/**
 * The certificates in `input`, in their order.
 * @throws Error when a certificate is malformed, or when a part of `input` holds none
 */
export function readCertificates(input: Certificates): X509Certificate[] {
  if (typeof input === "string") return readPem(input);
  if (input instanceof Uint8Array)
    return input[0] === SEQUENCE ? readDer(input) : readPem(Buffer.from(input).toString("latin1"));
  return input.flatMap(readCertificates);
}

function readPem(text: string): X509Certificate[] {
  const blocks = text.match(block);
  if (blocks === null) throw new Error("no certificate found");
  return blocks.map((pem) => new X509Certificate(pem));
}

/** DER certificates one behind the other. */
function readDer(bytes: Uint8Array): X509Certificate[] {
  const found: X509Certificate[] = [];
  for (let at = 0; at < bytes.length; at += found[found.length - 1].raw.length)
    found.push(new X509Certificate(bytes.subarray(at)));
  return found;
}
