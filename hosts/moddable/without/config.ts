/** Module `tlstaple/config` of an application that does without: what a socket is not given has our defaults. */

export const withDefaults = undefined;
