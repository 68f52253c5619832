import { nameConstraints } from "./constraints.js";
import { withCrlExtensions } from "./crl.js";
import { rsa } from "./rsa.js";
import { pkiTables } from "./tables.js";

/** The tables with all features. */
export const everything = withCrlExtensions(pkiTables(Object.freeze([nameConstraints, rsa])));
