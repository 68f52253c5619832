export { moreCurves, moreSigner } from "./curves.js";
export { hybrid, type MlKem768 } from "./mlkem.js";
export { type PortableOptions, portable } from "./provider.js";
export { signer } from "./signer.js";
