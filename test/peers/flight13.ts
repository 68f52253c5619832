import { X509Certificate } from "node:crypto";
import { contentType, extensionType as ext, handshakeType as hs, version } from "../../src/wire/registry.js";
import { concat, none, u8, u16, vec8, vec16 } from "./bytes.js";
import {
  certificate13,
  certificateRequest13,
  certificateStatus,
  demand,
  type Extension,
  extension,
  message,
  parseCertificate13,
  parseSigned,
  retryRandom,
  serverHello,
  signed,
  verifyInput,
} from "./messages.js";
import type { Puppet } from "./puppet.js";
import { Protection13 } from "./records.js";
import { ephemeral, finished13, hash, Schedule13, updateSecret } from "./schedule.js";
import type { Script, Step } from "./script.js";
import { fits13, signWith, verifyWith } from "./signing.js";

/** What the server does in a TLS 1.3 handshake, RFC 8446 section 2. */
export function plan13({ script }: Puppet): Step[] {
  const secrets = new Secrets();
  return [
    { name: "client_hello", awaits: hs.client_hello, run: (p, bytes) => p.greet(bytes) },
    ...(script.retry ? retrySteps : []),
    { name: "server_hello", run: (p) => sendServerHello(p, secrets) },
    { name: "change_cipher_spec", run: sendChangeCipherSpec },
    { name: "handshake_keys", run: (p) => secrets.protectHandshake(p) },
    { name: "encrypted_extensions", run: sendEncryptedExtensions },
    ...(script.request ? [{ name: "certificate_request", run: sendCertificateRequest }] : []),
    { name: "certificate", run: sendCertificate },
    { name: "certificate_verify", run: sendCertificateVerify },
    { name: "finished", run: (p) => p.send(message(hs.finished, secrets.finished(p, secrets.server))) },
    { name: "application_keys", run: (p) => secrets.protectWrite(p) },
    ...(script.request ? [clientCertificate] : []),
    {
      name: "client_finished",
      awaits: hs.finished,
      run: (p, bytes) =>
        demand(
          bytes.equals(message(hs.finished, secrets.finished(p, secrets.client))),
          "the client's Finished is right",
        ),
    },
    { name: "application_read_keys", run: (p) => secrets.protectRead(p) },
    ...(script.tickets ?? []).map((ticket) => ({
      name: "new_session_ticket",
      run: (p: Puppet) => p.send(ticket),
    })),
  ];
}

// ServerHello and HelloRetryRequest, RFC 8446 4.1.3 and 4.1.4

const retrySteps: Step[] = [
  { name: "hello_retry_request", run: sendRetry },
  { name: "retry_change_cipher_spec", run: sendChangeCipherSpec },
  { name: "second_client_hello", awaits: hs.client_hello, run: takeSecondHello },
];

const supportedVersion = extension(ext.supported_versions, u16(version.tls13));

function sendRetry(p: Puppet): void {
  const { group, cookie } = p.script.retry!;
  const list = [supportedVersion];
  if (group !== undefined) list.push(extension(ext.key_share, u16(group)));
  if (cookie !== undefined) list.push(extension(ext.cookie, vec16(cookie)));
  // RFC 8446 4.4.1: the first ClientHello goes into the transcript as its hash.
  if (p.transcript.length === 1) {
    p.transcript = [message(hs.message_hash, hash(p.suite.hash, p.transcript[0]))];
  }
  p.send(
    serverHello(
      { ...helloFields(p), random: retryRandom, ...p.script.retryHello },
      p.extensionsFor("hello_retry_request", list),
    ),
  );
}

function takeSecondHello(p: Puppet, bytes: Buffer): void {
  p.greet(bytes);
  const { group, cookie } = p.script.retry!;
  demand((p.hello.cookie ?? none).equals(cookie ?? none), "the cookie is echoed");
  if (group === undefined) return;
  const shared = p.hello.shares.map((share) => share.group);
  demand(shared.length === 1 && shared[0] === group, "the one key share is for the group asked for");
}

function sendServerHello(p: Puppet, secrets: Secrets): void {
  const own = ephemeral(p.group);
  const share = p.script.share?.(own.share) ?? own.share;
  const list = [supportedVersion, extension(ext.key_share, u16(p.group), vec16(share))];
  p.send(serverHello({ ...helloFields(p), ...p.script.hello }, p.extensionsFor("server_hello", list)));
  const theirs = p.hello.shares.find(({ group }) => group === p.group);
  // A script may choose a group that has no share; the client must not get as far as to need the secret.
  secrets.begin(p, theirs ? own.agree(theirs.share) : Buffer.alloc(32));
}

function helloFields(p: Puppet) {
  const { sessionId } = p.hello;
  return { legacyVersion: version.tls12, random: p.random, sessionId, suite: p.suiteId, compression: 0 };
}

/** Middlebox compatibility, RFC 8446 D.4: once, behind the first of HelloRetryRequest and ServerHello. */
function sendChangeCipherSpec(p: Puppet): void {
  const already = p.script.retry && p.seen.hellos.length > 1;
  if (p.script.ccs ?? (p.hello.sessionId.length > 0 && !already)) {
    p.record(contentType.change_cipher_spec, u8(1));
  }
}

// EncryptedExtensions and CertificateRequest, RFC 8446 4.3

function sendEncryptedExtensions(p: Puppet): void {
  const list = p.extensionsFor("encrypted_extensions", negotiated(p.script, p.hello));
  p.send(
    message(hs.encrypted_extensions, vec16(...list.map(({ type, data }) => concat(u16(type), vec16(data))))),
  );
}

/** The answers that both versions share: ALPN and the record limits. */
export function negotiated(script: Script, hello: Puppet["hello"]): Extension[] {
  const list: Extension[] = [];
  if (script.alpn !== undefined && hello.alpn) {
    list.push(extension(ext.application_layer_protocol_negotiation, vec16(vec8(Buffer.from(script.alpn)))));
  }
  if (script.recordSizeLimit !== undefined && hello.recordSizeLimit !== undefined) {
    list.push(extension(ext.record_size_limit, u16(script.recordSizeLimit)));
  } else if (script.maxFragmentLength && hello.maxFragmentLength !== undefined) {
    list.push(extension(ext.max_fragment_length, u8(Math.log2(hello.maxFragmentLength) - 8)));
  }
  return list;
}

function sendCertificateRequest(p: Puppet): void {
  const { schemes, context = none, authorities, stapled } = p.script.request!;
  const list = [extension(ext.signature_algorithms, vec16(...schemes.map(u16)))];
  if (authorities) {
    list.push(extension(ext.certificate_authorities, vec16(...authorities.map((name) => vec16(name)))));
  }
  if (stapled) list.push(extension(ext.status_request));
  p.send(certificateRequest13(context, p.extensionsFor("certificate_request", list)));
}

// Certificate and CertificateVerify, RFC 8446 4.4

function sendCertificate(p: Puppet): void {
  const { chain, staples = [] } = p.script;
  const extensions = (index: number) => {
    const staple = p.hello.status ? staples[index] : undefined;
    const list = staple ? [extension(ext.status_request, certificateStatus(staple))] : [];
    return p.extensionsFor("certificate", list, index);
  };
  p.send(certificate13(chain, extensions));
}

function sendCertificateVerify(p: Puppet): void {
  const { key, scheme, claimedScheme, verifyContext = "TLS 1.3, server CertificateVerify" } = p.script;
  const used = scheme ?? p.hello.schemes.find((id) => fits13(id, key));
  if (used === undefined) throw new Error("no signature scheme in common");
  const input = verifyInput(verifyContext, hash(p.suite.hash, concat(...p.transcript)));
  p.send(message(hs.certificate_verify, signed(claimedScheme ?? used, signWith(used, key, input))));
}

const clientCertificate: Step = {
  name: "client_certificate",
  awaits: hs.certificate,
  run(p, bytes) {
    const { context = none, required, stapled = false } = p.script.request!;
    const { chain, staples } = parseCertificate13(bytes, context, stapled);
    p.seen.certificates = chain;
    p.seen.staples = staples;
    demand(chain.length > 0 || !required, "a client certificate is there");
    if (chain.length > 0) p.insert(clientVerify);
  },
};

const clientVerify: Step = {
  name: "client_certificate_verify",
  awaits: hs.certificate_verify,
  run(p, bytes) {
    const { scheme, signature } = parseSigned(bytes);
    const { publicKey } = new X509Certificate(p.seen.certificates![0]);
    p.seen.scheme = scheme;
    demand(p.script.request!.schemes.includes(scheme), "the client signs with a scheme that was asked for");
    demand(fits13(scheme, publicKey), "the client's scheme fits its key");
    const input = verifyInput(
      "TLS 1.3, client CertificateVerify",
      hash(p.suite.hash, concat(...p.transcript)),
    );
    demand(verifyWith(scheme, publicKey, input, signature), "the client's CertificateVerify verifies");
  },
};

/** The traffic secrets of one connection, RFC 8446 section 7. */
class Secrets {
  private schedule!: Schedule13;
  client: Buffer = none;
  server: Buffer = none;
  private clientApplication: Buffer = none;
  private serverApplication: Buffer = none;

  /** After the ServerHello: the handshake traffic secrets. */
  begin(p: Puppet, shared: Buffer): void {
    this.schedule = new Schedule13(p.suite.hash);
    this.schedule.advance(shared);
    this.client = this.derive(p, "c hs traffic", "CLIENT_HANDSHAKE_TRAFFIC_SECRET");
    this.server = this.derive(p, "s hs traffic", "SERVER_HANDSHAKE_TRAFFIC_SECRET");
  }

  private derive(p: Puppet, label: string, logLabel: string): Buffer {
    const secret = this.schedule.derive(label, concat(...p.transcript));
    p.secrets[logLabel] = secret;
    return secret;
  }

  protectHandshake(p: Puppet): void {
    p.protectRead(new Protection13(p.suite, this.client));
    p.protectWrite(new Protection13(p.suite, this.server));
  }

  finished(p: Puppet, secret: Buffer): Buffer {
    return finished13(p.suite.hash, secret, concat(...p.transcript));
  }

  /** After the server's Finished: the application traffic secrets, of which ours is used at once. */
  protectWrite(p: Puppet): void {
    this.schedule.advance();
    this.clientApplication = this.derive(p, "c ap traffic", "CLIENT_TRAFFIC_SECRET_0");
    this.serverApplication = this.derive(p, "s ap traffic", "SERVER_TRAFFIC_SECRET_0");
    this.derive(p, "exp master", "EXPORTER_SECRET");
    p.protectWrite(new Protection13(p.suite, this.serverApplication));
  }

  protectRead(p: Puppet): void {
    p.protectRead(new Protection13(p.suite, this.clientApplication));
    p.rekey = {
      read: () => {
        this.clientApplication = updateSecret(p.suite.hash, this.clientApplication);
        return new Protection13(p.suite, this.clientApplication);
      },
      write: () => {
        this.serverApplication = updateSecret(p.suite.hash, this.serverApplication);
        return new Protection13(p.suite, this.serverApplication);
      },
    };
  }
}
