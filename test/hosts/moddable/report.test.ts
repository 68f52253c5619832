import test from "ava";
import { tell } from "../../../hosts/moddable/report.js";
import { faults, TlsError } from "../../../src/wire/index.js";
import { App } from "./app.js";

/** What a device traces of a failed connection. */

test("a fault of the peer's is its message alone", (t) => {
  t.is(tell(new TlsError(faults.OCSP_CERT_REVOKED)), "tlstaple: OCSP_CERT_REVOKED\n");
});

test("what the application threw is told, with its stack", (t) => {
  const onWritable = () => {
    throw new RangeError("of the application");
  };
  const [error] = new App({ onWritable }).open().reports;
  t.is(error.code, "CALLBACK_FAILED");
  t.regex(tell(error), /^tlstaple: CALLBACK_FAILED.*\n {2}cause: RangeError: of the application\n +at .*\n/);
});

test("an internal error is told with what the provider threw", (t) => {
  const app = new App();
  app.onCost = () => {
    throw new Error("out of memory");
  };
  const [error] = app.open().reports;
  t.is(error.code, "INTERNAL_ERROR");
  t.regex(tell(error), /^tlstaple: INTERNAL_ERROR.*\n {2}cause: Error: out of memory\n/);
});

test("whatever is thrown, it is told without throwing", (t) => {
  const told = (cause: unknown) => tell(new TlsError(faults.CALLBACK_FAILED, 0, cause));
  const causes: [unknown, string][] = [
    ["text", "text"],
    [7, "7"],
    [null, "null"],
    [{}, "[object Object]"],
    [Object.create(null), "something that is no text"],
    [Symbol("s"), "something that is no text"],
    [
      {
        get stack() {
          throw new Error("no");
        },
      },
      "something that is no text",
    ],
  ];
  for (const [cause, text] of causes) t.is(told(cause), `tlstaple: CALLBACK_FAILED\n  cause: ${text}\n`);
});
