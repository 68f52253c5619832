/** Module `tlstaple/clientCertificates`: certificates of the device's own. */

export { clientCertificates } from "../../src/client/index.js";
