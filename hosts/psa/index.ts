export type { PrivateKey, PrivateKeyKind, PsaNative } from "./native.js";
export { type PsaOptions, psa } from "./provider.js";
export { type PsaSigner, signer } from "./signer.js";
