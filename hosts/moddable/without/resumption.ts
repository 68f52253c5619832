/** Module `tlstaple/resumption` of an application that does without: every connection is a full handshake. */

export const resumption = undefined;
export const Keeper = undefined;
export const cache = undefined;
