import { nameConstraints } from "./constraints.js";
import { rsa } from "./rsa.js";
import { pkiTables } from "./tables.js";

/** The tables with all features. */
export const everything = pkiTables(Object.freeze([nameConstraints, rsa]));
