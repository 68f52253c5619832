import { testInXs } from "./suite.js";

// What the layers below the client are tested with in Node, in XS.

await testInXs(
  ["wire", "crypto", "record"],
  [{ file: "apart", reason: "PSA Crypto works in place, and makes nothing apart" }],
);
