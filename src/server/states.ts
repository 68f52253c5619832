import type { SharedState } from "../handshake/states.js";

/** The states of a server. */
export type ServerState =
  | SharedState
  | "WAIT_CLIENT_HELLO"
  | "SEND_HELLO_RETRY_REQUEST"
  | "WAIT_SECOND_CLIENT_HELLO"
  | "SELECT"
  | "AWAIT_SELECTION"
  | "ANSWER"
  | "SEND_SERVER_HELLO"
  | "SEND_CERTIFICATE_REQUEST"
  | "AWAIT_APPROVAL"
  | "COMPLETE"
  | "SEND_TICKET"
  // TLS 1.3
  | "DERIVE_HANDSHAKE_KEYS"
  | "SEND_ENCRYPTED_EXTENSIONS"
  // TLS 1.2
  | "SEND_CERTIFICATE_STATUS"
  | "SEND_KEY_EXCHANGE"
  | "SEND_DONE"
  | "WAIT_KEY_EXCHANGE"
  | "RESUME";
