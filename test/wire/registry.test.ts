import test from "ava";
import * as registry from "../../src/wire/registry.js";

const { nameOf, ...tables } = registry;

test("tables are frozen, and no number stands twice", (t) => {
  for (const [name, table] of Object.entries(tables)) {
    t.true(Object.isFrozen(table), name);
    const numbers = Object.values(table);
    t.is(new Set(numbers).size, numbers.length, name);
  }
});

test("nameOf finds every number's name", (t) => {
  for (const table of Object.values(tables))
    for (const [name, number] of Object.entries(table)) t.is(nameOf(table, number), name);
});

test("nameOf has no name for what the table lacks", (t) => {
  t.is(nameOf(registry.contentType, 24), undefined);
  t.is(nameOf(registry.alert, Number.NaN), undefined);
});
