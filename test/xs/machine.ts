import { about } from "../../hosts/xs/driver/machine.js";

const built = about();

/** Why nothing can run in XS here; undefined when it can. */
export const obstacle = built ? undefined : "there is no XS host: sh hosts/xs/build.sh";

/** Why nothing can that needs PSA Crypto. */
export const psaObstacle = obstacle ?? (built?.psa ? undefined : "the XS host is built without PSA Crypto");

/** Why nothing can run on RV32. */
export const rv32Obstacle = about("rv32")
  ? undefined
  : "there is no XS host for RV32: sh hosts/xs/build-rv32.sh says why";
