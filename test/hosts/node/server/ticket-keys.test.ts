import { mock } from "node:test";
import test from "ava";
import { TicketKeys, ticketKey } from "../../../../hosts/node/server/ticket-keys.js";

/** Runs with `performance.now` in our hands; `pass` lets milliseconds go by. */
function timed(run: (pass: (ms: number) => void) => void): void {
  let now = 0;
  const clock = mock.method(performance, "now", () => now);
  run((ms) => {
    now += ms;
  });
  clock.mock.restore();
}

test.serial("our own key seals for as long as a ticket lives, and opens for as long again", (t) => {
  timed((pass) => {
    const tickets = new TicketKeys(60);
    const [first] = tickets.current;
    pass(59_999);
    t.deepEqual(tickets.current, [first]);
    pass(1);
    const [second, ...opening] = tickets.current;
    t.notDeepEqual(second, first);
    t.deepEqual(opening, [first]);
    t.deepEqual(tickets.get(), Buffer.concat([second.name, second.key]));
    pass(60_000);
    t.deepEqual(tickets.current.slice(1), [second]);
    pass(120_000);
    t.is(tickets.current.length, 1);
    t.false(tickets.current.includes(second));
  });
});

test.serial("keys from outside stay", (t) => {
  timed((pass) => {
    const given = [ticketKey(Buffer.alloc(48, 1)), ticketKey(Buffer.alloc(48, 2))];
    const tickets = new TicketKeys(60, given);
    const own = new TicketKeys(60);
    own.set(given[1]);
    pass(600_000);
    t.deepEqual(tickets.current, given);
    t.deepEqual(own.current, [given[1]]);
    t.deepEqual(own.get(), Buffer.alloc(48, 2));
  });
});

test("no life, no keys", (t) => {
  t.deepEqual(new TicketKeys(0).current, []);
});
