import type { SharedState } from "../handshake/states.js";

/** The states of a client. */
export type ClientState =
  | SharedState
  | "START"
  | "SEND_CLIENT_HELLO"
  | "SEND_NO_CERTIFICATE"
  | "WAIT_SERVER_HELLO"
  | "RETRY"
  // TLS 1.3
  | "WAIT_ENCRYPTED_EXTENSIONS"
  | "WAIT_CERTIFICATE_OR_REQUEST"
  | "AWAIT_STAPLES"
  // TLS 1.2
  | "WAIT_STATUS_OR_KEY_EXCHANGE"
  | "WAIT_STATUS"
  | "WAIT_STATUS_LIST"
  | "WAIT_STATUS_ENTRY"
  | "WAIT_KEY_EXCHANGE"
  | "VERIFY_KEY_EXCHANGE"
  | "WAIT_REQUEST_OR_DONE"
  | "WAIT_DONE"
  | "SEND_KEY_EXCHANGE"
  | "SEND_LAST_FINISHED";
