import { testInXs } from "./suite.js";

// What src/pki is tested with in Node, in XS; Node's crypto makes the certificates.

const reason = "thousands of verdicts are too slow in XS, and the same in Node";
const ed448 = "PSA Crypto has no Ed448: CERT_SIGNATURE_ALGORITHM";

await testInXs(
  ["pki"],
  [
    { file: "certificate.fuzz", titles: "^chain [23]: ", reason },
    { file: "certificate.fuzz", titles: "small elements", reason: "it spreads more than XS's stack holds" },
    { file: "matrix", titles: "^chain issuer-ed448:", reason: ed448 },
    { file: "path", titles: "^good: issuer-ed448,", reason: ed448 },
    { file: "crl", titles: "^a million entries", reason: "XS has no room for its 49 MB" },
    { file: "crl.fuzz", titles: "no byte can|no two bytes|cannot end early", reason },
    { file: "ocsp.fuzz", titles: "no byte can|no two bytes|of what came along", reason },
  ],
);
