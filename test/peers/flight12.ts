import { X509Certificate } from "node:crypto";
import { contentType, extensionType as ext, handshakeType as hs, version } from "../../src/wire/registry.js";
import { concat, none, u8, vec8 } from "./bytes.js";
import { negotiated } from "./flight13.js";
import {
  certificate12,
  certificateRequest12,
  certificateStatus,
  certificateStatusMulti,
  demand,
  type Extension,
  ecdhParams,
  extension,
  message,
  parseCertificate12,
  parseClientKeyExchange,
  parseSigned,
  serverHello,
  signed,
} from "./messages.js";
import type { Puppet } from "./puppet.js";
import { type Protection, Protection12 } from "./records.js";
import { type Ephemeral, ephemeral, hash, prf } from "./schedule.js";
import type { Step } from "./script.js";
import { fits, signWith, verifyWith } from "./signing.js";

/** What the server does in a TLS 1.2 handshake, RFC 5246 7.3. */
export function plan12({ script }: Puppet): Step[] {
  const secrets = new Secrets();
  return [
    { name: "client_hello", awaits: hs.client_hello, run: (p, bytes) => p.greet(bytes) },
    { name: "server_hello", run: sendServerHello },
    { name: "certificate", run: (p) => p.send(certificate12(p.script.chain)) },
    { name: "certificate_status", run: sendCertificateStatus },
    { name: "server_key_exchange", run: (p) => sendServerKeyExchange(p, secrets) },
    ...(script.request ? [{ name: "certificate_request", run: sendCertificateRequest }] : []),
    { name: "server_hello_done", run: (p) => p.send(message(hs.server_hello_done)) },
    ...(script.request ? [clientCertificate] : []),
    {
      name: "client_key_exchange",
      awaits: hs.client_key_exchange,
      run: (_, bytes) => secrets.agree(parseClientKeyExchange(bytes)),
    },
    { name: "keys", run: (p) => secrets.derive(p) },
    ...(script.request ? [{ name: "client_certificate_verify?", run: expectVerify }] : []),
    {
      name: "client_change_cipher_spec",
      awaits: "change_cipher_spec",
      run: (p) => p.protectRead(secrets.read),
    },
    {
      name: "client_finished",
      awaits: hs.finished,
      run: (p, bytes) =>
        demand(
          bytes.equals(message(hs.finished, secrets.finished(p, "client finished"))),
          "the client's Finished is right",
        ),
    },
    { name: "change_cipher_spec", run: (p) => p.record(contentType.change_cipher_spec, u8(1)) },
    { name: "write_keys", run: (p) => p.protectWrite(secrets.write) },
    { name: "finished", run: (p) => p.send(message(hs.finished, secrets.finished(p, "server finished"))) },
  ];
}

// The server's first flight

function useEms(p: Puppet): boolean {
  return p.script.ems ?? p.hello.ems;
}

function sendServerHello(p: Puppet): void {
  // An empty session id: this session will not be resumed.
  const fields = {
    legacyVersion: version.tls12,
    random: p.random,
    sessionId: none,
    suite: p.suiteId,
    compression: 0,
    ...p.script.hello,
  };
  p.send(serverHello(fields, p.extensionsFor("server_hello", helloExtensions(p))));
}

function helloExtensions(p: Puppet): Extension[] {
  const { hello, script } = p;
  const scsv = 0x00ff;
  const list = negotiated(script, hello);
  if (hello.renegotiationInfo || hello.suites.includes(scsv))
    list.push(extension(ext.renegotiation_info, vec8()));
  if (useEms(p)) list.push(extension(ext.extended_master_secret));
  if (script.staples && usesV2(p)) list.push(extension(ext.status_request_v2));
  else if (script.staples && hello.status) list.push(extension(ext.status_request));
  if (hello.extensions.some(({ type }) => type === ext.ec_point_formats)) {
    list.push(extension(ext.ec_point_formats, vec8(u8(0))));
  }
  return list;
}

function usesV2({ script, hello }: Puppet): boolean {
  return script.statusV2 ?? hello.statusV2 !== undefined;
}

/** RFC 6066 section 8: a server that accepted the extension may still send no status. */
function sendCertificateStatus(p: Puppet): void {
  const { hello, script } = p;
  const [staple] = script.staples ?? [];
  const multi = usesV2(p) && hello.statusV2 === 2;
  if (multi && script.staples) p.send(message(hs.certificate_status, certificateStatusMulti(script.staples)));
  else if (staple && (hello.status || usesV2(p)))
    p.send(message(hs.certificate_status, certificateStatus(staple)));
}

function sendServerKeyExchange(p: Puppet, secrets: Secrets): void {
  const { script, hello } = p;
  const own = ephemeral(p.group);
  secrets.own = own;
  const plain = ecdhParams(p.group, script.share?.(own.share) ?? own.share);
  const params = script.params?.(plain) ?? plain;
  const scheme = script.scheme ?? hello.schemes.find((id) => fits(id, script.key));
  if (scheme === undefined) throw new Error("no signature scheme in common");
  const signature = signWith(scheme, script.key, concat(hello.random, p.random, params));
  p.send(message(hs.server_key_exchange, params, signed(script.claimedScheme ?? scheme, signature)));
}

function sendCertificateRequest(p: Puppet): void {
  const { schemes, authorities = [] } = p.script.request!;
  p.send(certificateRequest12(schemes, authorities));
}

// The client's flight

const clientCertificate: Step = {
  name: "client_certificate",
  awaits: hs.certificate,
  run(p, bytes) {
    p.seen.certificates = parseCertificate12(bytes);
    demand(p.seen.certificates.length > 0 || !p.script.request!.required, "a client certificate is there");
  },
};

function expectVerify(p: Puppet): void {
  if (p.seen.certificates?.length) p.insert(clientVerify);
}

const clientVerify: Step = {
  name: "client_certificate_verify",
  awaits: hs.certificate_verify,
  run(p, bytes) {
    const { scheme, signature } = parseSigned(bytes);
    const { publicKey } = new X509Certificate(p.seen.certificates![0]);
    p.seen.scheme = scheme;
    demand(p.script.request!.schemes.includes(scheme), "the client signs with a scheme that was asked for");
    const verified = verifyWith(scheme, publicKey, concat(...p.transcript), signature);
    demand(verified, "the client's CertificateVerify verifies");
  },
};

/** The secrets of one connection, RFC 5246 section 8 and 6.3, RFC 7627 section 4. */
class Secrets {
  own?: Ephemeral;
  private premaster: Buffer = none;
  private master: Buffer = none;
  read!: Protection;
  write!: Protection;

  agree(peer: Buffer): void {
    this.premaster = this.own!.agree(peer);
  }

  /** After the ClientKeyExchange is in the transcript, which the extended master secret covers. */
  derive(p: Puppet): void {
    const { hello, suite } = p;
    const [label, seed] = useEms(p)
      ? ["extended master secret", hash(suite.hash, concat(...p.transcript))]
      : ["master secret", concat(hello.random, p.random)];
    this.master = prf(suite.hash, this.premaster, label, seed, 48);
    p.secrets.CLIENT_RANDOM = this.master;
    const ivLength = suite.cipher === "chacha20-poly1305" ? 12 : 4;
    const size = 2 * (suite.keyLength + ivLength);
    const block = prf(suite.hash, this.master, "key expansion", concat(p.random, hello.random), size);
    const keys = [0, 1].map((i) => block.subarray(i * suite.keyLength, (i + 1) * suite.keyLength));
    const ivs = [0, 1].map((i) =>
      block.subarray(2 * suite.keyLength).subarray(i * ivLength, (i + 1) * ivLength),
    );
    this.read = new Protection12(suite, keys[0], ivs[0]);
    this.write = new Protection12(suite, keys[1], ivs[1]);
  }

  finished(p: Puppet, label: string): Buffer {
    return prf(p.suite.hash, this.master, label, hash(p.suite.hash, concat(...p.transcript)), 12);
  }
}
