/** Module `ssl/cert` in the place of the SDK's: what is registered with it our sockets trust. */

import type { ByteBuffer } from "./platform.js";
import { registered } from "./tls.js";

export default class CertificateManager {
  /** The SDK's own TLS makes these, which needs the SDK's own module. */
  constructor() {
    throw new Error("ssl/cert: the SDK's TLS can't run over tlstaple's CertificateManager");
  }

  /**
   * Trusts a CA, in DER or PEM, for all sockets that are given no `certificate`, beside those among the resources.
   * @throws TypeError for what holds no bytes
   */
  static register(certificate: ByteBuffer): void {
    registered.add(certificate);
  }
}
