/** The little of node-forge that the benchmark uses; the package has no types of its own. */
declare module "node-forge" {
  interface Buffer {
    getBytes(): string;
    length(): number;
  }

  interface Certificate {
    getExtension(name: "subjectAltName"): { altNames: { type: number; value: string }[] } | null;
  }

  interface Connection {
    readonly tlsData: Buffer;
    readonly data: Buffer;
    handshake(): void;
    /** Binary text: one character for each byte. */
    process(data: string): number;
    prepare(data: string): boolean;
  }

  interface ConnectionOptions {
    server: false;
    caStore: string[];
    virtualHost: string;
    cipherSuites: object[];
    verify(connection: Connection, verified: unknown, depth: number, chain: Certificate[]): unknown;
    connected(connection: Connection): void;
    tlsDataReady(connection: Connection): void;
    dataReady(connection: Connection): void;
    closed(connection: Connection): void;
    error(connection: Connection, error: { message: string }): void;
  }

  const forge: {
    tls: {
      CipherSuites: Record<"TLS_RSA_WITH_AES_128_CBC_SHA", object>;
      createConnection(options: ConnectionOptions): Connection;
    };
  };
  export default forge;
}
