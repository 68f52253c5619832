export { type PortableOptions, portable } from "./provider.js";
export { signer } from "./signer.js";
