import { type ClientConfig, type ClientOptions, configure } from "../../../src/client/index.js";
import { findScheme } from "../../../src/crypto/index.js";
import { isV2 } from "../../../src/pki/index.js";
import {
  alert,
  contentType,
  extensionType,
  handshakeType,
  Reader,
  version,
} from "../../../src/wire/index.js";
import { type Advise, advice } from "../common/errors.js";
import { groupName } from "../common/read.js";
import { readServerHello } from "../trace/server-hello.js";

const messageType = (type: number) => (contentType.handshake << 8) | type;
const SERVER_HELLO = messageType(handshakeType.server_hello);
const CERTIFICATE_REQUEST = messageType(handshakeType.certificate_request);
/** HandshakeType and length, in front of each message. */
const HEADER = 4;

/** What a client offered, and how far its handshake came: with that, advice on a fault names the likely cause. */
export class Hindsight {
  private readonly core: ClientOptions;
  private readonly stapling: boolean;
  /** The server has answered with a ServerHello, so something was in common. */
  private answered = false;
  /** The server asked for a client certificate. */
  private asked = false;
  /** The group that the server's HelloRetryRequest asked for. */
  private retryGroup: number | undefined;

  /** `stapling`: whether there are staples for the client's own certificate. */
  constructor(core: ClientOptions, stapling = false) {
    this.core = core;
    this.stapling = stapling;
  }

  /** To be called as `onMessage`. */
  readonly record: NonNullable<ClientOptions["onMessage"]> = (sent, type, bytes, start, end) => {
    if (sent) return;
    if (type === CERTIFICATE_REQUEST) this.asked = true;
    if (type === SERVER_HELLO) this.recordHello(bytes.slice(start + HEADER, end));
  };

  /** What to do about a fault; `detail` is that of `TlsError`. */
  readonly advise: Advise = (code, detail) => {
    if (code === "PEER_ALERT") return this.onAlert(detail) ?? advice.PEER_ALERT;
    if (code === "OCSP_STAPLE_MISSING" && this.retryGroup !== undefined) return onRetry(this.retryGroup);
    return advice[code];
  };

  private recordHello(bytes: Uint8Array): void {
    try {
      const { extensions, retry } = readServerHello(new Reader(bytes));
      const share = extensions.find(({ type }) => type === extensionType.key_share);
      if (!retry) this.answered = true;
      else if (share?.data.length === 2) this.retryGroup = share.data.readUInt16BE();
    } catch {
      // What is malformed is the core's to say
    }
  }

  private onAlert(number: number): string | undefined {
    const config = configure(this.core);
    const { alpn, identity, sni } = config;
    switch (number) {
      case alert.handshake_failure:
        if (this.asked) return clientCertificate(identity !== undefined);
        return this.answered ? undefined : nothingInCommon(config);
      case alert.insufficient_security:
        return nothingInCommon(config);
      case alert.protocol_version:
        return otherVersion(config);
      case alert.unrecognized_name:
        return sni ? `The server does not know the name ${sni}: give another as servername (-S).` : unnamed;
      case alert.no_application_protocol:
        return `The server speaks none of ${alpn.join(", ")}: offer others as ALPNProtocols (-L).`;
      case alert.certificate_required:
        return clientCertificate(identity !== undefined);
      case alert.bad_certificate_status_response:
        return identity && ownStaple(this.stapling, config);
      case alert.internal_error:
        return "The server failed for a reason of its own: its log says why.";
    }
    if (
      number >= alert.bad_certificate &&
      number <= alert.access_denied &&
      number !== alert.illegal_parameter
    )
      return clientCertificate(identity !== undefined);
    return garbled.includes(number) && !this.answered ? plainerHello(config) : undefined;
  }
}

/** What servers say of a ClientHello that they don't understand. */
const garbled: readonly number[] = [
  alert.unexpected_message,
  alert.illegal_parameter,
  alert.decode_error,
  alert.missing_extension,
  alert.unsupported_extension,
];

const unnamed = "The server needs a name, and for an address none is sent: give servername (-S).";

function onRetry(group: number): string {
  const name = groupName(group);
  return `Turn OCSP stapling on at the server. If it is on: after a HelloRetryRequest, as it sent for ${name}, some (Node's own) staple nothing; put ${name} first in groups (--groups).`;
}

function clientCertificate(given: boolean): string {
  return given
    ? "The server refuses the client's certificate: it must be valid, for clients, and from a CA that the server trusts."
    : "The server wants a client certificate: give cert and key (-c, -k).";
}

function ownStaple(given: boolean, { maxVersion }: ClientConfig): string {
  if (maxVersion < version.tls13)
    return "The server wants a staple for the client's certificate: allow TLS 1.3, as only that has it.";
  return given
    ? "The server refuses the staple for the client's certificate, or got none: the event stapleError says why."
    : "The server wants a staple for the client's certificate: give clientStaple (--client-staple).";
}

function otherVersion({ minVersion, maxVersion }: ClientConfig): string {
  if (minVersion > version.tls12)
    return "The server does not speak TLS 1.3: allow TLS 1.2 (minVersion, -v 3).";
  if (maxVersion < version.tls13)
    return "The server does not speak TLS 1.2: allow TLS 1.3 (maxVersion, -v 4).";
  return "The server speaks neither TLS 1.2 nor TLS 1.3: update it.";
}

const keyNames = Object.freeze({
  p256: "P-256",
  p384: "P-384",
  p521: "P-521",
  rsa: "RSA",
  ed25519: "Ed25519",
  ed448: "Ed448",
});

/** Kinds of keys that the server's certificate may have; TLS 1.2 takes only curves that were offered (RFC 8422 5.3). */
function keysOffered({ groups, maxVersion, schemes }: ClientConfig): string[] {
  const offered = groups.map(groupName);
  const names = [...new Set(schemes.map((id) => keyNames[findScheme(id)!.key]))];
  return names.filter(
    (name) => maxVersion > version.tls12 || !name.startsWith("P-") || offered.includes(name),
  );
}

/** All that was offered, and what may be offered more. */
function nothingInCommon(config: ClientConfig): string {
  const { groups, maxVersion, minVersion, provider, sni } = config;
  const versions = minVersion === maxVersion ? `TLS 1.${minVersion - 0x301}` : "TLS 1.2 and 1.3";
  const offered = [
    versions,
    "suites of ECDHE with AES-GCM or ChaCha20-Poly1305 (no CBC, no RSA key exchange)",
    groups.map(groupName).join(", "),
    `certificates for keys of ${keysOffered(config).join(", ")}`,
  ];
  const wider = [
    ...(minVersion === maxVersion ? ["minVersion and maxVersion (-v)"] : []),
    ...(groups.length < provider.groups.length ? ["groups (--groups)"] : []),
  ];
  const more = wider.length > 0 ? ` Offer more with ${wider.join(" or ")}.` : "";
  return `The server takes none of what was offered: ${offered.join("; ")}.${more}${sni ? "" : ` Or: ${unnamed}`}`;
}

/** Extensions that were asked for and that many servers lack, or else the larger ClientHello of TLS 1.3. */
function plainerHello({
  maxFragmentLength,
  maxVersion,
  minVersion,
  ocsp,
  recordSizeLimit,
}: ClientConfig): string | undefined {
  const unusual = [
    ...(maxFragmentLength === undefined ? [] : ["maxFragmentLength (-F)"]),
    ...(recordSizeLimit === undefined ? [] : ["recordSizeLimit (-F)"]),
    ...(isV2(ocsp.stapling) ? ['ocsp.stapling "v2" (-W 2, -W 3)'] : []),
  ];
  const understood = "The server does not understand the ClientHello: try ";
  if (unusual.length > 0) return `${understood}without ${unusual.join(" and ")}.`;
  return minVersion < maxVersion ? `${understood}TLS 1.2 alone (maxVersion, -v 3).` : undefined;
}
