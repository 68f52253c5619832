import { about } from "../../hosts/xs/driver/machine.js";

const built = about();

/** Why nothing can run in XS here; undefined when it can. */
export const obstacle = built ? undefined : "there is no XS host: sh hosts/xs/build.sh";

/** Why nothing can that needs PSA Crypto. */
export const psaObstacle = obstacle ?? (built?.psa ? undefined : "the XS host is built without PSA Crypto");
