import type { Provider } from "../crypto/provider.js";
import type { ExtensionRow } from "../handshake/extensionrow.js";
import type { PkiTables } from "../pki/certificate.js";
import type { AnyRow } from "../record/engine.js";
import type { Reader } from "../wire/reader.js";
import type { Session } from "./session.js";

/** What a client can do without: rows for its tables, and what those do not reach. */
export interface Feature {
  readonly name: "tls12" | "statusV2" | "clientCertificates" | "resumption";
  readonly extensions?: readonly ExtensionRow<never>[];
  readonly rowsHello?: readonly AnyRow[];
  readonly rows12?: readonly AnyRow[];
  readonly rows13?: readonly AnyRow[];
}

/** Goes on from a ServerHello that chose TLS 1.2; `echoed`: it repeats our session id. */
export type Answer12<S, State> = (s: S, r: Reader, echoed: boolean) => State;

export interface Tls12 extends Feature {
  readonly answer12: Answer12<never, string>;
}

/** A feature that begins with the connection. */
export interface Beginning extends Feature {
  readonly begin: (s: never) => void;
}

/** Resumption, and its sessions as bytes that can be kept: see `encodeSession` and `decodeSession`. */
export interface Resumption extends Beginning {
  readonly encode: (provider: Provider, session: Session) => Uint8Array;
  readonly decode: (provider: Provider, bytes: Uint8Array) => Session | undefined;
}

/** A client's features, put together: the tables that its connections work by. */
export interface Features {
  readonly tls12: Tls12 | undefined;
  readonly statusV2: Feature | undefined;
  readonly clientCertificates: Beginning | undefined;
  readonly resumption: Resumption | undefined;
  readonly pki: PkiTables;
  readonly extensions: readonly ExtensionRow<never>[];
  readonly rowsHello: readonly AnyRow[];
  readonly rows12: readonly AnyRow[];
  readonly rows13: readonly AnyRow[];
}
