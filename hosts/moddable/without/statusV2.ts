/** Module `tlstaple/statusV2` of an application that does without: servers are asked for staples by status_request alone. */

export const statusV2 = undefined;
