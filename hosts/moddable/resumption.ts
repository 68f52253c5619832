/** Module `tlstaple/resumption`: sessions that are resumed, and kept as bytes. */

export { resumption } from "../../src/client/index.js";
