import test from "ava";
import type { Issued } from "../../certs/certificate.js";
import { explicit, integer, sequence } from "../../certs/der.js";
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  mustStaple,
  policyConstraints,
  purpose,
  subjectAltName,
  unknownExtension,
} from "../../certs/extensions.js";
import { chainCases, NOW } from "../../certs/fixtures.js";
import { algorithms, newKey } from "../../certs/keys.js";
import { provider } from "../../hosts/node/provider.js";
import { extendedKeyUsage as eku } from "../../src/pki/certificate.js";
import { everything } from "../../src/pki/everything.js";
import {
  type Path,
  type PathOptions,
  type TrustAnchor,
  type TrustIndex,
  trustAnchor,
} from "../../src/pki/path.js";
import { Store } from "../../src/pki/store.js";
import { faults } from "../../src/wire/fault.js";
import { signatureScheme } from "../../src/wire/registry.js";
import {
  authority,
  host,
  intermediate,
  judge,
  keys,
  leaf,
  pathWith,
  root,
  server,
  verdict,
  Walk,
  type WalkOptions,
} from "./kit.js";

const day = 86_400;
const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const ders = (...chain: Issued[]) => chain.map(({ der }) => der);

for (const row of chainCases()) {
  test(`${row.expected}: ${row.id}, ${row.description}`, (t) => {
    const { anchors, name, chain } = row;
    t.is(
      verdict(() => stapleless(new Walk({ anchors, name }).run(chain))),
      row.expected,
    );
  });
}

/** Refuses a path on which somebody promises a staple. */
function stapleless({ path }: Walk): void {
  if (path.mustStaple) throw faults.OCSP_STAPLE_MISSING;
}

test("tells the path, its issuers and its anchor", (t) => {
  const walk = new Walk().run(ders(leaf, intermediate, root));
  const { path } = walk;
  t.deepEqual(walk.indices, [0, 1], "the anchor is not an element");
  t.is(path.rows.length, 3);
  t.is(path.issuer(0), path.at(1));
  t.is(path.issuer(1), path.anchor!);
  t.deepEqual(Buffer.from(path.anchor!.der), root.der);
});

test("each step verifies at most one signature", (t) => {
  const walk = new Walk().run(ders(leaf, intermediate));
  t.deepEqual(walk.steps, [1, 1]);
  const impostors = Array.from({ length: 5 }, (_, i) =>
    authority("intermediate", root, { key: keys.other, serial: i }),
  );
  const long = new Walk().run(ders(leaf, ...impostors, intermediate));
  t.deepEqual(long.steps, [1, 1, 1, 1, 1, 1, 1]);
  t.deepEqual(long.indices, [0, 6]);
});

test("a path is used again for other servers", (t) => {
  const walk = new Walk();
  const other = server(root, { extensions: { names: subjectAltName("other.test") } });
  t.is(
    verdict(() => walk.run(ders(other))),
    "CERT_NAME_MISMATCH",
  );
  t.deepEqual(walk.run(ders(leaf, intermediate)).indices, [0, 1]);
  t.is(
    verdict(() => walk.run(ders(leaf))),
    "CERT_UNKNOWN_ISSUER",
    "nothing is left of the last one",
  );
  t.is(walk.path.length, 0);
  t.is(walk.path.anchor, undefined);
  t.deepEqual(walk.run(ders(server(root))).indices, [0]);
  t.is(walk.path.issuer(0), walk.path.anchor!);
});

test("a row of the last server's is no reason for this one", (t) => {
  const walk = new Walk();
  const junk = Buffer.from("3003020100", "hex");
  t.is(
    verdict(() => walk.run([leaf.der, junk])),
    "CERT_MALFORMED",
  );
  t.is(
    verdict(() => walk.run([leaf.der])),
    "CERT_UNKNOWN_ISSUER",
  );
  const impostor = authority("root", undefined, { key: keys.other });
  const stranger = authority("intermediate", impostor);
  t.is(
    verdict(() => walk.run(ders(server(stranger), stranger))),
    "CERT_SIGNATURE",
  );
  t.is(
    verdict(() => walk.run(ders(leaf))),
    "CERT_UNKNOWN_ISSUER",
  );
  t.is(
    verdict(() => walk.run(ders(server(stranger), stranger))),
    "CERT_SIGNATURE",
  );
  const noCa = authority("no CA", root, { extensions: { constraints: undefined } });
  t.is(
    verdict(() => walk.run(ders(server(noCa), noCa))),
    "CERT_NOT_CA",
    "though the last fault was further up",
  );
});

test("an intermediate that is trusted ends the path", (t) => {
  const walk = new Walk({ anchors: [intermediate.der] }).run(ders(leaf, intermediate, root));
  t.deepEqual(walk.indices, [0]);
});

test("the anchor may have been sent along, and be known by name and key", (t) => {
  const elements = (walk: Walk) => walk.path.lengthWithAnchor - walk.path.length;
  const renewed = authority("root", undefined, { key: keys.root, serial: 77 });
  for (const sent of [root, renewed])
    t.is(elements(new Walk().run(ders(leaf, intermediate, sent))), 1, "another edition of it counts");
  t.is(elements(new Walk().run(ders(leaf, intermediate))), 0);
  const impostor = authority("root", undefined, { key: keys.other });
  t.is(elements(new Walk().run(ders(leaf, intermediate, impostor))), 0, "its name alone does not");
  const own = new Walk({ anchors: [leaf.der] }).run(ders(leaf));
  t.deepEqual([own.path.length, elements(own)], [1, 0], "a leaf that is the anchor stands there once");
});

test("out of order, with extras, cross-signed", (t) => {
  const other = authority("other root", undefined, { key: keys.other });
  const cross = authority("root", other, { key: keys.root });
  const expired = authority("intermediate", root, {
    notBefore: iso(NOW - 9 * day),
    notAfter: iso(NOW - day),
  });
  const find = (chain: Issued[], anchor = root) =>
    new Walk({ anchors: [anchor.der] }).run(ders(...chain)).indices;
  t.deepEqual(find([leaf, other, intermediate]), [0, 2]);
  t.deepEqual(find([leaf, cross, intermediate], other), [0, 2, 1]);
  t.deepEqual(find([leaf, intermediate, cross], root), [0, 1]);
  t.deepEqual(find([leaf, expired, intermediate]), [0, 2]);
  t.deepEqual(find([leaf, leaf, intermediate, intermediate]), [0, 2]);
});

test("what is malformed is no candidate, unless it is the leaf", (t) => {
  const junk = Buffer.from("3003020100", "hex");
  t.is(judge([leaf, junk, intermediate]), "good");
  t.is(judge([junk, intermediate]), "CERT_MALFORMED");
  t.is(judge([leaf, junk]), "CERT_MALFORMED", "and the likely reason when there is no path");
  t.is(judge([]), "NO_PEER_CERT");
});

function pathOptions(from = provider, serverName?: string): PathOptions {
  const trust = [trustAnchor(root.der, everything)];
  return {
    provider: from,
    pki: everything,
    trust,
    serverName,
    schemes: provider.schemes,
    maxCertificates: 4,
  };
}

test("a leaf that was refused stays refused, whoever goes on", (t) => {
  const path = pathWith(pathOptions(), new Store(new Uint8Array(4096)));
  const good = server(root).der;
  const bad = Buffer.concat([good, Buffer.of(0)]);
  t.is(
    verdict(() => path.add(bad, 0, bad.length)),
    "CERT_MALFORMED",
  );
  t.is(
    verdict(() => path.step(NOW)),
    "CERT_MALFORMED",
  );
});

test("what the provider throws by mistake is not taken for a fault", (t) => {
  const broken = {
    ...provider,
    verification: () => {
      throw new RangeError("broken");
    },
  };
  const path = pathWith(pathOptions(broken, host), new Store(new Uint8Array(4096)));
  t.throws(() => path.add(leaf.der, 0, leaf.der.length), { instanceOf: RangeError });
  t.is(
    verdict(() => path.step(NOW)),
    "INTERNAL_ERROR",
  );
});

test("dates are inclusive, and a time that is not a number is refused", (t) => {
  const from = NOW - day;
  const to = NOW + day;
  const dated = (issuer: Issued) => server(issuer, { notBefore: iso(from), notAfter: iso(to) });
  const at = (now: number) => judge([dated(root)], { now });
  t.deepEqual([from - 1, from, to, to + 1].map(at), ["CERT_NOT_YET_VALID", "good", "good", "CERT_EXPIRED"]);
  t.is(at(Number.NaN), "CERT_NOT_YET_VALID");
  const ca = authority("dated", root, { notBefore: iso(from), notAfter: iso(to) });
  const under = (now: number) => judge([server(ca), ca], { now });
  t.deepEqual([from - 1, from, to, to + 1].map(under), [
    "CERT_NOT_YET_VALID",
    "good",
    "good",
    "CERT_EXPIRED",
  ]);
});

test("an anchor's dates and signature mean nothing", (t) => {
  const old = authority("root", undefined, { notBefore: iso(NOW - 9 * day), notAfter: iso(NOW - day) });
  const unsigned = authority("root", undefined, { bendSignature: (signature) => signature.fill(0) });
  t.is(judge([leaf, intermediate], { anchors: [old.der] }), "good");
  t.is(judge([leaf, intermediate], { anchors: [unsigned.der] }), "good");
});

test("an anchor is known by name and key", (t) => {
  const name = authority("another", undefined, { key: keys.root });
  const key = authority("root", undefined, { key: keys.other });
  t.is(judge([leaf, intermediate], { anchors: [name.der] }), "CERT_UNKNOWN_ISSUER");
  t.is(judge([leaf, intermediate], { anchors: [key.der] }), "CERT_SIGNATURE");
  t.is(judge([leaf, intermediate], { anchors: [key.der, name.der, root.der] }), "good");
  t.is(judge([leaf, intermediate], { anchors: [] }), "CERT_UNKNOWN_ISSUER");
});

test("an anchor's limits are honoured", (t) => {
  const anchor = (extensions: Record<string, Buffer | undefined>) => [
    authority("root", undefined, { extensions }).der,
  ];
  const short = anchor({ constraints: basicConstraints(true, 0) });
  t.is(judge([server(root)], { anchors: short }), "good");
  t.is(judge([leaf, intermediate], { anchors: short }), "CERT_PATH_LENGTH");
  t.is(
    judge([leaf, intermediate], { anchors: anchor({ constraints: basicConstraints(false) }) }),
    "CERT_NOT_CA",
  );
  t.is(judge([leaf, intermediate], { anchors: anchor({ constraints: undefined }) }), "CERT_NOT_CA");
  t.is(
    judge([leaf, intermediate], { anchors: anchor({ usage: keyUsage("digitalSignature") }) }),
    "CERT_NOT_CA",
  );
  t.is(judge([leaf, intermediate], { anchors: anchor({ usage: undefined }) }), "good");
  const none = Buffer.of();
  for (const version of [none, explicit(0, integer(1))]) {
    const old = authority("root", undefined, { fields: { version, extensions: none } });
    t.is(
      judge([leaf, intermediate], { anchors: [old.der] }),
      "good",
      "versions 1 and 2 have no way to say that it is a CA",
    );
  }
  const beyond = { unknown: unknownExtension(true), policy: policyConstraints(true, { explicitPolicy: 0 }) };
  for (const [name, extension] of Object.entries(beyond))
    t.is(
      verdict(() => trustAnchor(anchor({ [name]: extension })[0], everything)),
      "CERT_CRITICAL_EXTENSION",
    );
});

test("an anchor vouches for what it is for", (t) => {
  const clients = { purpose: eku.clientAuth };
  const both = { extensions: { purposes: extendedKeyUsage(purpose.clientAuth, purpose.serverAuth) } };
  const under = (anchor: Issued, options: WalkOptions = {}) =>
    judge([server(anchor, both)], { anchors: [anchor.der], ...options });
  const limited = (...purposes: string[]) =>
    authority("root", undefined, { extensions: { purposes: extendedKeyUsage(...purposes) } });
  const anyone = authority("root");
  const verdicts = (anchor: Issued) => [under(anchor), under(anchor, clients)];
  t.deepEqual(verdicts(anyone), ["good", "good"]);
  t.deepEqual(verdicts(limited(purpose.any)), ["good", "good"]);
  t.deepEqual(verdicts(limited(purpose.serverAuth)), ["good", "CERT_EXTENDED_KEY_USAGE"]);
  t.deepEqual(verdicts(limited(purpose.clientAuth)), ["CERT_EXTENDED_KEY_USAGE", "good"]);
  t.deepEqual(verdicts(limited(purpose.ocspSigning)), Array(2).fill("CERT_EXTENDED_KEY_USAGE"));
  const editions = [limited(purpose.clientAuth).der, anyone.der];
  t.is(under(anyone, { anchors: editions }), "good", "of two editions the one that may");
  const between = authority("intermediate", root, {
    extensions: { purposes: extendedKeyUsage(purpose.clientAuth) },
  });
  t.is(judge([server(between), between], { anchors: [between.der] }), "CERT_EXTENDED_KEY_USAGE");
});

test("the purpose is a server's unless another is asked for", (t) => {
  const clients = { purpose: eku.clientAuth };
  const verdicts = (...purposes: string[]) => {
    const extensions = { purposes: purposes.length > 0 ? extendedKeyUsage(...purposes) : undefined };
    const ca = authority("ca", root, { extensions });
    const end = [server(root, { extensions })];
    const below = [server(ca), ca];
    return [judge(end), judge(end, clients), judge(below), judge(below, clients)];
  };
  const no = "CERT_EXTENDED_KEY_USAGE";
  t.deepEqual(verdicts(), ["good", "good", "good", "good"]);
  t.deepEqual(verdicts(purpose.serverAuth), ["good", no, "good", no]);
  t.deepEqual(verdicts(purpose.clientAuth), [no, "good", no, "good"]);
  t.deepEqual(verdicts(purpose.serverAuth, purpose.clientAuth), ["good", "good", "good", "good"]);
  const pinned = server(undefined, { extensions: { purposes: extendedKeyUsage(purpose.clientAuth) } });
  t.is(judge([pinned], { anchors: [pinned.der] }), no, "a leaf that is trusted as it is too");
  t.is(judge([pinned], { anchors: [pinned.der], ...clients }), "good");
});

test("who promises a staple: the leaf, and whoever is above it on the path", (t) => {
  const extensions = { feature: mustStaple() };
  const stapling = authority("intermediate", root, { extensions });
  const other = authority("other", root, { extensions });
  const walk = new Walk();
  const promised = (...chain: Issued[]) => walk.run(ders(...chain)).path.mustStaple;
  t.true(promised(server(root, { extensions })));
  t.false(promised(server(root)));
  t.true(promised(server(stapling), stapling));
  t.false(promised(leaf, intermediate), "nothing is left of the last one");
  t.false(promised(leaf, other, intermediate), "who is not on the path promises nothing");
  const top = authority("top", root, { extensions, key: keys.other });
  const low = authority("low", top);
  t.true(promised(server(low), low, top));
  const anchor = authority("root", undefined, { extensions });
  const { path } = new Walk({ anchors: [anchor.der] }).run(ders(leaf, intermediate));
  t.true(path.mustStaple);
});

test("a server's own certificate is trusted as it is, and for its own name", (t) => {
  const pinned = server();
  t.deepEqual(new Walk({ anchors: [pinned.der] }).run([pinned.der]).indices, [0]);
  t.is(judge([pinned], { anchors: [pinned.der], name: "other.test" }), "CERT_NAME_MISMATCH");
  // Who holds the pinned key must not be able to speak for another name
  const forged = server(undefined, { extensions: { names: subjectAltName("other.test") } });
  t.true(forged.name.equals(pinned.name));
  t.is(judge([forged], { anchors: [pinned.der], name: "other.test" }), "CERT_NOT_CA");
  const issued = server(pinned, { subject: "issued by it", key: keys.other });
  t.is(judge([issued, pinned], { anchors: [pinned.der] }), "CERT_NOT_CA");
  const expired = server(undefined, { notBefore: iso(NOW - 9 * day), notAfter: iso(NOW - day) });
  t.is(judge([expired], { anchors: [expired.der] }), "CERT_EXPIRED");
});

test("pathLen counts the CAs below, but not the self-issued ones", (t) => {
  const limited = (pathLen: number) =>
    authority("limited", root, { extensions: { constraints: basicConstraints(true, pathLen) } });
  const rolled = (issuer: Issued) => authority("limited", issuer, { key: keys.other });
  const lower = (issuer: Issued) => authority("lower", issuer, { key: keys.ca });
  const zero = limited(0);
  t.is(judge([server(zero), zero]), "good");
  t.is(judge([server(rolled(zero)), rolled(zero), zero]), "good", "self-issued");
  t.is(judge([server(lower(zero)), lower(zero), zero]), "CERT_PATH_LENGTH");
  const one = limited(1);
  t.is(judge([server(lower(one)), lower(one), one]), "good");
  const low = lower(rolled(one));
  t.is(judge([server(low), low, rolled(one), one]), "good");
  const lowest = authority("lowest", lower(one), { key: keys.other });
  t.is(judge([server(lowest), lowest, lower(one), one]), "CERT_PATH_LENGTH");
});

test("a CA on the path is a CA by its extensions", (t) => {
  const under = (extensions: Record<string, Buffer | undefined>) => {
    const ca = authority("ca", root, { extensions });
    return judge([server(ca), ca]);
  };
  t.is(under({}), "good");
  t.is(under({ constraints: basicConstraints(false) }), "CERT_NOT_CA");
  t.is(under({ constraints: undefined }), "CERT_NOT_CA");
  t.is(under({ usage: keyUsage("digitalSignature", "cRLSign") }), "CERT_CA_KEY_USAGE");
  t.is(under({ usage: undefined }), "good");
  t.is(under({ purposes: extendedKeyUsage(purpose.clientAuth) }), "CERT_EXTENDED_KEY_USAGE");
  t.is(under({ purposes: extendedKeyUsage(purpose.serverAuth) }), "good");
  t.is(under({ purposes: extendedKeyUsage(purpose.any) }), "good");
  t.is(under({ unknown: unknownExtension(true) }), "CERT_CRITICAL_EXTENSION");
});

test("the leaf is a TLS server's by its extensions", (t) => {
  const with_ = (extensions: Record<string, Buffer | undefined>) => judge([server(root, { extensions })]);
  t.is(with_({ usage: keyUsage("keyEncipherment") }), "CERT_KEY_USAGE");
  t.is(with_({ usage: undefined }), "good");
  t.is(with_({ purposes: extendedKeyUsage(purpose.clientAuth) }), "CERT_EXTENDED_KEY_USAGE");
  t.is(with_({ purposes: extendedKeyUsage(purpose.any) }), "good");
  t.is(with_({ unknown: unknownExtension(true) }), "CERT_CRITICAL_EXTENSION");
});

test("an unknown critical extension harms only where it is used", (t) => {
  const extra = authority("intermediate", root, { extensions: { unknown: unknownExtension(true) } });
  t.is(judge([leaf, extra, intermediate]), "good");
});

test("the signature's scheme is accepted and fits the issuer's key", (t) => {
  const sha1 = server(root, { algorithm: algorithms["ecdsa-sha1"] });
  t.is(judge([sha1]), "CERT_SIGNATURE_ALGORITHM");
  const rsa = authority("rsa", undefined, { key: newKey("rsa2048") });
  const p256 = signatureScheme.ecdsa_secp256r1_sha256;
  t.is(judge([server(rsa)], { anchors: [rsa.der] }), "good");
  t.is(judge([server(rsa)], { anchors: [rsa.der], schemes: [p256] }), "CERT_SIGNATURE_ALGORITHM");
  const without = { ...provider, schemes: provider.schemes.filter((id) => id !== p256) };
  const path = pathWith(pathOptions(without), new Store(new Uint8Array(4096)));
  const own = server(root).der;
  path.add(own, 0, own.length);
  t.is(
    verdict(() => path.step(NOW)),
    "CERT_SIGNATURE_ALGORITHM",
    "a scheme that is asked for, and that the provider lacks",
  );
  const { identifier } = algorithms["rsa-sha256"];
  const odd = server(root, { fields: { signature: identifier }, outerAlgorithm: identifier });
  t.is(judge([odd]), "CERT_SIGNATURE_ALGORITHM");
});

test("a signature is over all of the certificate", (t) => {
  const tampered = server(root, { bend: (der) => Buffer.from(der).fill(der[30] ^ 1, 30, 31) });
  t.not(judge([tampered]), "good");
  const other = server(root, { fields: { serialNumber: integer(1) } });
  const moved = server(root, {
    fields: { serialNumber: integer(2) },
    bendSignature: () => Buffer.from(other.der.subarray(-71)),
  });
  t.not(judge([moved]), "good");
  t.is(judge([server(root, { bendSignature: () => Buffer.of() })]), "CERT_SIGNATURE");
});

test("the name is judged last", (t) => {
  const named = { extensions: { names: subjectAltName("other.test") } };
  t.is(judge([server(root, named)]), "CERT_NAME_MISMATCH");
  t.is(judge([server(root, named)], { name: "127.0.0.1" }), "CERT_IP_MISMATCH");
  t.is(judge([server(root, named)], { name: undefined }), "good");
  t.is(judge([server(intermediate, named)]), "CERT_UNKNOWN_ISSUER");
  t.is(judge([server(root, { ...named, notAfter: iso(NOW - day) })]), "CERT_EXPIRED");
  t.throws(() => new Walk({ name: "no name" }), { instanceOf: TypeError });
});

test("of several faults, the one furthest up is told", (t) => {
  const expired = authority("intermediate", root, {
    notBefore: iso(NOW - 9 * day),
    notAfter: iso(NOW - day),
  });
  const impostor = authority("intermediate", root, { key: keys.other });
  t.is(judge([leaf, impostor, expired]), "CERT_SIGNATURE", "the first at the same height");
  const lower = authority("lower", expired, { key: keys.other });
  const lowest = server(lower);
  const namesake = authority("lower", expired, { key: keys.leaf });
  t.is(judge([lowest, namesake, lower, expired]), "CERT_EXPIRED");
});

/** CAs that have all certified each other, under one name, so that any order of them might be the path. */
function maze(size: number): Issued[] {
  const name = "maze";
  return Array.from({ length: size }, (_, serial) =>
    authority(name, { name: authority(name, root).name, key: keys.ca }, { key: keys.ca, serial }),
  );
}

test("the search is bounded", (t) => {
  const rooms = maze(8);
  const walk = new Walk({ max: 10 });
  t.is(
    verdict(() => walk.run(ders(server(rooms[0]), ...rooms))),
    "CERT_CHAIN_TOO_LONG",
  );
  t.is(
    walk.steps.reduce((sum, n) => sum + n),
    32,
  );
  t.is(
    verdict(() => walk.run(ders(leaf, intermediate))),
    "good",
    "and the bound is each server's own",
  );
});

test("certificates beyond the maximum are ignored", (t) => {
  t.is(judge([leaf, root, intermediate], { max: 2 }), "CERT_CHAIN_TOO_LONG");
  t.is(judge([leaf, intermediate, root, root, root], { max: 2 }), "good");
  t.is(judge([leaf, root], { max: 2 }), "CERT_UNKNOWN_ISSUER", "none was ignored");
  const walk = new Walk({ max: 2 }).run(ders(leaf, intermediate, root));
  t.is(walk.path.rows.length, 2);
});

test("a certificate that the store has no room for is no candidate", (t) => {
  const roomy = new Walk().run(ders(leaf, intermediate));
  const size = roomy.store.at;
  t.is(judge([leaf, intermediate, root], { storeSize: size }), "good", "the root is not needed");
  t.is(judge([leaf, intermediate], { storeSize: size - 1 }), "STORE_TOO_SMALL");
  t.is(judge([leaf], { storeSize: 50 }), "STORE_TOO_SMALL");
  const small = new Walk({ storeSize: size - 1 });
  verdict(() => small.run(ders(leaf, intermediate)));
  t.is(judge([leaf, intermediate], { storeSize: small.store.needed }), "good", "the size told is enough");
});

test("an anchor tells its faults", (t) => {
  const fault = (der: Uint8Array) => verdict(() => trustAnchor(der, everything));
  t.is(fault(root.der.subarray(1)), "CERT_MALFORMED");
  const subjectPublicKeyInfo = newKey("secp256k1").spki;
  t.is(fault(authority("secp256k1", undefined, { fields: { subjectPublicKeyInfo } }).der), "CERT_KEY");
  t.is(fault(authority("x", undefined, { outerAlgorithm: sequence() }).der), "CERT_ALGORITHM_MISMATCH");
  t.true(Object.isFrozen(trustAnchor(root.der, everything)));
});

test("anchors that are not at hand are asked for with each certificate that is kept", (t) => {
  const trust: TrustAnchor[] = [];
  const asked: string[] = [];
  const names: Record<string, string> = { [leaf.der.toString("hex")]: "leaf" };
  names[intermediate.der.toString("hex")] = "intermediate";
  const find = (bytes: Uint8Array, start: number, end: number) => {
    const name = names[Buffer.from(bytes.subarray(start, end)).toString("hex")];
    asked.push(name);
    if (name === "intermediate") trust.push(trustAnchor(root.der, everything));
  };
  const path = pathOver(trust, find);
  for (const der of [leaf.der, intermediate.der, root.der]) path.add(der, 0, der.length);
  while (!path.step(NOW));
  t.deepEqual(asked, ["leaf", "intermediate"]);
  t.is(path.anchor, trust[0]);
});

test("what the search for an anchor throws is the certificate's fault", (t) => {
  const thrower = (at: Buffer) => (bytes: Uint8Array) => {
    if (bytes === at) throw faults.CERT_KEY;
  };
  const onLeaf = pathOver([], thrower(leaf.der));
  t.is(
    verdict(() => onLeaf.add(leaf.der, 0, leaf.der.length)),
    "CERT_KEY",
  );
  const above = pathOver([], thrower(intermediate.der));
  for (const der of [leaf.der, intermediate.der]) above.add(der, 0, der.length);
  t.is(
    verdict(() => above.step(NOW)),
    "CERT_KEY",
  );
});

/** A path of two certificates at most. */
function pathOver(trust: readonly TrustAnchor[], find: TrustIndex["find"]): Path {
  const settings = { provider, pki: everything, trust, trustIndex: { find }, serverName: host };
  const { schemes } = provider;
  return pathWith({ ...settings, schemes, maxCertificates: 2 }, new Store(new Uint8Array(8192)));
}
