/** Module `tlstaple/tls12` of an application that does without: a server that speaks no TLS 1.3 is refused. */

export const tls12 = undefined;
