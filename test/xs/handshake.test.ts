import { psaObstacle } from "./machine.js";
import { testInXs } from "./suite.js";

// What src/client is tested with in Node, in XS, where puppets run too; Node's crypto is their cryptography.

const reason = "hundreds of handshakes are too slow in XS, and the same in Node";

await testInXs(
  ["client"],
  [
    { file: "memory", reason: "it measures V8's heap" },
    { file: "handshake", titles: "at any byte|records of any size", reason },
    ...(psaObstacle ? [{ file: "handshake", titles: "rsa certificate|PKCS#1", reason: psaObstacle }] : []),
  ],
);
