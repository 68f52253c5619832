import { type Demanded, findSuite, type Session } from "../../../src/client/index.js";
import { hashSize } from "../../../src/crypto/index.js";
import { requirements, staplings } from "../../../src/pki/index.js";
import { typeError } from "../common/errors.js";
import { type OcspVerdict, readVerdict } from "../ocsp/verdict.js";

/** A session, and the server's certificates and what was found out about them, which a resumption does not bring again. */
export interface SavedSession {
  readonly session: Session;
  /** DER, from the server's own certificate to the root. */
  readonly chain: readonly Buffer[];
  /** One for each certificate of the path, as `socket.ocsp` had them. */
  readonly verdicts: readonly OcspVerdict[];
}

/** Of another release's sessions nothing is known: those of format 2 do not tell what was found out. */
const FORMAT = 3;

/** The fields that are bytes, and those that are not, as JSON has them. */
type Encoded = Omit<Session, "secret" | "ticket" | "anchor" | "demanded"> & {
  format: number;
  secret: string;
  ticket: string;
  anchor?: string;
  demanded: Omit<Demanded, "responders"> & { responders: string };
  chain: string[];
  verdicts: OcspVerdict[];
};

/** A session as bytes that can be kept; they hold a secret. */
export function encodeSession({ session, chain, verdicts }: SavedSession): Buffer {
  const encoded: Encoded = {
    ...session,
    format: FORMAT,
    secret: base64(session.secret),
    ticket: base64(session.ticket),
    anchor: session.anchor && base64(session.anchor),
    demanded: { ...session.demanded, responders: base64(session.demanded.responders) },
    chain: chain.map(base64),
    verdicts: [...verdicts],
  };
  return Buffer.from(JSON.stringify(encoded));
}

/**
 * What `encodeSession` made; undefined for other bytes, such as another release's: then the handshake is a full one.
 * @throws TypeError whose `code` is `ERR_TLSTAPLE_OPTION_TYPE` for what is no bytes
 */
export function decodeSession(bytes: unknown): SavedSession | undefined {
  if (!(bytes instanceof Uint8Array)) throw typeError("session", "a Buffer");
  try {
    const { format, chain, verdicts, ...encoded } = JSON.parse(
      Buffer.from(bytes).toString("utf8"),
    ) as Encoded;
    const session = {
      ...encoded,
      secret: unbase64(encoded.secret),
      ticket: unbase64(encoded.ticket),
      anchor: encoded.anchor === undefined ? undefined : unbase64(encoded.anchor),
      demanded: { ...encoded.demanded, responders: unbase64(encoded.demanded.responders) },
    };
    const found = verdicts.map(readVerdict).filter((verdict) => verdict !== undefined);
    if (format === FORMAT && isSession(session) && found.length === verdicts.length)
      return { session, chain: chain.map(unbase64), verdicts: found };
  } catch {}
  return undefined;
}

function isSession(session: Session): boolean {
  const { version, suite, ageAdd, receivedAt, until, verifiedAt, serverName, policy, mustStaple } = session;
  const numbers = [version, suite, ageAdd, receivedAt, until, verifiedAt].every(Number.isFinite);
  const named = serverName === undefined || typeof serverName === "string";
  const judged = requirements.includes(policy) && typeof mustStaple === "boolean";
  return numbers && named && judged && isDemanded(session.demanded) && findSuite(suite)?.version === version;
}

function isDemanded({ stapling, skew, allowMissingNextUpdate, responders }: Demanded): boolean {
  const asked = staplings.includes(stapling) && responders.length % hashSize.sha256 === 0;
  return asked && Number.isFinite(skew) && typeof allowMissingNextUpdate === "boolean";
}

/** Not of a copy, which would keep a secret. */
function base64({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("base64");
}

function unbase64(text: string): Buffer {
  return Buffer.from(text, "base64");
}
