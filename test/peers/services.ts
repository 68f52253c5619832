import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Credential } from "../../certs/fixtures.js";
import { freePort, launch, type Peer, tool } from "./process.js";
import { Scratch } from "./scratch.js";

/** Services that clients of other people's speak to, each on a free port of 127.0.0.1, in plaintext and fresh. */

/** Who runs what refuses to run as root: the user that the Debian package made. Others run it themselves. */
function as(user: string): string[] {
  if (process.getuid?.() !== 0) return [];
  return ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups", "--pdeathsig", "KILL", "--"];
}

/** A folder that this user may write to. */
function ownedBy(user: string, folder: string): string {
  if (process.getuid?.() !== 0) return folder;
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, user])));
  chownSync(folder, uid, gid);
  return folder;
}

/** The folder of PostgreSQL's programs, which are on nobody's PATH; undefined where there is none. */
export function postgresPrograms(): string | undefined {
  const root = "/usr/lib/postgresql";
  try {
    return join(root, readdirSync(root).sort().at(-1)!, "bin");
  } catch {
    return undefined;
  }
}

/** PostgreSQL, whose user "postgres" needs no password; it takes TLS as well, after its SSLRequest, with this certificate. */
export async function postgresServer(identity: Credential): Promise<Peer> {
  const programs = postgresPrograms()!;
  const files = new Scratch();
  const home = ownedBy("postgres", files.directory);
  const data = join(home, "data");
  const made = [
    ...as("postgres"),
    join(programs, "initdb"),
    "-D",
    data,
    "-A",
    "trust",
    "-U",
    "postgres",
    "-N",
  ];
  execFileSync(made[0], made.slice(1), { stdio: "pipe", cwd: home });
  const [cert, key] = [identity.certificateFile, identity.keyFile].map((file, i) => {
    const copy = join(home, `${i}.pem`);
    execFileSync("install", ["-m", "600", file, copy]);
    return ownedBy("postgres", copy);
  });
  const port = await freePort();
  const settings = { port, listen_addresses: "127.0.0.1", unix_socket_directories: home, fsync: "off" };
  const secure = { ssl: "on", ssl_cert_file: cert, ssl_key_file: key };
  const flags = Object.entries({ ...settings, ...secure }).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  const [command, ...args] = [...as("postgres"), join(programs, "postgres"), "-D", data, ...flags];
  return launch(command, args, { port, ready: /ready to accept connections/, cleanup: files.remove });
}

/** MariaDB, whose user "guest" has the password "secret". */
export async function mariadbServer(): Promise<Peer> {
  const files = new Scratch();
  const home = ownedBy("mysql", files.directory);
  const data = join(home, "data");
  mkdirSync(data);
  ownedBy("mysql", data);
  const root = process.getuid?.() === 0 ? ["--user=mysql"] : [];
  const install = ["--no-defaults", `--datadir=${data}`, "--auth-root-authentication-method=normal", ...root];
  execFileSync(tool("mariadb-install-db"), install, { stdio: "pipe" });
  const guest = files.write("guest.sql", "CREATE USER guest@localhost IDENTIFIED BY 'secret';\n");
  const port = await freePort();
  const where = [`--datadir=${data}`, `--socket=${join(home, "socket")}`, `--port=${port}`];
  const args = ["--no-defaults", ...where, "--bind-address=127.0.0.1", `--init-file=${guest}`, ...root];
  return launch(tool("mariadbd"), args, { port, ready: /ready for connections/, cleanup: files.remove });
}

export async function redisServer(): Promise<Peer> {
  const port = await freePort();
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  return launch(tool("redis-server"), args, { port });
}

/** The MQTT broker Mosquitto. */
export async function mosquittoServer(): Promise<Peer> {
  const files = new Scratch();
  const port = await freePort();
  const file = files.write("mosquitto.conf", `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  return launch(tool("mosquitto"), ["-c", file], { port, cleanup: files.remove });
}
