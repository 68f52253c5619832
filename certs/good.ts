import { type Authority, type Extensions, type Issued, issue, pem, validity } from "./certificate.js";
import { contents, generalizedTime, utcTime } from "./der.js";
import {
  authorityInfoAccess,
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  mustStaple,
  ocspNoCheck,
  purpose,
  subjectAltName,
  subjectKeyIdentifier,
} from "./extensions.js";
import { algorithms, type Key, type KeyType } from "./keys.js";
import { certId, certStatus, ocspResponse, singleResponse } from "./response.js";
import type { Tree } from "./tree.js";

/** Where OCSP responders of the walkthrough listen: 22220 for the root, 2222N for intermediate N. */
export const responderUrl = (n: number) => `http://127.0.0.1:${22220 + n}`;

/** One edition of the walkthrough's PKI, RSA-2048 or P-256. */
export interface Pki {
  readonly directory: string;
  readonly root: Issued;
  readonly intermediates: readonly Issued[];
  /** Delegated OCSP signers: of the root, then of each intermediate. */
  readonly signers: readonly Issued[];
  /** Leaves by file name, each with its issuer. */
  readonly leaves: ReadonlyMap<string, Leaf>;
}

export interface Leaf extends Issued {
  readonly issuer: Issued;
}

interface Revocation {
  readonly at: string;
  /** As `openssl ca` spells it. */
  readonly reason?: keyof typeof crlReasons;
}

/** CRLReason, RFC 5280 section 5.3.1. */
const crlReasons = Object.freeze({ keyCompromise: 1, CACompromise: 2 });

const revocations: Readonly<Record<string, Revocation>> = Object.freeze({
  intermediate3: { at: "2025-06-03T00:00:00Z", reason: "CACompromise" },
  server2: { at: "2025-06-01T00:00:00Z", reason: "keyCompromise" },
  server4: { at: "2025-06-02T00:00:00Z" },
});

/** What an authority has issued, for its index and for its responder. */
interface Entry {
  /** The certificate's file, without its suffix. */
  readonly file: string;
  readonly commonName: string;
  readonly serial: Buffer;
  /** 0: the root, N: intermediate N. */
  readonly issuer: number;
}

/** Serials are wolfSSL's: its readers know the certificates by them. Each is unique for its issuer. */
const serials: Readonly<Record<string, number>> = Object.freeze({
  root: 0x63,
  intermediate1: 1,
  intermediate2: 2,
  intermediate3: 3,
  signer: 4,
  server1: 5,
  server2: 6,
  server3: 7,
  server4: 8,
  server5: 9,
  "must-staple": 0x0b,
  p384: 0x0c,
  ed25519: 0x0d,
  pss: 0x0e,
});

const serialOf = (file: string) => (file.startsWith("ocsp-") ? serials.signer : serials[file]);

/** The leaves of both editions: file name and the intermediate that issues it. */
const servers: readonly (readonly [string, number])[] = Object.freeze([
  ["server1", 1],
  ["server2", 1],
  ["server3", 2],
  ["server4", 2],
  ["server5", 3],
  ["must-staple", 1],
]);

/** Writes one edition of the PKI. */
export function goodPki(tree: Tree, directory: string, type: KeyType): Pki {
  const edition = new Edition(tree, directory, type);
  const root = edition.root();
  const intermediates = [1, 2, 3].map((n) => edition.intermediate(n, root));
  const authorities = [root, ...intermediates];
  const signers = authorities.map((authority, n) => edition.signer(n, authority));
  const leaves = new Map<string, Leaf>();
  for (const [name, n] of servers) leaves.set(name, edition.server(name, n, authorities));
  if (type === "p256") {
    leaves.set("p384", edition.server("p384", 1, authorities, "p384"));
    leaves.set("ed25519", edition.server("ed25519", 1, authorities, "ed25519"));
  } else {
    leaves.set("pss", edition.server("pss", 1, authorities, "rsa3072"));
  }
  edition.writeIndexes();
  edition.writeStaples(authorities, signers);
  return { directory, root, intermediates, signers, leaves };
}

/** The state while one edition is written: where to, and what was issued so far. */
class Edition {
  readonly #tree: Tree;
  readonly #directory: string;
  readonly #type: KeyType;
  readonly #entries: Entry[] = [];

  constructor(tree: Tree, directory: string, type: KeyType) {
    this.#tree = tree;
    this.#directory = directory;
    this.#type = type;
  }

  root(): Issued {
    const key = this.#key("root", this.#type);
    const extensions = { ...authorityExtensions(key), access: authorityInfoAccess(responderUrl(0)) };
    const root = issue(undefined, { serial: serialOf("root"), subject: "root", key, extensions });
    return this.#issued("root", "root", 0, root, root);
  }

  intermediate(n: number, root: Authority): Issued {
    const name = authorityName(n);
    const key = this.#key(name, this.#type);
    const extensions = {
      ...authorityExtensions(key, 0),
      authorityKey: authorityKeyIdentifier(root.key.spki),
      access: authorityInfoAccess(responderUrl(0)),
    };
    const issued = issue(root, { serial: serialOf(name), subject: name, key, extensions });
    return this.#issued(name, name, 0, issued, issued);
  }

  signer(n: number, authority: Authority): Issued {
    const name = `ocsp-${authorityName(n)}`;
    const key = this.#key(name, this.#type);
    const extensions = signerExtensions(key, authority);
    const issued = issue(authority, { serial: serialOf(name), subject: name, key, extensions });
    return this.#issued(name, name, n, issued, issued);
  }

  server(name: string, n: number, authorities: readonly Issued[], type = this.#type): Leaf {
    const issuer = authorities[n];
    const key = this.#key(name, type);
    const host = `${name}.tlstaple.test`;
    const extensions = {
      ...serverExtensions(key, issuer, host),
      access: authorityInfoAccess(responderUrl(n)),
      feature: name === "must-staple" ? mustStaple() : undefined,
    };
    const algorithm = name === "pss" ? algorithms["pss-sha256"] : undefined;
    const issued = issue(issuer, { serial: serialOf(name), subject: host, key, extensions, algorithm });
    return { ...this.#issued(name, host, n, issued, issued, issuer, authorities[0]), issuer };
  }

  /** Writes an `openssl ca` index file for each authority. */
  writeIndexes(): void {
    for (const n of [0, 1, 2, 3]) {
      const rows = this.#entries.filter(({ issuer }) => issuer === n).map(indexRow);
      this.#write(`index-${authorityName(n)}.txt`, `${rows.join("\n")}\n`);
    }
  }

  /** Writes a response about each certificate that can be stapled, by the delegate of its issuer. */
  writeStaples(authorities: readonly Issued[], signers: readonly Issued[]): void {
    for (const { file, issuer, serial } of this.#entries) {
      if (file.startsWith("ocsp-")) continue;
      const signer = signers[issuer];
      const id = certId(authorities[issuer], serial);
      const single = singleResponse({ certId: id, status: statusOf(file), thisUpdate: stapledSince });
      const certificates = [signer.der];
      const response = ocspResponse({ signer, certificates, responses: [single], producedAt: stapledSince });
      this.#write(`${file}-ocsp.der`, response);
    }
  }

  /** Writes the certificate's file (the chain that is to be sent) and enters it into the index of its issuer. */
  #issued(file: string, commonName: string, issuer: number, issued: Issued, ...chain: Issued[]): Issued {
    this.#write(`${file}.pem`, pem(...chain.map(({ der }) => der)));
    this.#entries.push({ file, commonName, serial: issued.serial, issuer });
    return issued;
  }

  #key(name: string, type: KeyType): Key {
    return this.#tree.key(`${this.#directory}/${name}-key.pem`, type);
  }

  #write(file: string, content: string | Uint8Array): void {
    this.#tree.write(`${this.#directory}/${file}`, content);
  }
}

const authorityName = (n: number) => (n === 0 ? "root" : `intermediate${n}`);

/** One row of an `openssl ca` index: status, expiry, revocation[,reason], serial, file, DN. */
function indexRow({ file, commonName, serial }: Entry): string {
  const revocation = revocations[file];
  const columns = [
    revocation ? "R" : "V",
    indexTime(validity.notAfter),
    revocation ? [indexTime(revocation.at), revocation.reason].filter(Boolean).join(",") : "",
    contents(serial).toString("hex").toUpperCase(),
    "unknown",
    `/O=tlstaple test/OU=TEST ONLY/CN=${commonName}`,
  ];
  return columns.join("\t");
}

/** YYMMDDHHMMSSZ. */
const indexTime = (iso: string) => contents(utcTime(iso)).toString("latin1");

/** thisUpdate and producedAt of the ready-made responses: after all revocations. */
const stapledSince = generalizedTime("2025-07-01T00:00:00Z");

function statusOf(file: string): Buffer {
  const revocation = revocations[file];
  if (!revocation) return certStatus.good;
  return certStatus.revoked(revocation.at, revocation.reason && crlReasons[revocation.reason]);
}

/** The extensions of a CA. digitalSignature, because it may sign OCSP responses itself. */
export function authorityExtensions(key: Key, pathLength?: number): Extensions {
  return {
    constraints: basicConstraints(true, pathLength),
    usage: keyUsage("digitalSignature", "keyCertSign", "cRLSign"),
    subjectKey: subjectKeyIdentifier(key.spki),
  };
}

/** The extensions of a delegated OCSP signer, RFC 6960 section 4.2.2.2. */
export function signerExtensions(key: Key, issuer: Authority): Extensions {
  return {
    constraints: basicConstraints(false),
    usage: keyUsage("digitalSignature"),
    purposes: extendedKeyUsage(purpose.ocspSigning),
    noCheck: ocspNoCheck(),
    subjectKey: subjectKeyIdentifier(key.spki),
    authorityKey: authorityKeyIdentifier(issuer.key.spki),
  };
}

/** The extensions of a server's certificate, good for its name and for loopback. */
export function serverExtensions(key: Key, issuer: Authority, host: string): Extensions {
  return {
    constraints: basicConstraints(false),
    usage: keyUsage("digitalSignature"),
    purposes: extendedKeyUsage(purpose.serverAuth),
    names: subjectAltName(host, "localhost", "127.0.0.1", "::1"),
    subjectKey: subjectKeyIdentifier(key.spki),
    authorityKey: authorityKeyIdentifier(issuer.key.spki),
  };
}

const clientTypes: readonly KeyType[] = Object.freeze(["p256", "p384", "rsa2048", "ed25519"]);

/** Writes the CA for client authentication and one client certificate of each kind of key. */
export function clientPki(tree: Tree, directory: string): void {
  const key = tree.key(`${directory}/ca-key.pem`, "p256");
  const ca = issue(undefined, { serial: 1, subject: "client CA", key, extensions: authorityExtensions(key) });
  tree.write(`${directory}/ca.pem`, pem(ca.der));
  clientTypes.forEach((type, i) => {
    const name = type.replace("2048", "");
    const key = tree.key(`${directory}/${name}-key.pem`, type);
    const extensions = clientExtensions(key, ca, `${name}.client.tlstaple.test`);
    const client = issue(ca, { serial: 2 + i, subject: `client ${name}`, key, extensions });
    tree.write(`${directory}/${name}.pem`, pem(client.der, ca.der));
  });
}

function clientExtensions(key: Key, issuer: Authority, host: string): Extensions {
  return {
    constraints: basicConstraints(false),
    usage: keyUsage("digitalSignature"),
    purposes: extendedKeyUsage(purpose.clientAuth),
    names: subjectAltName(host),
    subjectKey: subjectKeyIdentifier(key.spki),
    authorityKey: authorityKeyIdentifier(issuer.key.spki),
  };
}
