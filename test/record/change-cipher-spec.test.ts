import test from "ava";
import { CHANGE_CIPHER_SPEC } from "../../src/record/row.js";
import { faults } from "../../src/wire/fault.js";
import { feed, Toy, takes } from "./toy.js";

/** A ChangeCipherSpec is no handshake message, whatever its number; the bytes are written out here. */

const change = Buffer.from("140303000101", "hex");
/** Finished has the number 20 too: its header, and a byte. */
const finished = Buffer.from("160303000514000001aa", "hex");

function heard(on: number, ...records: Buffer[]): Toy {
  const row = on === CHANGE_CIPHER_SPEC ? { ...takes("A", on, "B"), run: () => "B" } : takes("A", on, "B");
  const toy = new Toy([row], 1000);
  feed(toy.engine, Buffer.concat(records));
  return toy;
}

test("a state that waits for ChangeCipherSpec takes no Finished", (t) => {
  t.is(heard(CHANGE_CIPHER_SPEC, change).state, "B");
  t.is(heard(CHANGE_CIPHER_SPEC, finished).engine.fault, faults.UNEXPECTED_MESSAGE);
});

test("a state that waits for a Finished takes no ChangeCipherSpec", (t) => {
  t.is(heard(20, finished).state, "B");
  t.is(heard(20, change).engine.fault, faults.UNEXPECTED_MESSAGE);
});

test("its row has a number that no handshake message can have", (t) => {
  t.true(CHANGE_CIPHER_SPEC > 255);
});
