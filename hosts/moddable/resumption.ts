/** Module `tlstaple/resumption`: sessions that are resumed, and kept from one connection to the next. */

import { RamCache } from "./cache.js";

export { resumption } from "../../src/client/index.js";
export { Keeper } from "./cache.js";

/** Where they are kept, unless an application keeps them. */
export const cache = new RamCache();
