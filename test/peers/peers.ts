import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Credential, credential, type Edition, fixtureFile } from "../../certs/fixtures.js";
import { version } from "../../src/wire/registry.js";
import { pem } from "./pem.js";
import { compile, freePort, launch, type Peer, tool, which } from "./process.js";
import { Scratch } from "./scratch.js";
import { postgresPrograms } from "./services.js";

export type { Peer };

/** Why a peer cannot run here; undefined when it can. Tests skip it then. */
export const absent: Readonly<
  Record<
    | "curl"
    | "gnutls-cli"
    | "openssl"
    | "responder"
    | "gnutls"
    | "gnutls-client"
    | "nginx"
    | "wolfssl"
    | "nss"
    | "tshark"
    | "postgres"
    | "mariadb"
    | "redis"
    | "mosquitto"
    | "promtool"
    | "dovecot"
    | "slapd",
    string | undefined
  >
> = {
  "gnutls-cli": lacks("gnutls-cli"),
  openssl: lacks("openssl"),
  curl: lacks("curl"),
  responder: lacks("openssl", "gcc"),
  gnutls: lacks("gnutls-serv", "gcc"),
  "gnutls-client": lacks("gcc", "/usr/include/gnutls/gnutls.h"),
  nginx: lacks("nginx"),
  wolfssl: lacks("gcc", "/usr/include/wolfssl/ssl.h"),
  nss: lacks("selfserv", "certutil", "pk12util", "openssl", "gcc"),
  tshark: lacks("tshark", "openssl"),
  postgres: lacks(`${postgresPrograms() ?? "postgresql"}/postgres`),
  mariadb: lacks("mariadbd", "mariadb-install-db"),
  redis: lacks("redis-server"),
  mosquitto: lacks("mosquitto"),
  promtool: lacks("promtool"),
  dovecot: lacks(
    "dovecot",
    ...["imap", "pop3", "submission"].map((name) => `/usr/lib/dovecot/${name}-login`),
  ),
  slapd: lacks("slapd"),
};

function lacks(...needed: string[]): string | undefined {
  const missing = needed.filter((each) => !(each.startsWith("/") ? existsSync(each) : which(each)));
  return missing.length > 0 ? `${missing.join(", ")} not installed` : undefined;
}

/**
 * Real servers, each on a free port of 127.0.0.1, to be stopped in the test's teardown. A function throws
 * when its tool is not installed or the server does not come up, with what it printed.
 */
export interface ServerOptions {
  identity: Credential;
  /** Speaks this version alone. */
  version: number;
  /** DER OCSP responses: the leaf's, then those of the certificates after it. Who cannot do more takes the first. */
  staples?: readonly Uint8Array[];
  /** PEM file with the CA whose certificates clients must show. */
  clientCa?: string;
  alpn?: string;
  /** More arguments, or lines for nginx. */
  extra?: readonly string[];
}

/**
 * `openssl s_server`. It prints what it receives (see `log`) and sends the lines typed to it, of which `k`
 * and `K` alone are commands: KeyUpdate without and with a request. A line that it reads together with a
 * command is lost: with `extra: ["-msg"]` the log tells when the KeyUpdate is sent. `["-rev"]` makes it
 * answer each line reversed, `["-www"]` HTTP.
 */
export function opensslServer(options: ServerOptions): Promise<Peer> {
  const openssl = tool("openssl");
  const { identity, alpn, clientCa } = options;
  const files = new Scratch();
  const args = ["s_server", "-accept", "127.0.0.1:0", versionFlag(options)];
  args.push("-cert", identity.certificateFile, "-key", identity.keyFile);
  // -cert takes the first certificate of the file alone.
  args.push("-cert_chain", files.write("chain.pem", identity.chain.slice(1).map(pem).join("")));
  if (options.staples) args.push("-status_file", files.write("staple.der", options.staples[0]));
  if (clientCa) args.push("-Verify", "3", "-verify_return_error", "-CAfile", clientCa);
  if (alpn) args.push("-alpn", alpn);
  args.push(...(options.extra ?? []));
  return launch(openssl, args, { ready: /ACCEPT 127\.0\.0\.1:(\d+)/, cleanup: files.remove });
}

function versionFlag(options: ServerOptions): string {
  return options.version === version.tls13 ? "-tls1_3" : "-tls1_2";
}

/** `gnutls-serv`, an echo server. In TLS 1.3 it staples for every certificate, in TLS 1.2 for the leaf. */
export async function gnutlsServer(options: ServerOptions): Promise<Peer> {
  const gnutls = tool("gnutls-serv");
  const { identity, alpn, clientCa } = options;
  const files = new Scratch();
  const port = await freePort();
  const only = options.version === version.tls13 ? "VERS-TLS1.3" : "VERS-TLS1.2";
  const args = ["--echo", "--port", `${port}`, "--priority", `NORMAL:-VERS-ALL:+${only}`];
  args.push("--x509certfile", identity.certificateFile, "--x509keyfile", identity.keyFile);
  options.staples?.forEach((der, i) => {
    args.push("--ocsp-response", files.write(`staple${i}.der`, der));
  });
  // Ignoring errors, it no longer looks which certificate a response is about, and keeps the last one alone.
  if (options.staples?.length === 1) args.push("--ignore-ocsp-response-errors");
  if (clientCa) args.push("--x509cafile", clientCa, "--require-client-cert", "--verify-client-cert");
  else args.push("--disable-client-cert");
  if (alpn) args.push("--alpn", alpn, "--alpn-fatal");
  args.push(...(options.extra ?? []));
  return launch(gnutls, args, { port, env: onLoopback(), cleanup: files.remove });
}

/** nginx with a configuration of its own, in the foreground; answers every request with "hello from nginx". */
export function nginxServer(options: ServerOptions): Promise<Peer> {
  return nginxOf((files, port) => serverBlock(options, files, port));
}

/** nginx in the foreground with this server block. */
export async function nginxOf(block: (files: Scratch, port: number) => string): Promise<Peer> {
  const nginx = tool("nginx");
  const files = new Scratch();
  const port = await freePort();
  const file = files.write("nginx.conf", nginxConfiguration(block(files, port)));
  mkdirSync(join(files.directory, "logs"));
  return launch(nginx, ["-p", files.directory, "-c", file], { port, cleanup: files.remove });
}

function nginxConfiguration(server: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `daemon off; master_process off; pid nginx.pid; error_log stderr; events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${name};`).join(" ")}
  ${server}
}
`;
}

function serverBlock(options: ServerOptions, files: Scratch, port: number): string {
  const { identity, clientCa } = options;
  const lines = [
    `listen 127.0.0.1:${port} ssl;`,
    `ssl_certificate ${identity.certificateFile};`,
    `ssl_certificate_key ${identity.keyFile};`,
    `ssl_protocols ${options.version === version.tls13 ? "TLSv1.3" : "TLSv1.2"};`,
    `location / { return 200 "hello from nginx"; }`,
    ...(options.extra ?? []),
  ];
  if (options.staples) {
    lines.push("ssl_stapling on;", `ssl_stapling_file ${files.write("staple.der", options.staples[0])};`);
  }
  if (clientCa) lines.push("ssl_verify_client on;", `ssl_client_certificate ${clientCa};`);
  return `server { ${lines.join("\n")} }`;
}

export interface WolfsslServerOptions extends ServerOptions {
  /** PEM files with the CAs that it knows: it verifies a response before it staples it. */
  issuers?: readonly string[];
  /** Where it gets its staples over HTTP, in place of `staples`. */
  responder?: string;
}

/**
 * Our echo server over wolfSSL, which staples what the client asks for. In TLS 1.2 that is the leaf's, or with
 * ocsp_multi one for every certificate of the chain, the root too; in TLS 1.3 wolfSSL 5.5 staples for the leaf
 * alone. Without the leaf's it sends no CertificateStatus, though its ServerHello has the extension.
 */
export function wolfsslServer(options: WolfsslServerOptions): Promise<Peer> {
  const server = compile("interop/wolfssl-server.c", "wolfssl-server", "-lwolfssl");
  const { identity, alpn, clientCa } = options;
  const files = new Scratch();
  const args = ["-v", options.version === version.tls13 ? "4" : "3"];
  args.push("-c", identity.certificateFile, "-k", identity.keyFile);
  for (const issuer of options.issuers ?? []) args.push("-A", issuer);
  options.staples?.forEach((der, i) => {
    args.push("-s", files.write(`staple${i}.der`, der));
  });
  if (options.responder) args.push("-u", options.responder);
  if (clientCa) args.push("-r", clientCa);
  if (alpn) args.push("-a", alpn);
  return launch(server, args, { ready: /ACCEPT 127\.0\.0\.1:(\d+)/, cleanup: files.remove });
}

/**
 * `openssl ocsp`: the responder of one authority of the good PKI, "root" or "intermediate1" to 3. Beware: OpenSSL
 * 3.0's hangs for good when someone connects and sends nothing, so don't probe it.
 */
export function opensslResponder(edition: Edition, authority: string, port = 0): Promise<Peer> {
  const openssl = tool("openssl");
  const signer = credential(edition, `ocsp-${authority}`);
  const args = ["ocsp", "-port", `${port}`, "-nmin", "60"];
  args.push("-index", fixtureFile(`good/${edition}/index-${authority}.txt`));
  args.push("-rsigner", signer.certificateFile, "-rkey", signer.keyFile);
  args.push("-CA", credential(edition, authority).certificateFile);
  return launch(openssl, args, { ready: /ACCEPT \S*127\.0\.0\.1\]?:(\d+)/, env: onLoopback() });
}

/**
 * NSS's `selfserv` with server1 of the RSA edition, which staples lies on demand: a status, an error, a wrong
 * signature, garbage. Intermediate 1 signs what it says, with SHA-1. It answers HTTP. With a P-256 certificate it
 * does not staple.
 */
export async function nssServer(
  only: number,
  staple: "good" | "revoked" | "unknown" | "failure" | "badsig" | "corrupted",
): Promise<Peer> {
  const selfserv = tool("selfserv");
  const files = new Scratch();
  const database = nssDatabase(files);
  const port = await freePort();
  const range = only === version.tls13 ? "tls1.3:tls1.3" : "tls1.2:tls1.2";
  const args = ["-d", database, "-p", `${port}`, "-V", range, "-n", "server", "-T", staple, "-A", "ca"];
  return launch(selfserv, args, { port, env: onLoopback(), cleanup: files.remove });
}

/** The CA goes in first: the server's file has its certificate too, which would come under another name. */
function nssDatabase(files: Scratch): string {
  const database = `sql:${files.directory}`;
  execFileSync(tool("certutil"), ["-N", "-d", database, "--empty-password"]);
  for (const [nickname, name] of [
    ["ca", "intermediate1"],
    ["server", "server1"],
  ]) {
    const { certificateFile, keyFile } = credential("rsa", name);
    const file = join(files.directory, `${nickname}.p12`);
    const parts = ["-in", certificateFile, "-inkey", keyFile, "-name", nickname, "-passout", "pass:"];
    execFileSync(tool("openssl"), ["pkcs12", "-export", "-out", file, ...parts]);
    execFileSync(tool("pk12util"), ["-i", file, "-d", database, "-W", ""], { stdio: "pipe" });
  }
  return database;
}

/** The environment that keeps a server on 127.0.0.1 which has no option for it. */
function onLoopback(): Record<string, string> {
  return { LD_PRELOAD: compile("peers/loopback.c", "loopback.so", "-shared", "-fPIC", "-ldl") };
}
