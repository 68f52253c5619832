import test from "ava";
import { Store } from "../../src/pki/store.js";
import { verdict } from "./kit.js";

const bytes = Uint8Array.from({ length: 16 }, (_, i) => i);

test("keeps within its region and copies what it is given", (t) => {
  const arena = new Uint8Array(20);
  const store = new Store(arena, 4, 12);
  const at = store.save(bytes, 2, 8);
  t.is(at, 4);
  t.is(
    verdict(() => store.save(bytes, 0, 3)),
    "STORE_TOO_SMALL",
  );
  t.is(store.save(bytes, 0, 2), 10);
  t.deepEqual([...arena], [0, 0, 0, 0, 2, 3, 4, 5, 6, 7, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test("tells the size that would have done for everything", (t) => {
  const small = new Store(new Uint8Array(10));
  const ask = (store: Store) => {
    for (const n of [6, 8, 3]) verdict(() => store.save(bytes, 0, n));
    store.keep(bytes, 0, 5);
  };
  ask(small);
  t.is(small.needed, 22);
  const large = new Store(new Uint8Array(small.needed));
  t.notThrows(() => large.reserve(17));
  t.true(large.keep(bytes, 0, 5) >= 0);
});

test("a failed reservation takes nothing", (t) => {
  const store = new Store(new Uint8Array(8));
  t.is(
    verdict(() => store.reserve(9)),
    "STORE_TOO_SMALL",
  );
  t.is(store.reserve(8), 0);
});

test("what is kept from above gives way to what is needed", (t) => {
  const store = new Store(new Uint8Array(16));
  const low = store.keep(bytes, 0, 4);
  const lower = store.keep(bytes, 0, 4);
  t.deepEqual([low, lower], [12, 8]);
  store.reserve(8);
  t.true(store.holds(low) && store.holds(lower));
  store.reserve(1);
  t.true(store.holds(low));
  t.false(store.holds(lower));
  t.is(store.keep(bytes, 0, 1), -1);
  t.false(store.holds(-1));
});
