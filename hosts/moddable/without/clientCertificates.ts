/** Module `tlstaple/clientCertificates` of an application that does without: a server that asks for one gets an empty list. */

export const clientCertificates = undefined;
export const readIdentity = undefined;
