/** Module `tlstaple/texts`: what messages say of faults, and wolfSSL's errors. An application may do without. */

import { alertName, commonName, listedError, textOf, type Words } from "../../src/wire/index.js";

/** The name comes first: it is what to look up, and some clients pass on nothing but the message. */
export const words = Object.freeze<Words>({
  message: (fault, detail) => `${commonName(fault)}: ${textOf(fault)}${detail > 0 ? ` (${detail})` : ""}`,
  wolfssl: listedError,
  alertName,
  advice: () => "",
});
