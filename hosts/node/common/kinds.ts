/** What a file is, told by its PEM labels or by the shape of its DER: nothing is verified here. */

export type Kind =
  | "certificate"
  | "OCSP response"
  | "OCSP request"
  | "private key"
  | "encrypted private key"
  | "public key"
  | "CSR"
  | "CRL"
  | "PKCS #7"
  | "PKCS #12";

/** A part of a file. */
export interface Part {
  readonly kind: Kind;
  readonly der: Buffer;
}

/** RFC 7468 and what was before it. */
const labels: Readonly<Record<string, Kind>> = Object.freeze({
  CERTIFICATE: "certificate",
  "X509 CERTIFICATE": "certificate",
  "OCSP RESPONSE": "OCSP response",
  "OCSP REQUEST": "OCSP request",
  "PRIVATE KEY": "private key",
  "RSA PRIVATE KEY": "private key",
  "EC PRIVATE KEY": "private key",
  "ENCRYPTED PRIVATE KEY": "encrypted private key",
  "PUBLIC KEY": "public key",
  "CERTIFICATE REQUEST": "CSR",
  "NEW CERTIFICATE REQUEST": "CSR",
  "X509 CRL": "CRL",
  PKCS7: "PKCS #7",
  CMS: "PKCS #7",
});

/** Each with its headers, which only keys of old have (RFC 1421 4.6). */
const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----\s*((?:[\w-]+: .*\r?\n)*)([A-Za-z0-9+/=\s]*)-----END \1-----/g;

/** The parts of a file in DER, PEM or base64, in their order; none where it is something else. */
export function partsOf(bytes: Buffer): Part[] {
  const text = bytes.toString("latin1");
  const ways = [
    () => derPart(bytes),
    () => [...text.matchAll(pemBlock)].flatMap(pemPart),
    () => base64Part(text),
  ];
  for (const way of ways) {
    const parts = way();
    if (parts.length > 0) return parts;
  }
  return [];
}

function pemPart([, label, headers, base64]: RegExpMatchArray): Part[] {
  if (!Object.hasOwn(labels, label)) return [];
  const kind = /ENCRYPTED/.test(headers) ? "encrypted private key" : labels[label];
  return [{ kind, der: Buffer.from(base64, "base64") }];
}

/** In lines or not, in the alphabet of URLs too, and as it stands in the path of a GET (RFC 6960 A.1). */
function base64Part(text: string): Part[] {
  const digits = text.replace(/\s/g, "").replace(/%[0-9a-f]{2}/gi, unescaped);
  const der = /^[\w+/=-]+$/.test(digits) ? Buffer.from(digits, "base64") : Buffer.alloc(0);
  return derPart(der);
}

const unescaped = (escaped: string) => String.fromCharCode(Number.parseInt(escaped.slice(1), 16));

// ---- DER

const SEQUENCE = 0x30;

/** What is in the outermost SEQUENCE, and in those within: each value by the letter of its tag. */
const shapes: readonly (readonly [Kind, RegExp])[] = Object.freeze([
  ["OCSP response", /^e/],
  ["CRL", /^s\(i?ssd/],
  ["certificate", /^s\(0?isssss/],
  ["CSR", /^s\(iss0?\)s\(o/],
  ["OCSP request", /^s\(0?1?s2?\)0?$/],
  ["encrypted private key", /^s\(os\)t$/],
  ["public key", /^s\(o.?\)b$/],
  // PKCS #8, SEC 1, PKCS #1
  ["private key", /^(is\(o.?\)t|it|i{9})/],
  ["PKCS #12", /^is\(o0/],
  ["PKCS #7", /^o0/],
]);

const letters: Readonly<Record<number, string>> = Object.freeze({
  2: "i",
  3: "b",
  4: "t",
  6: "o",
  10: "e",
  23: "d",
  24: "d",
  48: "s",
  160: "0",
  161: "1",
  162: "2",
});

function derPart(der: Buffer): Part[] {
  const [outer] = valuesIn(der);
  if (outer?.tag !== SEQUENCE) return [];
  const shape = valuesIn(outer.content).map(outline).join("");
  const found = shapes.find(([, form]) => form.test(shape));
  return found ? [{ kind: found[0], der }] : [];
}

function outline({ tag, content }: Value): string {
  if (tag !== SEQUENCE) return letterOf(tag);
  return `s(${valuesIn(content)
    .map((value) => letterOf(value.tag))
    .join("")})`;
}

const letterOf = (tag: number) => letters[tag] ?? "x";

/** A value of DER, with and without its header. */
export interface Value {
  readonly tag: number;
  readonly content: Buffer;
  readonly whole: Buffer;
}

/**
 * The values that stand one behind the other. What is cut off ends where the bytes end, and so does what has an
 * indefinite length, as some PKCS #12 files have it: a shape can be told all the same.
 */
export function valuesIn(bytes: Buffer): Value[] {
  const values: Value[] = [];
  for (let at = 0; at + 1 < bytes.length; ) {
    const first = bytes[at + 1];
    const octets = first > 0x80 && first <= 0x84 ? first & 0x7f : 0;
    const start = at + 2 + octets;
    if (first > 0x84 || start > bytes.length) break;
    const length = octets > 0 ? bytes.readUIntBE(at + 2, octets) : first === 0x80 ? bytes.length : first;
    values.push({
      tag: bytes[at],
      content: bytes.subarray(start, start + length),
      whole: bytes.subarray(at, start + length),
    });
    at = start + length;
  }
  return values;
}
