/** The states that both roles go through; each role has more of its own. */
export type SharedState =
  | "AGREE"
  | "EXCHANGE"
  | "WAIT_CERTIFICATE"
  | "WAIT_CERTIFICATE_ENTRY"
  | "AUTHENTICATE"
  | "WAIT_CERTIFICATE_VERIFY"
  | "VERIFY"
  | "SEND_CERTIFICATE"
  | "SEND_CERTIFICATE_VERIFY"
  | "SEND_FINISHED"
  | "WAIT_CHANGE_CIPHER_SPEC"
  | "WAIT_FINISHED"
  | "DERIVE_APPLICATION_KEYS"
  | "CONNECTED"
  | "SEND_KEY_UPDATE";
