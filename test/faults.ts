import { type Fault, faultName, isFault } from "../src/wire/fault.js";

/** The fault that `run` throws; undefined when it throws nothing. Anything else that is thrown goes on. */
export function fault(run: () => unknown): Fault | undefined {
  try {
    run();
  } catch (thrown) {
    if (isFault(thrown)) return thrown;
    throw thrown;
  }
  return undefined;
}

/** The name of a fault, if there is one. */
export function named(fault: Fault | undefined): string | undefined {
  return fault && faultName(fault);
}
