import type { Provider } from "../crypto/provider.js";
import type { ExtensionRows, ExtensionTable } from "../handshake/extensionrow.js";
import type { PkiTables } from "../pki/certificate.js";
import type { MachineRows, MachineTable } from "../record/row.js";
import type { Reader } from "../wire/reader.js";
import type { Session } from "./session.js";

/** What a client can do without: rows for its tables. */
export interface Feature {
  readonly extensions?: ExtensionRows<never>;
  readonly rowsHello?: MachineRows<never>;
  readonly rows12?: MachineRows<never>;
  readonly rows13?: MachineRows<never>;
}

/** A feature that those do not reach alone. What is called is apart from the rows, of which a device keeps the tables only. */
export interface Called<Calls> extends Feature {
  readonly calls: Calls;
}

/** Goes on from a ServerHello that chose TLS 1.2; `echoed`: it repeats our session id. */
export type Answer12<S, State> = (s: S, r: Reader, echoed: boolean) => State;

export interface Tls12 {
  readonly answer12: Answer12<never, string>;
}

/** A feature that begins with the connection. */
export interface Beginning {
  readonly begin: (s: never) => void;
}

/** Resumption, and its sessions as bytes that can be kept: see `encodeSession` and `decodeSession`. */
export interface Resumption extends Beginning {
  readonly encode: (provider: Provider, session: Session) => Uint8Array;
  readonly decode: (provider: Provider, bytes: Uint8Array) => Session | undefined;
}

/** A client's features, put together: the tables that its connections work by, and what they call. */
export interface Features {
  readonly tls12: Tls12 | undefined;
  readonly statusV2: boolean;
  readonly clientCertificates: Beginning | undefined;
  readonly resumption: Resumption | undefined;
  readonly pki: PkiTables;
  readonly extensions: ExtensionTable;
  readonly tableHello: MachineTable;
  readonly table12: MachineTable;
  readonly table13: MachineTable;
}
