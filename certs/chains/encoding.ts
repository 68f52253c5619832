import {
  boolean,
  children,
  contents,
  explicit,
  implicit,
  integer,
  nil,
  octets,
  oid,
  sequence,
  tag,
  tlv,
} from "../der.js";
import { basicConstraints } from "../extensions.js";
import type { ChainMatrix, Differences } from "./matrix.js";

const none = Buffer.of();
const bytes = (hex: string) => Buffer.from(hex, "hex");

/** Encodings that DER (X.690) or RFC 5280 section 4.1 forbid. Each is signed as it stands, so that only the encoding is wrong. */
export function encodingCases(m: ChainMatrix): void {
  const refused = (id: string, description: string, differences: Differences) =>
    m.bad(id, "CERT_MALFORMED", description, [m.leaf(differences), m.intermediate]);

  refused("garbage", "no certificate, but text", { bend: () => Buffer.from("this is not a certificate") });
  refused("truncated", "the last byte is missing", { bend: (der) => der.subarray(0, -1) });
  refused("trailing-byte", "a byte after the certificate", {
    bend: (der) => Buffer.concat([der, bytes("00")]),
  });
  refused("trailing-in-certificate", "a NULL after the signature", {
    bend: (der) => sequence(contents(der), nil),
  });
  refused("trailing-in-tbs", "a NULL after the extensions", {
    bendTbs: (tbs) => sequence(contents(tbs), nil),
  });
  refused("length-padded", "the outer length has a leading zero", { bend: paddedLength });
  refused("length-padded-tbs", "the TBSCertificate's length has a leading zero", { bendTbs: paddedLength });
  refused("length-indefinite", "the outer length is indefinite", {
    bend: (der) => Buffer.concat([bytes("3080"), contents(der), bytes("0000")]),
  });
  refused("length-huge", "the outer length claims 4 GB", {
    bend: (der) => Buffer.concat([bytes("3084ffffffff"), contents(der)]),
  });
  refused("length-beyond", "the subject is longer than what holds it", {
    fields: { subject: bytes("3082ffff3000") },
  });
  refused("bits-empty", "the signature's BIT STRING has no octet at all", { bend: emptyBits });
  refused("bits-eight", "a BIT STRING with eight unused bits", { bend: (der) => withUnusedBits(der, 8) });
  refused("unused-bits", "the signature's BIT STRING has an unused bit", {
    bend: (der) => withUnusedBits(der, 1),
  });
  serialCases(refused);
  versionCases(refused);
  timeCases(refused);
  extensionCases(refused);
  m.bad(
    "malformed-issuer",
    "CERT_MALFORMED",
    "a byte after the intermediate",
    m.under(m.authority({ bend: (der) => Buffer.concat([der, bytes("00")]) })),
  );
}

type Refused = (id: string, description: string, differences: Differences) => void;

const paddedLength = (der: Buffer) => Buffer.concat([bytes("3083"), lengthOctets(der), contents(der)]);

function lengthOctets(der: Buffer): Buffer {
  const octets = Buffer.alloc(3);
  octets.writeUIntBE(contents(der).length, 0, 3);
  return octets;
}

/** The first octet of a BIT STRING counts its unused bits. */
function withUnusedBits(der: Buffer, unused: number): Buffer {
  const [tbs, algorithm, signature] = children(der);
  return sequence(tbs, algorithm, tlv(tag.bitString, Buffer.of(unused), contents(signature).subarray(1)));
}

function emptyBits(der: Buffer): Buffer {
  const [tbs, algorithm] = children(der);
  return sequence(tbs, algorithm, tlv(tag.bitString));
}

/** CertificateSerialNumber: section 4.1.2.2. */
function serialCases(refused: Refused): void {
  const serial = (hex: string): Differences => ({ fields: { serialNumber: tlv(tag.integer, bytes(hex)) } });
  refused("serial-empty", "a serial number of no octets", serial(""));
  refused("serial-padded", "a serial number with a needless leading zero", serial("0001"));
  refused("serial-padded-negative", "a serial number with a needless leading FF", serial("ff80"));
  refused("serial-long", "a serial number of 21 octets", serial(`01${"00".repeat(20)}`));
  refused("serial-longer", "a serial number of 22 octets", serial(`00${"ff".repeat(21)}`));
  refused("serial-long-negative", "a negative serial number of 21 octets", serial(`80${"00".repeat(20)}`));
}

/** Version: section 4.1.2.1. Extensions are of v3, unique identifiers of v2 and v3. */
function versionCases(refused: Refused): void {
  const version = (n: number) => explicit(0, integer(n));
  refused("v1-extensions", "extensions in version 1", { fields: { version: none } });
  refused("v2-extensions", "extensions in version 2", { fields: { version: version(1) } });
  refused("v1-explicit", "version 1, the default, spelt out", {
    fields: { version: version(0), extensions: none },
  });
  refused("v4", "version 4", { fields: { version: version(3) } });
}

/** Validity: section 4.1.2.5. */
function timeCases(refused: Refused): void {
  const from = (time: Buffer): Differences => ({
    fields: { validity: sequence(time, utc("491231235959Z")) },
  });
  refused("utc-no-seconds", "a UTCTime without seconds", from(utc("2501010000Z")));
  refused("utc-offset", "a UTCTime with an offset", from(utc("250101000000+0100")));
  refused("utc-no-zone", "a UTCTime without Z", from(utc("250101000000")));
  refused("utc-colon", "a UTCTime with a colon for 10", from(utc("250:01000000Z")));
  refused("utc-long", "a UTCTime with one more digit", from(utc("2501010000000Z")));
  refused("utc-trailing", "a UTCTime with a byte after it", from(utc("250101000000Z0")));
  refused("utc-month-13", "month 13", from(utc("251301000000Z")));
  refused("utc-month-0", "month 0", from(utc("250001000000Z")));
  refused("utc-day-0", "day 0", from(utc("250100000000Z")));
  refused("utc-february-30", "30 February", from(utc("250230000000Z")));
  refused("utc-february-29", "29 February of a common year", from(utc("250229000000Z")));
  refused("utc-hour-24", "hour 24", from(utc("250101240000Z")));
  refused("utc-minute-60", "minute 60", from(utc("250101006000Z")));
  refused("time-fraction", "a GeneralizedTime with a fraction", from(generalized("20250101000000.5Z")));
  refused("time-trailing", "a GeneralizedTime with a byte after it", from(generalized("20250101000000Z0")));
  refused("time-no-zone", "a GeneralizedTime in local time", from(generalized("20250101000000")));
  refused(
    "time-other-type",
    "a PrintableString for a time",
    from(tlv(tag.printableString, Buffer.from("250101000000Z"))),
  );
  refused("validity-one-time", "a validity of one time", {
    fields: { validity: sequence(utc("250101000000Z")) },
  });
  refused("validity-three-times", "a validity of three", {
    fields: { validity: sequence(utc("250101000000Z"), utc("491231235959Z"), utc("491231235959Z")) },
  });
}

const utc = (text: string) => tlv(tag.utcTime, Buffer.from(text));
const generalized = (text: string) => tlv(tag.generalizedTime, Buffer.from(text));

/** Extensions: sections 4.1.2.9 and 4.2. */
function extensionCases(refused: Refused): void {
  const constraints = (value: Buffer, critical = boolean(true)): Differences => ({
    extensions: { constraints: sequence(oid("2.5.29.19"), critical, octets(value)) },
  });
  refused("extension-twice", "basicConstraints stands twice", {
    extensions: { again: basicConstraints(false) },
  });
  refused("unknown-extension-twice", "an extension that nobody knows stands twice", {
    extensions: { one: unknown(1), two: unknown(2) },
  });
  refused("extensions-none", "an extensions field without extensions", {
    fields: { extensions: explicit(3, sequence()) },
  });
  refused("extension-trailing", "a byte after the value of basicConstraints", constraints(bytes("300000")));
  refused("extension-value-type", "basicConstraints is no SEQUENCE", constraints(nil));
  refused(
    "critical-false",
    "critical FALSE, the default, spelt out",
    constraints(sequence(), boolean(false)),
  );
  refused("critical-true-1", "TRUE as 01", constraints(sequence(), tlv(tag.boolean, bytes("01"))));
  refused("ca-true-1", "cA TRUE as 01", constraints(sequence(tlv(tag.boolean, bytes("01")))));
  refused("ca-2", "cA as 02", constraints(sequence(tlv(tag.boolean, bytes("02")))));
  refused("ca-false-long", "cA FALSE in two octets", constraints(sequence(tlv(tag.boolean, bytes("0000")))));
  refused(
    "path-length-negative",
    "a negative pathLen",
    constraints(sequence(boolean(true), bytes("0201ff"))),
  );
  refused("usage-empty", "a keyUsage of no bits", {
    extensions: { usage: sequence(oid("2.5.29.15"), boolean(true), octets(tlv(tag.bitString, bytes("00")))) },
  });
  refused("usage-padding", "keyUsage with set padding bits", {
    extensions: {
      usage: sequence(oid("2.5.29.15"), boolean(true), octets(tlv(tag.bitString, bytes("07ff")))),
    },
  });
  refused("purposes-none", "an extendedKeyUsage of no purposes", {
    extensions: { purposes: sequence(oid("2.5.29.37"), octets(sequence())) },
  });
  refused("oid-padded", "an OID with a padded arc", {
    extensions: { odd: sequence(tlv(tag.oid, bytes("2a80010203")), octets(nil)) },
  });
  refused("oid-unfinished", "an OID whose last arc goes on", {
    extensions: { odd: sequence(tlv(tag.oid, bytes("2a0381")), octets(nil)) },
  });
  refused("extensions-many", "two hundred extensions", { extensions: twoHundred() });
  refused("unique-id-after", "a unique identifier after the extensions", {
    bendTbs: (tbs) => sequence(contents(tbs), implicit(2, bytes("0001"))),
  });
}

/** No certificate needs so many, and each is compared with all before it. */
function twoHundred(): Record<string, Buffer> {
  const numbers = Array.from({ length: 200 }, (_, n) => n);
  return Object.fromEntries(
    numbers.map((n) => [`odd${n}`, sequence(oid(`1.3.6.1.4.1.99999.6.${n}`), octets(nil))]),
  );
}

const unknown = (n: number) => sequence(oid("1.3.6.1.4.1.99999.1"), octets(integer(n)));
