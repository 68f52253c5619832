/** Module `tlstaple/resumption`: sessions to resume. The socket has no use for it; a `BareClient` may. */

export { resumption } from "../../src/client/index.js";
