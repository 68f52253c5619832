import { nameConstraints } from "./constraints.js";
import { withDistributionPoints } from "./crl.js";
import { rsa } from "./rsa.js";
import { pkiTables } from "./tables.js";

/** The tables with all features. */
export const everything = withDistributionPoints(pkiTables(Object.freeze([nameConstraints, rsa])));
