import { Stapler, type StaplerFailure, type StaplerOptions } from "../../../../hosts/node/index.js";
import { handClock, type Link, type Pki, respond, type Statement, source } from "./responders.js";

/** A Stapler whose clock is set by hand, and whose responders say what `says` is at the moment. */
export function scripted({ chain, leaf, ca, root }: Pki, options: StaplerOptions = {}) {
  const clock = handClock();
  const script: { says: (link: Link) => Uint8Array | undefined; state: Statement } = {
    state: {},
    says: (link) => respond(link, { thisUpdate: clock.now, ...script.state }),
  };
  const fetch = source(
    (link) => script.says(link),
    () => [leaf, ca, root],
  );
  const stapler = new Stapler({ fetch, clock, random: () => 0.5, ...options });
  const failures: StaplerFailure[] = [];
  stapler.on("failure", (failure) => failures.push(failure));
  const one = async () => (await stapler.staples(chain, 1)).staples[0];
  /** Lets what is under way come to its end. */
  const rest = async () => {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { stapler, clock, script, fetch, failures, one, rest };
}
