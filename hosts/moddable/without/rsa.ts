/** Module `tlstaple/rsa` of an application that does without: servers are told so, and a certificate that has or needs RSA is refused. */

export const rsa = undefined;
