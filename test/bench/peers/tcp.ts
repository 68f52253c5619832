import { openTcp, type Peer, receive, type Target } from "./peer.js";

/** No TLS at all: what the connection itself costs. */
export const peer: Peer = {
  verifies: "nothing",
  limits: "no TLS: what the connection itself costs",
  scenarios: ["tcp"],
  staples: false,
  async fetch({ port }: Target, n: number): Promise<string> {
    await receive(openTcp(port), n);
    return "no TLS";
  },
};
