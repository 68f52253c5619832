/** Module `tlstaple/statusV2`: staples by status_request_v2, which is TLS 1.2's. */

export { statusV2 } from "../../src/client/index.js";
