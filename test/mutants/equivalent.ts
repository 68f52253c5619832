/** Mutants that change nothing that can be seen, each with the reason. See main.ts. */

interface Row {
  /** The end of the file's path below build/. */
  readonly file: string;
  /** Part of the line as compiled. */
  readonly code: string;
  /** Part of what the mutant replaces, where the line has more than one. */
  readonly text?: string;
  /** What it puts there, where there is more than one. */
  readonly by?: string;
  readonly because: string;
}

export const equivalent: readonly Row[] = [
  {
    file: ".js",
    code: "throw faults.INTERNAL_ERROR",
    because: "these tell the type checker what the state table guarantees",
  },
  {
    file: "record/protection.js",
    code: "while (last >= start && bytes[last] === 0)",
    text: "last >= start",
    because: "the record's header ends the search too: its first byte is never 0",
  },
  {
    file: "record/engine.js",
    code: "{ type: 0, start: 0, end: 0, sealed: false }",
    text: "0",
    because: "a record is opened into it before it is looked at",
  },
  {
    file: "record/engine.js",
    code: "this.inbound.suffix > 0",
    text: "0",
    by: "1",
    because: "there is none, or it has a tag at least",
  },
  {
    file: "pki/remembered.js",
    code: "if (entries[i] === first",
    text: "entries[i] === first",
    by: "true",
    because: "the whole entry is compared all the same",
  },
  {
    file: "moddable/socket.js",
    code: "this.deadline = undefined;",
    because: "to clear a timer that is over does nothing",
  },
  {
    file: "responder/responder.js",
    code: "const { validity = 0 }",
    because: "only whether it is in its range matters there",
  },
  {
    file: "responder/index-file.js",
    code: "age < TICK",
    text: "age < TICK",
    by: "age <= TICK",
    because: "about so long",
  },
  {
    file: "socket/secure-socket.js",
    code: "transport.cork()",
    because: "the same bytes go out, in more calls of the system",
  },
  {
    file: "socket/secure-socket.js",
    code: "this.flush(room > 0 && this.unsealed.length > 0 ?",
    text: "0",
    by: "1",
    because:
      "with one byte of room left, the batch asks to go on and goes on, and each sends what is pending",
  },
  {
    file: "responder/signer.js",
    code: "options.byKey ?? false",
    text: "options.byKey ?? false",
    because: "undefined is as false there",
  },
  {
    file: "responder/signer.js",
    code: "modulusLength = MIN_MODULUS",
    text: "modulusLength = MIN_MODULUS",
    because: "a key that has no modulus is not below the least one either",
  },
  {
    file: "moddable/socket.js",
    code: "const phase =",
    text: "3",
    by: "4",
    because: "phases are only told apart",
  },
  {
    file: "moddable/socket.js",
    code: "this.schedule(0)",
    text: "0",
    because: "it is the next timer either way",
  },
  {
    file: "moddable/socket.js",
    code: "const SLACK = 96",
    because: "about so much room is kept back",
  },
  {
    file: "moddable/socket.js",
    code: "room > 2 * SLACK",
    because: "when little room is left, a little more or less of it is kept back",
  },
  {
    file: "moddable/socket.js",
    code: "const REMINDER = 10",
    because: "about so long",
  },
  {
    file: "moddable/socket.js",
    code: "return (engine.wants & wants.DATA) !== 0 || engine.fault",
    text: "engine.closedByPeer",
    because: "the end is met by a turn, which tells it; only a fault can come of a write",
  },
  {
    file: "moddable/socket.js",
    code: "this.newsworthy(engine)",
    text: "!this.busy",
    because: "a turn too many does nothing",
  },
  {
    file: "hosts/moddable/classic.js",
    code: "if (this.dataEnd > 0)",
    because: "data ends behind a record's header; and what is thrown after the close is swallowed",
  },
  {
    file: "hosts/moddable/classic.js",
    code: "found < 0 || found >= end",
    text: "found < 0",
    because: "data begins behind a record's header",
  },
  {
    file: "hosts/moddable/classic.js",
    code: "found < 0 || found >= end",
    text: "0",
    because: "data begins behind a record's header",
  },
  {
    file: "hosts/moddable/classic.js",
    code: "length > 512",
    text: "512",
    because: "lengths are powers of two",
  },
  {
    file: "hosts/moddable/classic.js",
    code: "const OVERHEAD = 32",
    because: "records have 22 or 29 bytes more than their data, so one more or less changes nothing",
  },
  {
    file: "hosts/moddable/classic.js",
    code: "this.schedule(0)",
    because: "it need only be later",
  },
];
