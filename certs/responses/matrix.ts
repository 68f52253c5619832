import { alertOf, type FaultName, faults } from "../../src/wire/index.js";
import { type Authority, type Issued, issue, pem } from "../certificate.js";
import type { Differences } from "../chains/matrix.js";
import { type Pki, signerExtensions } from "../good.js";
import type { Key, KeyType } from "../keys.js";
import { certId, ocspResponse, type ResponseTemplate, type Single, singleResponse } from "../response.js";
import type { OcspOptions, OcspRow } from "../rows.js";
import type { Tree } from "../tree.js";

/** A response that differs in this from the good one of server1, signed by intermediate 1's delegate. */
type ResponseDifferences = Partial<ResponseTemplate> & {
  /** How its only SingleResponse differs. */
  readonly single?: Partial<Single>;
};

/** What a case differs in from: server1 at NOW, without further options. */
interface Circumstances extends OcspOptions {
  readonly at?: string;
  readonly reason?: number;
  /** The subject's file below certs/, and its issuer's. */
  readonly subject?: string;
  readonly issuer?: string;
  readonly trusted?: Issued;
}

/** The responses that a verifier must take or refuse, and the material that they are made of. */
export class OcspMatrix {
  readonly p256: Pki;
  readonly rsa: Pki;
  /** The certificate that the responses are about, where nothing else is said, and its issuer. */
  readonly subject: Issued;
  readonly issuer: Issued;
  /** The issuer's delegate. */
  readonly delegate: Issued;
  /** Of the delegates made here. */
  readonly delegateKey: Key;
  /** Of whoever has no business in answering. */
  readonly otherKey: Key;
  readonly #tree: Tree;
  readonly #rows: OcspRow[] = [];

  constructor(tree: Tree, p256: Pki, rsa: Pki) {
    this.#tree = tree;
    this.p256 = p256;
    this.rsa = rsa;
    this.subject = p256.leaves.get("server1")!;
    this.issuer = p256.intermediates[0];
    this.delegate = p256.signers[1];
    this.delegateKey = this.key("delegate", "p256");
    this.otherKey = this.key("other", "p256");
  }

  /** A key of the matrix. */
  key(name: string, type: KeyType): Key {
    return this.#tree.key(`ocsp/keys/${name}-key.pem`, type);
  }

  /** A delegated signer, good but for the differences. */
  signer(differences: Differences = {}, issuer: Authority = this.issuer): Issued {
    const { key = this.delegateKey } = differences;
    const extensions = { ...signerExtensions(key, issuer), ...differences.extensions };
    return issue(issuer, { subject: "matrix OCSP signer", key, ...differences, extensions });
  }

  /** A SingleResponse about the subject, good but for the differences. */
  single(differences: Partial<Single> = {}): Buffer {
    return singleResponse({ certId: certId(this.issuer, this.subject.serial), ...differences });
  }

  /** A SingleResponse about another certificate of the same issuer. */
  other(serial: Buffer, differences: Partial<Single> = {}): Buffer {
    return this.single({ certId: certId(this.issuer, serial), ...differences });
  }

  /** A response by the delegate, good but for the differences. */
  response(differences: ResponseDifferences = {}): Buffer {
    const { single, ...others } = differences;
    return ocspResponse({
      signer: this.delegate,
      certificates: [this.delegate.der],
      responses: [this.single(single)],
      ...others,
    });
  }

  /** A response by this signer, whose certificate comes with it. */
  by(signer: Issued, differences: ResponseDifferences = {}): Buffer {
    return this.response({ signer, certificates: [signer.der], ...differences });
  }

  /** A response by the issuer itself. */
  byIssuer(differences: ResponseDifferences = {}): Buffer {
    return this.response({ signer: this.issuer, certificates: undefined, ...differences });
  }

  /** A response that must be refused with this fault. */
  bad(id: string, expected: FaultName, description: string, response: Buffer, at: Circumstances = {}): void {
    this.#add(id, description, response, at, { expected, alert: alertOf(faults[expected]) });
  }

  /** A response that must be accepted. */
  good(id: string, description: string, response: Buffer, at: Circumstances = {}): void {
    this.#add(id, description, response, at, { expected: "good" });
  }

  /** Writes a certificate that is part of a case; returns its path. */
  certificate(name: string, certificate: Issued): string {
    const path = `ocsp/certificates/${name}.pem`;
    this.#tree.write(path, pem(certificate.der));
    return path;
  }

  finish(): void {
    this.#tree.write("ocsp/cases.json", `${JSON.stringify(this.#rows, null, 2)}\n`);
  }

  #add(
    id: string,
    description: string,
    bytes: Buffer,
    circumstances: Circumstances,
    verdict: Pick<OcspRow, "expected" | "alert">,
  ): void {
    const { at, reason, trusted, ...rest } = circumstances;
    const { subject = "good/p256/server1.pem", issuer = "good/p256/intermediate1.pem", ...others } = rest;
    const response = `ocsp/${id}.der`;
    this.#tree.write(response, bytes);
    const responders = trusted && this.certificate(id, trusted);
    const options = trusted ? { ...others, responders } : others;
    this.#rows.push({
      id,
      description,
      response,
      subject,
      issuer,
      at,
      options: Object.keys(options).length > 0 ? options : undefined,
      ...verdict,
      reason,
    });
  }
}
