/** fast-check with fewer runs: in XS, whose interpreter is slower, every property is to be tried, not proved. */

import fc from "fast-check";

export * from "fast-check";

const FRACTION = 20;

type Assert = typeof fc.assert;

const assert = ((property: Parameters<Assert>[0], parameters: Parameters<Assert>[1] = {}) => {
  const { numRuns = 100 } = parameters;
  return fc.assert(property, { ...parameters, numRuns: Math.ceil(numRuns / FRACTION) });
}) as Assert;

export default { ...fc, assert };
