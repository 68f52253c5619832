/** Module `tlstaple/core`: what the other modules share, which the build exports for them. Applications get types of it. */

export type * from "../../src/client/index.js";
