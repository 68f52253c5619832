/** Module `tlstaple/nameConstraints`: CAs whose names are constrained. */

export { nameConstraints } from "../../src/client/index.js";
