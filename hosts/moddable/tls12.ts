/** Module `tlstaple/tls12`: TLS 1.2. */

export { tls12 } from "../../src/client/index.js";
