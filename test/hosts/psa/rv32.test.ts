import { rv32Obstacle } from "../../xs/machine.js";

// PSA Crypto's natives on RV32: the tests of provider.test.ts over the host for it.

process.env.XS_TARGET = "rv32";
if (rv32Obstacle) console.log(`skipped on RV32: ${rv32Obstacle}`);
await import("./provider.test.js");
