/// <reference path="../../node_modules/@moddable/typings/timer.d.ts" />
/// <reference path="../../node_modules/@moddable/typings/Resource.d.ts" />

/** The modules that the manifest maps, and what the SDK has and its typings in npm lack. */

declare module "tlstaple/provider" {
  export const provider: import("../../src/crypto/index.js").Provider;
  export function signer(der: Uint8Array): import("../../src/crypto/index.js").Signer & { dispose?(): void };
}

declare module "tlstaple/tls12" {
  export const tls12: import("../../src/client/index.js").Parts["tls12"];
}

declare module "tlstaple/statusV2" {
  export const statusV2: import("../../src/client/index.js").Parts["statusV2"];
}

declare module "tlstaple/clientCertificates" {
  export const clientCertificates: import("../../src/client/index.js").Parts["clientCertificates"];
}

declare module "tlstaple/resumption" {
  export const resumption: import("../../src/client/index.js").Parts["resumption"];
  export const Keeper: import("./platform.js").Platform["Keeper"];
  export const cache: import("./platform.js").Platform["cache"];
}

declare module "tlstaple/verifiedSignatures" {
  export const remember: import("./platform.js").Platform["remember"];
}

declare module "tlstaple/nameConstraints" {
  export const nameConstraints: import("../../src/client/index.js").Parts["nameConstraints"];
}

declare module "tlstaple/rsa" {
  export const rsa: import("../../src/client/index.js").Parts["rsa"];
}

declare module "tlstaple/pem" {
  export const readPem: import("./platform.js").ReadPem | undefined;
}

declare module "tlstaple/texts" {
  export const words: import("../../src/wire/index.js").Words | undefined;
}

declare module "tlstaple/psa" {
  const native: import("../psa/native.js").PsaNative;
  export default native;
}

declare module "tlstaple/entropy" {
  export default function fill(this: void, bytes: Uint8Array, start: number, end: number): void;
}

declare function trace(...text: unknown[]): void;

/** A buffer that is not JavaScript's: a resource in flash. */
declare class HostBuffer {
  readonly byteLength: number;
}
