/** Module `tlstaple/nameConstraints` of an application that does without: a certificate that demands them is refused. */

export const nameConstraints = undefined;
