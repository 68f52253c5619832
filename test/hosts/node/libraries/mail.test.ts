/** Mail over our socket, to a server behind ours. */

import { once } from "node:events";
import { text } from "node:stream/consumers";
import test, { type ExecutionContext } from "ava";
import { createTransport } from "nodemailer";
import { SMTPServer } from "smtp-server";
import { connect } from "../../../../hosts/node/index.js";
import { type Facts, type Holder, serve } from "./front.js";

/** An SMTP server that gets its connections with TLS done, as its option `secured` has it. */
function serveMail(t: ExecutionContext, who: Holder, received: string[]): Promise<Facts> {
  const smtp = new SMTPServer({
    secure: true,
    secured: true,
    authOptional: true,
    onData: (stream, _session, done) => {
      text(stream).then((mail) => done(null, `${received.push(mail)} received`), done);
    },
  });
  return serve(t, who, (socket) => smtp.server.emit("connection", socket));
}

/** A transport whose connections are ours, as it takes those of proxies. */
function transportTo(facts: Facts) {
  return createTransport({
    host: "localhost",
    secure: true,
    secured: true,
    getSocket: (_options, callback) => {
      const socket = connect(facts);
      socket.once("error", callback);
      socket.once("secureConnect", () => {
        socket.off("error", callback);
        callback(null, { connection: socket });
      });
    },
  });
}

const mail = { from: "a@example.com", to: "b@example.com", subject: "greeting", text: "hello" };

test("nodemailer and smtp-server", async (t) => {
  const received: string[] = [];
  const { accepted } = await transportTo(await serveMail(t, "good", received)).sendMail(mail);
  t.deepEqual(accepted, ["b@example.com"]);
  t.regex(received[0], /Subject: greeting\r\n[\s\S]*hello/);
  const refused = transportTo(await serveMail(t, "revoked", received)).sendMail(mail);
  await t.throwsAsync(refused, { code: "OCSP_CERT_REVOKED" });
});

test("smtp-server: a client that resets its connection is no error of the server's", async (t) => {
  const facts = await serveMail(t, "good", []);
  const socket = connect(facts);
  await once(socket, "data");
  t.is(socket.readyState, "open");
  const closed = once(socket, "close");
  socket.resetAndDestroy();
  t.deepEqual(await closed, [false]);
  t.deepEqual([socket.readyState, socket.pending], ["closed", true]);
});
