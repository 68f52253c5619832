/** Module `tlstaple/caIndex` of an application that does without: all CAs that it has are read for each connection. */

export const caIndex = undefined;
