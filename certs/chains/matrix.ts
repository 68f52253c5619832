import { alertOf, type FaultName, faults } from "../../src/wire/index.js";
import { type Authority, type Extensions, type Issued, issue, pem, type Template } from "../certificate.js";
import { authorityKeyIdentifier, basicConstraints } from "../extensions.js";
import { authorityExtensions, type Pki, serverExtensions } from "../good.js";
import type { Key, KeyType } from "../keys.js";
import type { ChainRow } from "../rows.js";
import type { Tree } from "../tree.js";

/** The name of every leaf here, and the name that clients ask for, where nothing else is said. */
export const host = "leaf.tlstaple.test";

/** A template of which only the differences from a good leaf or CA are given. */
export type Differences = Partial<Omit<Template, "extensions">> & {
  /** Replaced or (undefined) left-out ones, by their names in `serverExtensions`; others are added. */
  readonly extensions?: Extensions;
};

/** What a case differs in from: all good certificates' trust anchor, host and the leaf's key. */
interface Circumstances {
  readonly name?: string | null;
  readonly anchors?: readonly Issued[];
}

/** The chains that a verifier must take or refuse, and the material that they are made of. */
export class ChainMatrix {
  readonly p256: Pki;
  readonly rsa: Pki;
  /** Of the leaf and of the intermediate CAs made here. */
  readonly leafKey: Key;
  readonly authorityKey: Key;
  /** Of whoever has no business in a good chain. */
  readonly otherKey: Key;
  readonly #tree: Tree;
  readonly #rows: { good: ChainRow[]; bad: ChainRow[] } = { good: [], bad: [] };
  readonly #anchorFiles = new Map<string, string>();
  readonly #keyFiles = new Map<Key, string>();

  constructor(tree: Tree, p256: Pki, rsa: Pki) {
    this.#tree = tree;
    this.p256 = p256;
    this.rsa = rsa;
    this.leafKey = this.key("leaf", "p256");
    this.authorityKey = this.key("authority", "p256");
    this.otherKey = this.key("other", "p256");
  }

  get root(): Issued {
    return this.p256.root;
  }

  get intermediate(): Issued {
    return this.p256.intermediates[0];
  }

  /** A key of the matrix. */
  key(name: string, type: KeyType): Key {
    const path = `bad/${name}-key.pem`;
    const key = this.#tree.key(path, type);
    this.#keyFiles.set(key, path);
    return key;
  }

  /** A leaf, good but for the differences. */
  leaf(differences: Differences = {}, issuer: Authority = this.intermediate): Issued {
    const { key = this.leafKey } = differences;
    const extensions = { ...serverExtensions(key, issuer, host), ...differences.extensions };
    return issue(issuer, { subject: host, key, ...differences, extensions });
  }

  /** An intermediate CA, good but for the differences. */
  authority(differences: Differences = {}, issuer: Authority = this.root): Issued {
    const { key = this.authorityKey } = differences;
    const extensions = {
      ...authorityExtensions(key),
      authorityKey: authorityKeyIdentifier(issuer.key.spki),
      ...differences.extensions,
    };
    return issue(issuer, { subject: "matrix intermediate", key, ...differences, extensions });
  }

  /** A leaf without differences, and the CA that is to have them. */
  under(authority: Issued, leaf: Differences = {}): Issued[] {
    return [this.leaf(leaf, authority), authority];
  }

  /** A self-signed root. */
  otherRoot(subject: string | Buffer, differences: Differences = {}): Issued {
    const { key = this.otherKey } = differences;
    const extensions = { ...authorityExtensions(key), ...differences.extensions };
    return issue(undefined, { subject, key, ...differences, extensions });
  }

  /** A self-signed server certificate. */
  selfSigned(): Issued {
    const issuer = { name: Buffer.of(), key: this.leafKey };
    const extensions = {
      ...serverExtensions(this.leafKey, issuer, host),
      constraints: basicConstraints(false),
    };
    return issue(undefined, { subject: host, key: this.leafKey, extensions });
  }

  /** A chain that must be refused with this fault. */
  bad(
    id: string,
    expected: FaultName,
    description: string,
    chain: readonly Issued[],
    at: Circumstances = {},
  ) {
    this.#add("bad", id, description, chain, at, { expected, alert: alertOf(faults[expected]) });
  }

  /** A chain that must be accepted. */
  good(id: string, description: string, chain: readonly Issued[], at: Circumstances = {}) {
    this.#add("good", id, description, chain, at, { expected: "good" });
  }

  /** Writes the two indexes. */
  finish(): void {
    this.#tree.write("bad/cases.json", `${JSON.stringify(this.#rows.bad, null, 2)}\n`);
    this.#tree.write("good/chains/cases.json", `${JSON.stringify(this.#rows.good, null, 2)}\n`);
  }

  #add(
    kind: "good" | "bad",
    id: string,
    description: string,
    chain: readonly Issued[],
    at: Circumstances,
    verdict: Pick<ChainRow, "expected" | "alert">,
  ): void {
    const file = kind === "bad" ? `bad/${id}.pem` : `good/chains/${id}.pem`;
    this.#tree.write(file, pem(...chain.map(({ der }) => der)));
    const anchors = this.#anchorFile(at.anchors ?? [this.root], id);
    const key = this.#keyFiles.get((chain[0] ?? { key: this.leafKey }).key)!;
    const name = at.name === null ? undefined : (at.name ?? host);
    this.#rows[kind].push({ id, description, chain: file, anchors, key, name, ...verdict });
  }

  /** The file of these anchors, written when they are met for the first time. */
  #anchorFile(anchors: readonly Issued[], id: string): string {
    const content = pem(...anchors.map(({ der }) => der));
    const known = this.#anchorFiles.get(content);
    const file = known ?? `bad/anchors/${anchors[0] === this.root ? "root" : id}.pem`;
    if (!known) this.#tree.write(file, content);
    this.#anchorFiles.set(content, file);
    return file;
  }
}
