import { randomBytes } from "node:crypto";
import type { ExecutionContext } from "ava";
import { credential, type Edition } from "../../certs/fixtures.js";
import type { ConnectOptions } from "../../hosts/node/socket/options.js";
import {
  type AeadAlgorithm,
  cipherSuite,
  extensionType,
  namedGroup,
  nameOf,
  signatureScheme,
  version,
} from "../../src/client/index.js";
import { ocspResponse } from "../peers/openssl.js";
import { opensslServer, type Peer, type ServerOptions } from "../peers/peers.js";
import { withPeer } from "../peers/with-peer.js";
import { only, outcome, receive, session } from "./session.js";

/** `openssl s_server`: each version, suite, group and signature, and what else the protocol offers. */

const run = withPeer("openssl");

const { tls12, tls13 } = version;
const protocols = [tls12, tls13] as const;
const titleOf = (protocol: number) => (protocol === tls12 ? "TLS 1.2" : "TLS 1.3");

interface Server extends Partial<Omit<ServerOptions, "identity">> {
  edition?: Edition;
  name?: string;
}

async function serve(
  t: ExecutionContext,
  { edition = "p256", name = "server1", ...rest }: Server,
): Promise<Peer> {
  const peer = await opensslServer({ identity: credential(edition, name), version: tls13, ...rest });
  t.teardown(() => peer.stop());
  return peer;
}

/** Connects, has a line sent back in reverse, and leaves. */
async function talk(t: ExecutionContext, server: Server, options: ConnectOptions = {}) {
  const peer = await serve(t, { ...server, extra: ["-rev", ...(server.extra ?? [])] });
  const socket = session(peer, server.edition ?? "p256", server.name ?? "server1", options);
  t.is(await outcome(socket), "good", peer.log());
  socket.write("staple\n");
  t.is((await receive(socket, 7)).toString(), "elpats\n");
  const seen = {
    suite: socket.getCipher()?.standardName,
    group: socket.getEphemeralKeyInfo()?.name,
    alpn: socket.alpnProtocol,
    protocol: socket.getProtocol(),
  };
  socket.end();
  socket.destroy();
  await peer.stop();
  return { ...seen, log: peer.log() };
}

// Suites

const aeads: Record<string, AeadAlgorithm> = {
  AES_128_GCM: "aes-128-gcm",
  AES_256_GCM: "aes-256-gcm",
  CHACHA20_POLY1305: "chacha20-poly1305",
};

for (const suite of Object.keys(cipherSuite)) {
  run(`suite ${suite}`, async (t) => {
    const [, aead] = Object.entries(aeads).find(([name]) => suite.includes(name))!;
    const protocol = suite.includes("ECDHE") ? tls12 : tls13;
    const edition = suite.includes("_RSA_") ? "rsa" : "p256";
    const seen = await talk(t, { version: protocol, edition }, { provider: only({ aeads: [aead] }) });
    t.is(seen.suite, suite);
  });
}

// Groups, asked for at once and after a HelloRetryRequest

const curves = { x25519: "X25519", secp256r1: "P-256", secp384r1: "P-384" } as const;

for (const protocol of protocols) {
  for (const [name, curve] of Object.entries(curves)) {
    run(`${titleOf(protocol)}: group ${name}`, async (t) => {
      const group = namedGroup[name as keyof typeof namedGroup];
      // In TLS 1.2 the list also bounds the curve of an ECDSA key, RFC 8422 5.1.1
      const edition = protocol === tls12 ? "rsa" : "p256";
      const seen = await talk(t, { version: protocol, edition }, { provider: only({ groups: [group] }) });
      t.is(seen.group, { x25519: "X25519", secp256r1: "prime256v1", secp384r1: "secp384r1" }[name]);
    });

    run(`${titleOf(protocol)}: a server that wants ${name} alone`, async (t) => {
      let hellos = 0;
      const onMessage = (sent: boolean, type: number) => {
        if (sent && type === 0x1601) hellos++;
      };
      await talk(t, { version: protocol, extra: ["-groups", curve] }, { onMessage });
      t.is(hellos, protocol === tls13 && name !== "x25519" ? 2 : 1);
    });
  }
}

// Signatures

const signatures: [keyof typeof signatureScheme, Edition, string, readonly number[]][] = [
  ["ecdsa_secp256r1_sha256", "p256", "server1", protocols],
  ["ecdsa_secp384r1_sha384", "p256", "p384", protocols],
  ["ed25519", "p256", "ed25519", protocols],
  ["rsa_pss_rsae_sha256", "rsa", "server1", protocols],
  ["rsa_pss_rsae_sha384", "rsa", "server1", protocols],
  ["rsa_pss_rsae_sha512", "rsa", "server1", protocols],
  ["rsa_pkcs1_sha256", "rsa", "server1", [tls12]],
  ["rsa_pkcs1_sha384", "rsa", "server1", [tls12]],
  ["rsa_pkcs1_sha512", "rsa", "server1", [tls12]],
  ["rsa_pss_rsae_sha256", "rsa", "pss", protocols],
];

/** What OpenSSL's -sigalgs calls a scheme. */
const opensslName = (scheme: string) =>
  scheme.startsWith("rsa_pkcs1_") ? scheme.replace(/rsa_pkcs1_sha(\d+)/, "RSA+SHA$1") : scheme;

for (const [scheme, edition, name, allowed] of signatures) {
  for (const protocol of allowed) {
    run(`${titleOf(protocol)}: ${scheme} by ${edition}/${name}`, async (t) => {
      let used = 0;
      await talk(
        t,
        { version: protocol, edition, name, extra: ["-sigalgs", opensslName(scheme)] },
        {
          onMessage(_, type, bytes, start) {
            if (type === 0x160f) used ||= (bytes[start + 4] << 8) | bytes[start + 5];
            if (type === 0x160c) {
              const at = start + 4 + 4 + bytes[start + 7];
              used = (bytes[at] << 8) | bytes[at + 1];
            }
          },
        },
      );
      t.is(nameOf(signatureScheme, used), scheme);
    });
  }
}

// Staples: the criteria of the project, version by version and key by key

for (const protocol of protocols) {
  for (const edition of ["p256", "rsa"] as const) {
    const about = `${titleOf(protocol)}, ${edition}`;

    run(`${about}: a good staple`, async (t) => {
      const staples = [await ocspResponse(edition, "server1", "intermediate1")];
      const peer = await serve(t, { version: protocol, edition, staples });
      const socket = session(peer, edition, "server1", { ocsp: { policy: "leaf" } });
      t.is(await outcome(socket), "good");
      t.is(socket.ocsp[0].status, "good");
      t.true(socket.ocsp[0].delegated);
      socket.destroy();
    });

    run(`${about}: a revoked server`, async (t) => {
      const staples = [await ocspResponse(edition, "server2", "intermediate1")];
      const peer = await serve(t, { version: protocol, edition, name: "server2", staples });
      const socket = session(peer, edition, "server2");
      t.is(await outcome(socket), "OCSP_CERT_REVOKED");
      t.is(socket.ocsp[0].status, "revoked");
      t.is(socket.ocsp[0].revokedAt?.toISOString(), "2025-06-01T00:00:00.000Z");
      await peer.logs(/alert number 44/);
    });

    run(`${about}: another server's staple`, async (t) => {
      const staples = [await ocspResponse(edition, "server2", "intermediate1")];
      const peer = await serve(t, { version: protocol, edition, staples });
      t.is(await outcome(session(peer, edition, "server1")), "OCSP_WRONG_CERT");
      await peer.logs(/alert number 113/);
    });

    run(`${about}: no staple`, async (t) => {
      const peer = await serve(t, { version: protocol, edition });
      const socket = session(peer, edition, "server1");
      t.is(await outcome(socket), "good");
      t.is(socket.ocsp[0].status, "none");
      socket.destroy();
      t.is(
        await outcome(session(peer, edition, "server1", { ocsp: { policy: "leaf" } })),
        "OCSP_STAPLE_MISSING",
      );
    });
  }
}

// Client certificates

for (const protocol of protocols) {
  for (const name of ["p256", "p384", "rsa", "ed25519"]) {
    run(`${titleOf(protocol)}: client certificate ${name}`, async (t) => {
      const { certificateFile, keyFile } = credential("client", name);
      const { readFileSync } = await import("node:fs");
      const clientCa = credential("client", "ca").certificateFile;
      const identity = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
      const { log } = await talk(t, { version: protocol, clientCa }, identity);
      t.regex(log, /depth=0/);
    });
  }

  run(`${titleOf(protocol)}: a client certificate that is missing`, async (t) => {
    const clientCa = credential("client", "ca").certificateFile;
    const peer = await serve(t, { version: protocol, clientCa });
    const socket = session(peer, "p256", "server1");
    // TLS 1.3's server can only refuse once the client is done
    const verdict = await outcome(socket);
    const error =
      verdict === "good" ? await new Promise((resolve) => socket.once("error", resolve)) : undefined;
    t.is(error ? (error as { code: string }).code : verdict, "PEER_ALERT");
  });
}

// ALPN, limits, key updates, closure

for (const protocol of protocols) {
  run(`${titleOf(protocol)}: ALPN`, async (t) => {
    const seen = await talk(t, { version: protocol, alpn: "mqtt" }, { ALPNProtocols: ["http/1.1", "mqtt"] });
    t.is(seen.alpn, "mqtt");
  });

  run(`${titleOf(protocol)}: no application protocol in common`, async (t) => {
    const peer = await serve(t, { version: protocol, alpn: "mqtt" });
    t.is(await outcome(session(peer, "p256", "server1", { ALPNProtocols: ["h2"] })), "PEER_ALERT");
  });

  for (const maxFragmentLength of [512, 1024, 2048, 4096]) {
    run(`${titleOf(protocol)}: max_fragment_length ${maxFragmentLength}`, async (t) => {
      const buffers = { input: 8192, output: 4096 };
      await talk(t, { version: protocol }, { maxFragmentLength, buffers, recordSizeLimit: undefined });
    });
  }

  run(`${titleOf(protocol)}: a server that sends records of 512 bytes`, async (t) => {
    await talk(t, { version: protocol, extra: ["-max_send_frag", "512"] });
  });

  run(`${titleOf(protocol)}: half a megabyte there and back`, async (t) => {
    const peer = await serve(t, { version: protocol, extra: ["-rev"] });
    const socket = session(peer, "p256", "server1");
    t.is(await outcome(socket), "good");
    const line = randomBytes(3000).toString("hex");
    for (let i = 0; i < 80; i++) socket.write(`${line}\n`);
    const all = await receive(socket, 80 * (line.length + 1));
    t.is(all.length, 80 * (line.length + 1));
    t.is(all.toString("latin1", 0, line.length), [...line].reverse().join(""));
    socket.destroy();
  });

  run(`${titleOf(protocol)}: closure is told from truncation`, async (t) => {
    const website = await serve(t, { version: protocol, extra: ["-www"] });
    const closed = session(website, "p256", "server1");
    t.is(await outcome(closed), "good");
    closed.write("GET / HTTP/1.0\r\n\r\n");
    t.regex((await receive(closed, Number.POSITIVE_INFINITY)).toString(), /s_server/);

    // On Q, s_server leaves without a word
    const peer = await serve(t, { version: protocol });
    const cut = session(peer, "p256", "server1");
    t.is(await outcome(cut), "good");
    peer.type("Q\n");
    await t.throwsAsync(receive(cut, Number.POSITIVE_INFINITY), { code: "TRUNCATED" });
  });
}

run("TLS 1.3: KeyUpdates from the server, with and without one asked in return", async (t) => {
  const peer = await serve(t, { extra: ["-msg"] });
  let updates = 0;
  const socket = session(peer, "p256", "server1", {
    onMessage(sent, type) {
      if (type === 0x1618 && sent) updates++;
    },
  });
  t.is(await outcome(socket), "good");
  // s_server loses what it reads together with a command, so each waits until the log shows the last one
  for (const [i, key] of ["k\n", "K\n", "k\n"].entries()) {
    peer.type(key);
    await peer.logs(new RegExp(`(>>>[^\\n]*KeyUpdate[^]*){${i + 1}}`));
  }
  peer.type("after the updates\n");
  t.regex((await receive(socket, 18)).toString(), /after the updates/);
  t.is(updates, 1);
  socket.write("and back\n");
  await peer.logs(/and back/);
  socket.destroy();
});

run("the ClientHello offers what is documented, each extension once", async (t) => {
  const peer = await serve(t, {});
  const types: number[] = [];
  const socket = session(peer, "p256", "server1", {
    ALPNProtocols: ["h2"],
    onMessage(sent, type, bytes, start, end) {
      if (!sent || type !== 0x1601) return;
      let at = start + 4 + 2 + 32;
      at += 1 + bytes[at];
      at += 2 + ((bytes[at] << 8) | bytes[at + 1]);
      at += 1 + bytes[at] + 2;
      for (; at < end; at += 4 + ((bytes[at + 2] << 8) | bytes[at + 3]))
        types.push((bytes[at] << 8) | bytes[at + 1]);
    },
  });
  await outcome(socket);
  socket.destroy();
  const names = types.map((type) => nameOf(extensionType, type)).sort();
  t.deepEqual(names, [
    "application_layer_protocol_negotiation",
    "ec_point_formats",
    "extended_master_secret",
    "key_share",
    "psk_key_exchange_modes",
    "renegotiation_info",
    "server_name",
    "session_ticket",
    "signature_algorithms",
    "status_request",
    "supported_groups",
    "supported_versions",
  ]);
});
