import test from "ava";
import { type ExtensionRow, extensionRows } from "../../src/handshake/extensionrow.js";
import { extensionTable } from "../../src/handshake/extensiontable.js";

const row = (type: number): ExtensionRow<never> => ({ type, where: 1, sends: () => false });

test("a table has at most as many rows as a number has bits to tell them apart", (t) => {
  const rows = Array.from({ length: 31 }, (_, i) => row(i));
  const made = extensionTable([extensionRows(rows.slice(0, 20)), extensionRows(rows.slice(20))]);
  t.is(made.rows.length, 31 * 3);
  t.true(Object.isFrozen(made) && made.parts.every((each) => Object.isFrozen(each)));
  t.throws(() => extensionTable([extensionRows([...rows, row(31)])]), {
    instanceOf: RangeError,
    message: /31/,
  });
});
