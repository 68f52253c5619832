/** Module `tlstaple/texts` of an application that does without: an error's message is the fault's name. */

export const words = undefined;
