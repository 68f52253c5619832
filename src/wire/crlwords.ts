import { unknownAlert, type Words } from "./error.js";
import { commonName, type Fault, type FaultName, faults, isOfCrls, ofFault } from "./fault.js";
import { list } from "./list.js";
import { texts } from "./texts.js";
import { wolfsslWords } from "./wolfssl.js";

// What a device says of the faults of CRLs, for which it has words only with that module

export const crlNames = listOf((name) => name);
export const crlTexts = listOf((name) => texts[name]);
export const crlErrors = listOf(wolfsslWords);

function listOf(wordOf: (name: FaultName) => string): string {
  return list((Object.keys(faults) as FaultName[]).filter(isOfCrls).map(wordOf));
}

/** Faults before those of CRLs, which are the last. */
const OTHERS = (faults.CRL_MALFORMED & 0xff) - 1;

const isOther = (fault: Fault) => (fault & 0xff) <= OTHERS;

/** A word of a list of these faults alone. */
function word(words: string, fault: Fault): string {
  return ofFault(words, ((fault & 0xff) - OTHERS) as Fault);
}

function nameOf(fault: Fault): FaultName {
  return isOther(fault) ? commonName(fault) : (word(crlNames, fault) as FaultName);
}

/** The words of a device, or none, with those for faults of CRLs. */
export function crlWords(words: Words | undefined): Words {
  return Object.freeze<Words>({
    name: nameOf,
    message(fault, detail) {
      if (isOther(fault)) return words ? words.message(fault, detail) : nameOf(fault);
      return `${nameOf(fault)}: ${word(crlTexts, fault)}`;
    },
    wolfssl(fault) {
      if (isOther(fault)) return words?.wolfssl(fault);
      const error = word(crlErrors, fault).split(" ");
      return error.length === 2 ? { number: Number(error[0]), name: error[1] } : undefined;
    },
    alertName: (number) => (words ? words.alertName(number) : unknownAlert(number)),
    advice: () => "",
  });
}
