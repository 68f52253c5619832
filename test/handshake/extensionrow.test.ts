import test from "ava";
import { type ExtensionRow, extensionTable } from "../../src/handshake/extensionrow.js";

const row = (type: number): ExtensionRow<never> => ({
  type,
  where: 1,
  sends: () => false,
  write: () => {},
  read: () => {},
});

test("a table has at most as many rows as a number has bits to tell them apart", (t) => {
  const rows = Array.from({ length: 31 }, (_, i) => row(i));
  const made = extensionTable(rows);
  t.is(made.length, 31);
  t.true(Object.isFrozen(made) && made.every((each) => Object.isFrozen(each)));
  t.throws(() => extensionTable([...rows, row(31)]), { instanceOf: RangeError, message: /31/ });
});
