/** What the standards of charging electric vehicles ask of TLS: docs/ev-charging.md has their requirements. */

import type { PeerCertificate } from "node:tls";
import type { Identity } from "../../../src/crypto/index.js";
import type { OcspRequirement, Stapling } from "../../../src/pki/index.js";
import { cipherSuite, namedGroup, signatureScheme, version } from "../../../src/wire/index.js";
import { valueError } from "./errors.js";
import { groupName, type Read } from "./read.js";

export type ProfileName = "iso15118-2" | "iso15118-20";

/** One of them. */
export interface Profile {
  readonly name: ProfileName;
  readonly version: number;
  readonly suites: readonly number[];
  readonly groups: readonly number[];
  readonly schemes: readonly number[];
  /** How a vehicle asks for staples, and of which certificates it needs one unless its application says otherwise. */
  readonly stapling: Stapling;
  readonly policy: OcspRequirement;
  /** Whether the vehicle shows a certificate too. */
  readonly mutual: boolean;
  /** What the domainComponent of a charger's certificate says: it has no name of a host. */
  readonly charger: string;
}

const c = cipherSuite;
const g = namedGroup;
const s = signatureScheme;

const profiles: readonly Profile[] = Object.freeze<Profile[]>([
  {
    name: "iso15118-2",
    version: version.tls12,
    suites: [
      c.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
      c.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
      c.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ],
    groups: [g.secp256r1],
    schemes: [s.ecdsa_secp256r1_sha256],
    stapling: "v2-multi",
    policy: "chain",
    mutual: false,
    charger: "CPO",
  },
  {
    name: "iso15118-20",
    version: version.tls13,
    suites: [c.TLS_AES_256_GCM_SHA384, c.TLS_CHACHA20_POLY1305_SHA256],
    groups: [g.secp521r1, g.x448],
    schemes: [s.ecdsa_secp521r1_sha512, s.ed448],
    stapling: "v1",
    policy: "chain",
    mutual: true,
    charger: "CSO",
  },
]);

/** By its name. */
export const readProfile: Read<Profile> = (value, name) => {
  const found = profiles.find((profile) => profile.name === value);
  if (found) return found;
  throw valueError(name, `${String(value)} is none of ${profiles.map((each) => each.name).join(", ")}`);
};

/** What both sides may have been given that a profile settles. */
export interface Settled {
  readonly minVersion?: number | undefined;
  readonly maxVersion?: number | undefined;
  readonly groups?: readonly number[] | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
}

/**
 * What a profile sets on both sides. What is given beside it must be within the standard.
 * @throws RangeError that names what is not
 */
export function commonOf(profile: Profile, { minVersion, maxVersion, groups, rejectUnauthorized }: Settled) {
  for (const [name, given] of Object.entries({ minVersion, maxVersion }))
    if (given !== undefined && given !== profile.version)
      throw contradiction(profile, name, `it is TLS 1.${profile.version - 0x301}`);
  const foreign = groups?.find((group) => !profile.groups.includes(group));
  if (foreign !== undefined)
    throw contradiction(profile, "groups", `it has ${profile.groups.map(groupName).join(" and ")}`);
  if (rejectUnauthorized === false)
    throw contradiction(profile, "rejectUnauthorized", "whoever shows a certificate is verified");
  return {
    minVersion: profile.version,
    maxVersion: profile.version,
    suites: profile.suites,
    groups: groups ?? profile.groups,
    schemes: profile.schemes,
  };
}

/** An option that the standard rules out. */
export function contradiction(profile: Profile, option: string, what: string): RangeError {
  return valueError(option, `profile ${profile.name}: ${what}`);
}

/** @throws RangeError for a key that signs nothing which the standard has */
export function checkKey(profile: Profile, { signer }: Identity): void {
  if (signer.schemes.some((id) => profile.schemes.includes(id))) return;
  const kinds = profile.mutual ? "on P-521, or of Ed448" : "on P-256";
  throw contradiction(profile, "key", `certificates have keys ${kinds}`);
}

/** Whether a certificate is a charger's: any may answer, but nobody else. Its path to a V2G root is verified before. */
export function isCharger({ charger }: Profile, { subject }: PeerCertificate): boolean {
  return [(subject as { DC?: string | string[] }).DC].flat().includes(charger);
}
