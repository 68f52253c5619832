import { execFileSync } from "node:child_process";
import type { Credential } from "../../certs/fixtures.js";
import { freePort, launch, type Peer, tool } from "./process.js";
import { Scratch } from "./scratch.js";

/** Real servers whose connections begin in clear, each on ports of 127.0.0.1 of its own. */

/** Dovecot for mail by IMAP and POP3, and as the submission server that speaks SMTP; `ports` by protocol. */
export async function dovecotServer(
  identity: Credential,
): Promise<Peer & { readonly ports: Readonly<Record<"imap" | "pop3" | "smtp", number>> }> {
  const files = new Scratch();
  const [imap, pop3, smtp] = [await freePort(), await freePort(), await freePort()];
  const file = files.write(
    "dovecot.conf",
    dovecotConfiguration(identity, files.directory, { imap, pop3, smtp }),
  );
  const peer = await launch(tool("dovecot"), ["-F", "-c", file], { port: imap, cleanup: files.remove });
  return Object.assign(peer, { ports: { imap, pop3, smtp } });
}

function dovecotConfiguration(
  { certificateFile, keyFile }: Credential,
  directory: string,
  { imap, pop3, smtp }: Record<string, number>,
): string {
  const listener = (service: string, name: string, port: number) => `service ${service}-login {
  chroot =
  inet_listener ${name} {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener ${name}s {
    port = 0
  }
}`;
  return `
base_dir = ${directory}/run
state_dir = ${directory}/state
log_path = /dev/stderr
protocols = imap pop3 submission
${users()}
first_valid_uid = 0
mail_location = maildir:${directory}/mail
submission_relay_host = 127.0.0.1
ssl = yes
ssl_cert = <${certificateFile}
ssl_key = <${keyFile}
passdb {
  driver = static
  args = nopassword=y
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
${listener("imap", "imap", imap)}
${listener("pop3", "pop3", pop3)}
${listener("submission", "submission", smtp)}
`;
}

/** As root it has users of its own, which its package made; else it is all ours. */
function users(): string {
  if (process.getuid?.() === 0) return "";
  const [user, group] = ["-un", "-gn"].map((flag) => execFileSync("id", [flag], { encoding: "utf8" }).trim());
  return `default_internal_user = ${user}\ndefault_login_user = ${user}\ndefault_internal_group = ${group}`;
}

/** OpenLDAP's slapd, over GnuTLS, with nothing in it. */
export async function slapdServer({ certificateFile, keyFile }: Credential): Promise<Peer> {
  const files = new Scratch();
  const port = await freePort();
  const lines = [
    `pidfile ${files.directory}/pid`,
    `TLSCertificateFile ${certificateFile}`,
    `TLSCertificateKeyFile ${keyFile}`,
    "database monitor",
  ];
  const file = files.write("slapd.conf", `${lines.join("\n")}\n`);
  const args = ["-h", `ldap://127.0.0.1:${port}/`, "-f", file, "-d", "0"];
  return launch(tool("slapd"), args, { port, cleanup: files.remove });
}
