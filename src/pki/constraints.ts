import { faults } from "../wire/fault.js";
import { table } from "../wire/table.js";
import { equalBytes } from "../wire/writer.js";
import type { Certificate, Constraining, NameMatcher, PkiFeature } from "./certificate.js";
import { Der, type ExtensionRow, type Oid, tag } from "./der.js";
import { equalsFolded, generalName, readGeneralName } from "./name.js";

/** PermittedSubtrees and excludedSubtrees of NameConstraints. */
const permitted = tag.CONSTRUCTED;
const excluded = tag.CONSTRUCTED + 1;

/** Comparisons of a name with a subtree for one path; what needs more was made to need it. */
const maxComparisons = 100_000;

const dot = 0x2e;
const star = 0x2a;

/** 1.2.840.113549.1.9.1, emailAddress. */
const emailAddress: Oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01";

/**
 * Reads NameConstraints, RFC 5280 4.2.1.10, and checks their form: at least one list, no list empty,
 * `minimum` 0, spelt out or not, and no `maximum`.
 */
function readNameConstraints(der: Der, to: Certificate): void {
  to.constraintsStart = der.at;
  const outer = der.enter(tag.SEQUENCE);
  if (!der.more) throw der.fault;
  for (let list = permitted; list <= excluded; list++) if (der.peek() === list) readSubtrees(der);
  der.leave(outer);
  to.constraintsEnd = der.at;
}

function readSubtrees(der: Der): void {
  const list = der.enter(der.peek());
  do {
    const subtree = der.enter(tag.SEQUENCE);
    readGeneralName(der);
    if (der.peek() === tag.CONTEXT && der.small(tag.CONTEXT) !== 0) throw der.fault;
    der.leave(subtree);
  } while (der.more);
  der.leave(list);
}

/** What a list of subtrees says about a name. */
const silent = 0;
const outside = 1;
const inside = 2;

/**
 * Compares names with name constraints, RFC 5280 4.2.1.10 and 6.1.3 (b), (c). What cannot be evaluated counts
 * as outside of what is permitted and inside of what is excluded, whether the extension is critical or not.
 */
class NameConstraints implements NameMatcher {
  /** Over the constraints, the names, and the two distinguished names that are being compared. */
  private readonly subtrees = new Der();
  private readonly names = new Der();
  private readonly base = new Der();
  private readonly name = new Der();
  private authority: Constraining | undefined;
  private comparisons = 0;

  /**
   * Whether all names of a certificate are allowed by an authority's NameConstraints, which `readNameConstraints` has
   * passed over. Throws CERT_CHAIN_TOO_LONG when it takes too much work.
   */
  allow(certificate: Certificate, authority: Constraining): boolean {
    this.authority = authority;
    if (!this.allowSubject(certificate)) return false;
    return this.allowAltNames(certificate);
  }

  /** RFC 5280 6.1.3 (b): the subject is a directoryName, unless it is empty. */
  private allowSubject(certificate: Certificate): boolean {
    const { bytes, nameStart, nameEnd } = certificate;
    const names = this.names.over(bytes, nameStart, nameEnd);
    names.enter(tag.SEQUENCE);
    if (!names.more) return true;
    if (!this.allowName(generalName.directoryName, bytes, nameStart, nameEnd)) return false;
    return this.allowEmails();
  }

  /** RFC 5280 4.2.1.10: an emailAddress in the subject is subject to constraints on rfc822Name. */
  private allowEmails(): boolean {
    const names = this.names;
    while (names.more) {
      const set = names.enter(tag.SET);
      while (names.more) {
        const attribute = names.enter(tag.SEQUENCE);
        const email = names.identifier() === emailAddress;
        const start = names.skip();
        if (email && !this.allowName(generalName.rfc822Name, names.bytes, start, names.at)) return false;
        names.leave(attribute);
      }
      names.leave(set);
    }
    return true;
  }

  private allowAltNames(certificate: Certificate): boolean {
    const names = this.names.over(certificate.bytes, certificate.altNamesStart, certificate.altNamesEnd);
    while (names.more) {
      const form = names.peek();
      const start = names.value(form);
      if (!this.allowName(form, names.bytes, start, names.at)) return false;
    }
    return true;
  }

  /** Whether a name is in a permitted subtree, if there is any of its form, and in no excluded one. */
  private allowName(form: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { nameBytes, constraintsStart, constraintsEnd } = this.authority!;
    const subtrees = this.subtrees.over(nameBytes, constraintsStart, constraintsEnd);
    this.name.over(bytes, start, end);
    subtrees.enter(tag.SEQUENCE);
    if (subtrees.peek() === permitted && this.search(form, false) === outside) return false;
    return subtrees.peek() !== excluded || this.search(form, true) !== inside;
  }

  /** Reads one list of subtrees to its end. */
  private search(form: number, exclude: boolean): number {
    const subtrees = this.subtrees;
    const list = subtrees.enter(subtrees.peek());
    let result = silent;
    while (subtrees.more) {
      const subtree = subtrees.enter(tag.SEQUENCE);
      const baseForm = subtrees.peek();
      const start = subtrees.value(baseForm);
      if (baseForm === form && result !== inside) {
        result = this.compare(form, start, exclude) ? inside : outside;
      }
      subtrees.drop(subtree);
    }
    subtrees.leave(list);
    return result;
  }

  /** Whether the name is in the subtree just passed over, whose base begins at `start`. */
  private compare(form: number, start: number, exclude: boolean): boolean {
    if (++this.comparisons > maxComparisons) throw faults.CERT_CHAIN_TOO_LONG;
    const { base, name } = this;
    base.over(this.subtrees.bytes, start, this.subtrees.at);
    if (form === generalName.dNSName) {
      if (inDomain(name, base)) return true;
      if (exclude) return wildcardReaches(name, base);
      return false;
    }
    if (form === generalName.iPAddress) return inNetwork(name, base, exclude);
    if (form === generalName.directoryName) return inDirectory(name, base, exclude);
    return exclude;
  }
}

/** Certificates whose NameConstraints are honoured, instead of refused. */
export const nameConstraints: PkiFeature = Object.freeze({
  extensions: table<ExtensionRow<Certificate>>([{ oid: "\x55\x1d\x1e", read: readNameConstraints }]), // 2.5.29.30
  NameConstraints,
});

/**
 * Whether labels added to the left of `base` give `name`; none need be. A base with a leading dot, which is
 * not in the RFC but in use, wants at least one.
 */
function inDomain(name: Der, base: Der): boolean {
  const added = name.end - name.at - (base.end - base.at);
  if (added < 0 || !equalsFolded(name.bytes, name.at + added, name.end, base.bytes, base.at, base.end))
    return false;
  return added === 0 || !base.more || base.bytes[base.at] === dot || name.bytes[name.at + added - 1] === dot;
}

/** Whether `name` is "*.parent" and `base` one label and that parent: one name that "*" stands for is in it. */
function wildcardReaches(name: Der, base: Der): boolean {
  if (name.peek() !== star) return false;
  const parent = base.bytes.indexOf(dot, base.at);
  return parent >= 0 && equalsFolded(name.bytes, name.at + 1, name.end, base.bytes, parent, base.end);
}

/** RFC 5280 4.2.1.10: the base is an address and a mask, 8 octets for IPv4 or 32 for IPv6. */
function inNetwork(name: Der, base: Der, exclude: boolean): boolean {
  const size = (base.end - base.at) / 2;
  if (size !== 4 && size !== 16) return exclude;
  if (name.end - name.at !== size) return false;
  for (let i = 0; i < size; i++) {
    const mask = base.bytes[base.at + size + i];
    if ((name.bytes[name.at + i] ^ base.bytes[base.at + i]) & mask) return false;
  }
  return true;
}

/** Whether the relative names of `base` are the first ones of `name`. */
function inDirectory(name: Der, base: Der, exclude: boolean): boolean {
  const start = name.at;
  const end = name.end;
  base.enter(tag.SEQUENCE);
  name.enter(tag.SEQUENCE);
  let same = true;
  while (same && base.more) {
    same = name.more;
    if (same) same = equalsRelative(name, base, exclude);
  }
  name.over(name.bytes, start, end);
  return same;
}

function equalsRelative(name: Der, base: Der, exclude: boolean): boolean {
  const nameSet = name.enter(tag.SET);
  const baseSet = base.enter(tag.SET);
  let same = true;
  while (same && name.more && base.more) same = equalsAttribute(name, base, exclude);
  same = same && !name.more && !base.more;
  name.drop(nameSet);
  base.drop(baseSet);
  return same;
}

function equalsAttribute(name: Der, base: Der, exclude: boolean): boolean {
  const nameOuter = name.enter(tag.SEQUENCE);
  const baseOuter = base.enter(tag.SEQUENCE);
  const nameType = name.oid();
  const baseType = base.oid();
  let same = equalBytes(name.bytes, nameType, name.at, base.bytes, baseType, base.at);
  if (same) same = equalsValue(name, base, exclude);
  name.drop(nameOuter);
  base.drop(baseOuter);
  return same;
}

/**
 * RFC 5280 7.1, as far as a device can: ASCII letters in either case and either of the usual string types.
 * Other types are compared as they are, and where the question is whether a name is excluded, not trusted to
 * be different.
 */
function equalsValue(name: Der, base: Der, exclude: boolean): boolean {
  if (!isText(name.peek()) || !isText(base.peek())) {
    const same = equalBytes(name.bytes, name.at, name.end, base.bytes, base.at, base.end);
    return same || exclude;
  }
  name.enter(name.peek());
  base.enter(base.peek());
  return equalsFolded(name.bytes, name.at, name.end, base.bytes, base.at, base.end);
}

/** UTF8String, PrintableString or IA5String. */
function isText(type: number): boolean {
  return type === 0x0c || type === 0x13 || type === 0x16;
}
