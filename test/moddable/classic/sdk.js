// The classic API over the SDK's own TLS beside our line, and ECMA-419 over ours: a request with each.

import Resource from "Resource";
import TCP from "embedded:io/socket/tcp";
import TLSSocket from "embedded:io/socket/tcp/tls";
import HTTPClient from "embedded:network/http/client";
// biome-ignore lint/style/useNodejsImportProtocol: the SDK's
import { Request } from "http";
import config from "mc/config";
import SecureSocket from "securesocket";
import Timer from "timer";

const { port } = config;

class Local {
  resolve({ host, onResolved }) {
    Timer.set(() => onResolved.call(this, host, "127.0.0.1"));
  }
}

function classic(then) {
  const secure = {
    protocolVersion: 0x303,
    tls_server_name: "localhost",
    certificate: new Resource("ca.der"),
  };
  const dictionary = { host: "127.0.0.1", port, path: "/fixed/20000", response: ArrayBuffer };
  const request = new Request({ ...dictionary, Socket: SecureSocket, secure });
  request.callback = (message, value) => {
    if (message === Request.responseComplete) trace(`classic: ${value.byteLength}\n`);
    else if (message === Request.error) trace("classic: failed\n");
    else return;
    then();
  };
}

function modern(then) {
  const secure = {
    certificate: "ca.der",
    ocsp: { policy: "leaf" },
    onSecure: ({ session }) => tell(session),
  };
  const tell = ({ verdicts }) => trace(`ECMA-419: ${verdicts[0].status}\n`);
  const socket = { io: TLSSocket, TCP: { io: TCP }, secure };
  const client = new HTTPClient({ host: "localhost", port, dns: { io: Local }, socket });
  let length = 0;
  client.request({
    path: "/fixed/20000",
    onReadable(count) {
      length += this.read(count).byteLength;
    },
    onDone() {
      client.close();
      trace(`ECMA-419: ${length}\n`);
      then();
    },
  });
}

classic(() => modern(() => trace("end\n")));
