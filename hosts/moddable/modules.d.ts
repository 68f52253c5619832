/// <reference path="../../node_modules/@moddable/typings/timer.d.ts" />
/// <reference path="../../node_modules/@moddable/typings/Resource.d.ts" />

/** The modules that the manifest maps, and what the SDK has and its typings in npm lack. */

declare module "tlstaple/provider" {
  export const provider: import("../../src/crypto/index.js").Provider;
  export const signer: import("./platform.js").Platform["signer"];
}

declare module "tlstaple/tls12" {
  export const tls12: import("../../src/client/index.js").Parts["tls12"];
}

declare module "tlstaple/statusV2" {
  export const statusV2: import("../../src/client/index.js").Parts["statusV2"];
}

declare module "tlstaple/clientCertificates" {
  export const clientCertificates: import("../../src/client/index.js").Parts["clientCertificates"];
  export const readIdentity: import("./platform.js").Platform["readIdentity"];
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

declare module "tlstaple/config" {
  export const withDefaults: import("./platform.js").Platform["withDefaults"];
}

declare module "tlstaple/caIndex" {
  export const caIndex: import("./platform.js").Platform["caIndex"];
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

declare module "modules" {
  /** The SDK's: what a module exports by default, which is loaded if it was not. */
  const modules: { importNow<T>(name: string): T };
  export default modules;
}

declare module "mc/config" {
  const config: { readonly tls?: import("./options.js").SecureOptions };
  export default config;
}

declare module "tlstaple/string" {
  export default function string(this: void, bytes: Uint8Array, start: number, end: number): string;
}

declare module "embedded:io/socket/tcp" {
  const TCP: import("./platform.js").TcpConstructor;
  export default TCP;
}

interface ArrayBufferConstructor {
  fromString(text: string): ArrayBuffer;
}

declare function trace(...text: unknown[]): void;

/** A buffer that is not JavaScript's: a resource in flash. */
declare class HostBuffer {
  readonly byteLength: number;
}
