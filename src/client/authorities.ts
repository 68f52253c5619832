import {
  type TrustedAuthority,
  writeCertificateAuthorities,
  writeTrustedCaKeys,
} from "../handshake/authorities.js";
import { readAuthorities } from "../handshake/certificates.js";
import { COLUMNS, extensionRows, inMessage } from "../handshake/extensionrow.js";
import { before } from "../wire/join.js";
import { extensionType, version } from "../wire/registry.js";
import type { Features } from "./feature.js";
import type { ClientHandshake } from "./handshake.js";

/** CAs that a client names to the server. */
export interface Announcement {
  /** In trusted_ca_keys of TLS 1.2, RFC 6066 section 6. */
  readonly trustedCaKeys: readonly TrustedAuthority[];
  /** In certificate_authorities of TLS 1.3, RFC 8446 4.2.4: by their names. */
  readonly certificateAuthorities: readonly TrustedAuthority[];
}

/** A client of these features that names CAs to the server, so that of several chains it shows one that ends in them. */
export function announcing(
  features: Features,
  { trustedCaKeys, certificateAuthorities }: Announcement,
): Features {
  const own = extensionRows<ClientHandshake>([
    {
      type: extensionType.trusted_ca_keys,
      where: inMessage.client_hello | inMessage.server_hello12,
      sends: (s) => trustedCaKeys.length > 0 && s.speaks(version.tls12),
      write: (_, w) => writeTrustedCaKeys(w, trustedCaKeys),
      // Empty: it says no more than that the chain was chosen so
    },
    {
      type: extensionType.certificate_authorities,
      where: inMessage.client_hello | inMessage.certificate_request,
      sends: (s, where) =>
        where === inMessage.client_hello && certificateAuthorities.length > 0 && s.speaks(version.tls13),
      write: (_, w) => writeCertificateAuthorities(w, certificateAuthorities),
      read: (_, r) => readAuthorities(r, 3),
    },
  ]);
  return Object.freeze(
    Object.assign({}, features, { extensions: before(COLUMNS, own, features.extensions) }),
  );
}
