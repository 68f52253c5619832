// The same with TLS, the SDK's or ours.

import TLSSocket from "embedded:io/socket/tcp/tls";
import HTTPClient from "embedded:network/http/client";

trace(typeof HTTPClient, typeof TLSSocket, "\n");
