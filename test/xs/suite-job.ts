import { toText } from "../../hosts/xs/text.js";

/** Which tests are not run in XS. */
export interface Skip {
  /** The file's name, without `.test.ts`. */
  readonly file: string;
  /** Of titles, as a regular expression; without it the whole file is meant. */
  readonly titles?: string;
  readonly reason: string;
}

/** What a test's program is told. */
export interface SuiteJob {
  /** Where Node lends its modules. */
  readonly port: number;
  readonly skips: readonly Skip[];
}

/** In XS: this program's. */
export function readJob(): SuiteJob {
  return JSON.parse(toText(host.readFile(programArguments[0])));
}
