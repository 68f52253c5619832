/** Module `tlstaple/caIndex`: CAs as the SDK finds them among many. An application may do without. */

export { caIndex } from "./ski.js";
