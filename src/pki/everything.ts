import { nameConstraints } from "./constraints.js";
import { withCrlExtensions } from "./crl.js";
import { ed448 } from "./ed448.js";
import { withP521 } from "./p521.js";
import { rsa } from "./rsa.js";
import { pkiTables } from "./tables.js";

/** The tables with all features. */
export const everything = withP521(
  withCrlExtensions(pkiTables(Object.freeze([nameConstraints, rsa, ed448]))),
);
