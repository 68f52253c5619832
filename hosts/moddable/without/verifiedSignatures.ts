/** Module `tlstaple/verifiedSignatures` of an application that does without: every signature is verified. */

export const remember = undefined;
