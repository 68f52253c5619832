/** The messages that the server writes extensions in (RFC 8446 4.2), as bits. */
export const inMessage = Object.freeze({
  server_hello12: 1,
  server_hello: 2,
  hello_retry_request: 4,
  encrypted_extensions: 8,
  certificate_request: 16,
});
