/** One connection to be replayed in XS: what its server sent, and the client that it was recorded with. */
export interface Job {
  /** What the server sends until the client is connected, in base64. */
  readonly handshake: string;
  /** And after that: records of application data, in base64. */
  readonly data: readonly string[];
  /** Trust anchors in DER, in base64. */
  readonly trust: readonly string[];
  readonly serverName: string;
  readonly clock: number;
  readonly version: number;
  readonly policy: "leaf" | "chain";
  readonly maxFragmentLength?: number;
  readonly recordSizeLimit?: number;
  /** What both providers, the recording's and the device's, can do: the ClientHello must be the same. */
  readonly suites: readonly number[];
  readonly groups: readonly number[];
  readonly schemes: readonly number[];
  readonly maxCertificates: number;
  readonly buffers: { readonly input: number; readonly output: number; readonly store: number };
  /** Bytes that the client sends, so many times. */
  readonly send: { readonly size: number; readonly times: number };
}
