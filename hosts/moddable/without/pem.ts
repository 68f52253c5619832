/** Module `tlstaple/pem` of an application that does without: certificates and keys are DER. */

export const readPem = undefined;
