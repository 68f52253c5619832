import { sign as cryptoSign, type KeyObject, type X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import { id_kp_OCSPSigning, KeyHash, ResponderID } from "@peculiar/asn1-ocsp";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  Certificate,
  ExtendedKeyUsage,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  KeyUsage,
  KeyUsageFlags,
  Name,
} from "@peculiar/asn1-x509";
import { type Certificates, readCertificates } from "../common/pem.js";
import { readPrivateKey } from "../common/private-key.js";
import { attempt, ResponderError } from "./error.js";
import { publicKeyHash } from "./issuer.js";

export type SignatureDigest = "sha256" | "sha384" | "sha512";

/** Who signs the responses of an authority. */
export interface SignerOptions {
  /** The CA's own certificate or that of its delegate, RFC 6960 4.2.2.2; it is sent with each response. */
  readonly cert: Certificates;
  /** Its private key: PEM or DER, in PKCS#8, SEC 1 or PKCS#1, or a KeyObject. */
  readonly key: string | Uint8Array | KeyObject;
  readonly passphrase?: string;
  /** More certificates to send. */
  readonly others?: Certificates;
  /** The digest that is signed, where the key leaves a choice; SHA-384 for P-384, SHA-512 for P-521, else SHA-256. */
  readonly digest?: SignatureDigest;
  /** Name the signer by its key's hash instead of its name. */
  readonly byKey?: boolean;
  /**
   * The clients are configured to trust this signer for the CA, RFC 6960 4.2.2.2 (1), so that it need be neither
   * the CA nor its delegate. All other clients refuse what it signs.
   */
  readonly configured?: boolean;
}

/** Signs with one key, in Node's thread pool. */
export class Signer {
  readonly responderID: ResponderID;
  /** Those that are sent: the signer's own, then the others. */
  readonly certificates: readonly Certificate[];
  /** The same in DER, one after the other. */
  readonly sent: Buffer;
  readonly algorithm: AlgorithmIdentifier;
  private readonly certificate: X509Certificate;
  private readonly digest: SignatureDigest | undefined;
  private readonly key: KeyObject;

  /** @throws ResponderError when the key does not fit, or is of a kind that clients refuse */
  constructor(options: SignerOptions) {
    const [certificate] = attempt("signer's certificate", () => readCertificates(options.cert));
    const others = options.others
      ? attempt("other certificates", () => readCertificates(options.others!))
      : [];
    this.certificate = certificate;
    this.key = attempt("signer's key", () => readKey(options));
    if (!certificate.checkPrivateKey(this.key))
      throw new ResponderError(`the key is not that of ${this.name}`);
    const { oid, digest } = chooseAlgorithm(this.key, options.digest);
    this.digest = digest;
    // RFC 4055 section 5 and RFC 5758 3.2: RSA's have parameters, NULL, and no other's do.
    this.algorithm = new AlgorithmIdentifier({
      algorithm: oid,
      parameters: this.key.asymmetricKeyType === "rsa" ? null : undefined,
    });
    this.certificates = [certificate, ...others].map(({ raw }) => AsnConvert.parse(raw, Certificate));
    this.sent = Buffer.concat([certificate, ...others].map(({ raw }) => raw));
    this.responderID = responderID(this.certificates[0], options.byKey ?? false);
  }

  get name(): string {
    return this.certificate.subject.replaceAll("\n", ", ");
  }

  /** Whether responses that are signed by either say the same of their signer. */
  isSame({ certificate }: Signer): boolean {
    return certificate.raw.equals(this.certificate.raw);
  }

  sign(data: ArrayBuffer): Promise<Buffer> {
    return signAsync(this.digest, Buffer.from(data), this.key);
  }

  /** Whether the certificate is valid, at a time in seconds since 1970. */
  validAt(now: number): boolean {
    const { notBefore, notAfter } = this.certificates[0].tbsCertificate.validity;
    const time = new Date(now * 1000);
    return notBefore.getTime() <= time && time <= notAfter.getTime();
  }

  /**
   * RFC 6960 4.2.2.2: the CA itself, or a certificate that this very CA issued for OCSPSigning.
   * @throws ResponderError
   */
  checkDelegation(issuer: X509Certificate): void {
    if (this.certificate.subject === issuer.subject && issuer.checkPrivateKey(this.key)) return;
    const by = issuer.subject.replaceAll("\n", ", ");
    if (!this.certificate.checkIssued(issuer) || !this.certificate.verify(issuer.publicKey))
      throw new ResponderError(`${this.name} may not sign for ${by}: it is not issued by it`);
    if (!this.find(id_ce_extKeyUsage, ExtendedKeyUsage)?.includes(id_kp_OCSPSigning))
      throw new ResponderError(`${this.name} may not sign for ${by}: its extendedKeyUsage lacks OCSPSigning`);
    if (!this.maySign())
      throw new ResponderError(`${this.name} may not sign for ${by}: its keyUsage lacks digitalSignature`);
  }

  /** RFC 5280 4.2.1.3; without the extension the key may do everything. */
  private maySign(): boolean {
    const usage = this.find(id_ce_keyUsage, KeyUsage)?.toNumber();
    return (
      usage === undefined || (usage & (KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation)) !== 0
    );
  }

  /** An extension of its certificate, if it has that. */
  private find<T>(id: string, type: new () => T): T | undefined {
    const { extensions = [] } = this.certificates[0].tbsCertificate;
    const found = extensions.find(({ extnID }) => extnID === id);
    return found && AsnConvert.parse(found.extnValue.buffer, type);
  }
}

/** Ed25519 and Ed448 hash by themselves: no digest. */
const signAsync = promisify(
  (digest: string | undefined, data: Buffer, key: KeyObject, done: (e: Error | null, s: Buffer) => void) =>
    cryptoSign(digest, data, key, done),
);

function readKey({ key, passphrase }: SignerOptions): KeyObject {
  if (typeof key === "object" && "asymmetricKeyType" in key) return key;
  return readPrivateKey(Buffer.from(key as Uint8Array), passphrase);
}

interface Algorithm {
  readonly oid: string;
  readonly digest: SignatureDigest | undefined;
}

/** Signature algorithms by key and digest, RFC 5758 3.2, RFC 4055 section 5, RFC 8410 section 3; the usual one first. */
const algorithms: Readonly<Record<string, readonly Algorithm[]>> = Object.freeze({
  prime256v1: [
    { oid: "1.2.840.10045.4.3.2", digest: "sha256" },
    { oid: "1.2.840.10045.4.3.3", digest: "sha384" },
    { oid: "1.2.840.10045.4.3.4", digest: "sha512" },
  ],
  secp384r1: [
    { oid: "1.2.840.10045.4.3.3", digest: "sha384" },
    { oid: "1.2.840.10045.4.3.2", digest: "sha256" },
    { oid: "1.2.840.10045.4.3.4", digest: "sha512" },
  ],
  secp521r1: [
    { oid: "1.2.840.10045.4.3.4", digest: "sha512" },
    { oid: "1.2.840.10045.4.3.3", digest: "sha384" },
    { oid: "1.2.840.10045.4.3.2", digest: "sha256" },
  ],
  rsa: [
    { oid: "1.2.840.113549.1.1.11", digest: "sha256" },
    { oid: "1.2.840.113549.1.1.12", digest: "sha384" },
    { oid: "1.2.840.113549.1.1.13", digest: "sha512" },
  ],
  ed25519: [{ oid: "1.3.101.112", digest: undefined }],
  ed448: [{ oid: "1.3.101.113", digest: undefined }],
});

const MIN_MODULUS = 2048;

function chooseAlgorithm(key: KeyObject, digest: SignatureDigest | undefined): Algorithm {
  const { namedCurve, modulusLength = MIN_MODULUS } = key.asymmetricKeyDetails ?? {};
  const kind = namedCurve ?? key.asymmetricKeyType!;
  if (!Object.hasOwn(algorithms, kind) || modulusLength < MIN_MODULUS)
    throw new ResponderError(
      "the signer's key must be RSA of 2048 bits or more, P-256, P-384, P-521, Ed25519 or Ed448",
    );
  const possible = algorithms[kind];
  const chosen = digest === undefined ? possible[0] : possible.find((each) => each.digest === digest);
  if (!chosen) throw new ResponderError(`a key of type ${kind} does not sign with ${digest}`);
  return chosen;
}

/** RFC 6960 4.2.1: the subject, or the SHA-1 hash of the key. */
function responderID({ tbsCertificate }: Certificate, byKey: boolean): ResponderID {
  const { subject, subjectPublicKeyInfo } = tbsCertificate;
  if (byKey) return new ResponderID({ byKey: new KeyHash(publicKeyHash("sha1", subjectPublicKeyInfo)) });
  return new ResponderID({ byName: AsnConvert.parse(AsnConvert.serialize(subject), Name) });
}
