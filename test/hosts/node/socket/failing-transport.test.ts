import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { Duplex } from "node:stream";
import test from "ava";
import { connect } from "../../../../hosts/node/index.js";
import { serveOurs } from "../ours.js";
import { rootOf } from "../servers.js";

/** A connection over a transport that stops taking anything. */

class Cable extends Duplex {
  cut = false;
  /** Writes that came after it was cut. */
  late = 0;
  private readonly wire: Socket;

  constructor(port: number) {
    super();
    this.wire = connectTcp(port, "127.0.0.1");
    this.wire.on("data", (bytes) => this.push(bytes)).on("error", () => undefined);
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (!this.cut) this.wire.write(bytes, done);
    else {
      this.late += bytes.length;
      done(new Error("the cable is cut"));
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.wire.destroy();
    done(error);
  }
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const)
  test(`${version}: a write that fails halfway has the transport's error, and nothing is sent after it`, async (t) => {
    const { port } = await serveOurs(t, { minVersion: version, maxVersion: version });
    const cable = new Cable(port);
    const socket = connect({ socket: cable, servername: "localhost", ca: rootOf("p256") });
    await once(socket, "secureConnect");
    cable.cut = true;
    const failed = once(socket, "error");
    const written = new Promise<Error | null | undefined>((resolve) =>
      socket.write(Buffer.alloc(4_000_000), resolve),
    );
    t.is((await written)?.message, "the cable is cut");
    t.is((await failed)[0].message, "the cable is cut");
    t.true(socket.destroyed);
    // what had been handed over together: 256 KB
    t.true(cable.late <= 16 * (16_384 + 29), `${cable.late}`);
  });
