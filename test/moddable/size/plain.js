// What the sizes of TLS are compared with: an application that has the SDK's HTTP client.

import HTTPClient from "embedded:network/http/client";

trace(typeof HTTPClient, "\n");
