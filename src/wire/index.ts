/** The layer below all others: octets read and compared, IANA's numbers and their names, faults. */

export { alertName } from "./alerts.js";
export { crlWords } from "./crlwords.js";
export { type Alert, TlsError, type WolfsslError, type Words } from "./error.js";
export { alertOf, commonName, type Fault, type FaultName, faultName, faults, isFault } from "./fault.js";
export { given } from "./given.js";
export { Reader } from "./reader.js";
export {
  alert,
  cipherSuite,
  contentType,
  extensionType,
  handshakeType,
  identifierType,
  namedGroup,
  nameOf,
  signatureScheme,
  statusType,
  version,
} from "./registry.js";
export { textOf, texts } from "./texts.js";
export { listedError, wolfsslError } from "./wolfssl.js";
export { equalBytes } from "./writer.js";
