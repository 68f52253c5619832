import type { TlsError } from "../../src/wire/index.js";

/** What is traced of a failed connection: the message, and what was thrown where that is the reason. */
export function tell({ message, cause }: TlsError): string {
  const text = `tlstaple: ${message}\n`;
  return cause === undefined ? text : `${text}  cause: ${describe(cause)}\n`;
}

/** Whatever was thrown, nothing is thrown here. */
function describe(cause: unknown): string {
  try {
    // Which begins with name and message
    return `${Object(cause).stack ?? cause}`;
  } catch {
    return "something that is no text";
  }
}
