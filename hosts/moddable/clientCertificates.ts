/** Module `tlstaple/clientCertificates`: certificates of the device's own, and their keys. */

export { clientCertificates } from "../../src/client/index.js";
export { readIdentity } from "./identity.js";
