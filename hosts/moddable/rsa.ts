/** Module `tlstaple/rsa`: RSA keys and signatures of servers, CAs and responders. */

export { rsa } from "../../src/client/index.js";
