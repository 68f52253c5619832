import { testInXs } from "./suite.js";

// The contract of the Moddable socket, in the engine that it is for.

await testInXs(
  ["hosts/moddable"],
  [
    { file: "memory", reason: "it measures V8's heap" },
    { file: "package", reason: "it reads files of the package" },
    { file: "privatekey", reason: "it runs openssl" },
    { file: "shipped", reason: "it reads files of the package" },
    { file: "types", reason: "it runs tsc" },
  ],
);
