import { faults, TlsError } from "../../src/wire/index.js";
import type { Platform } from "./platform.js";

/** Calls the application's; what that throws is told, and does a connection no harm. */
export function attempt<T>(platform: Platform, run: () => T): T | undefined {
  try {
    return run();
  } catch (thrown) {
    platform.report?.(new TlsError(faults.CALLBACK_FAILED, 0, thrown, platform.words));
    return undefined;
  }
}
