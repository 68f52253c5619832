import { unknownAlert } from "./error.js";
import { list } from "./list.js";
import { nth } from "./nth.js";
import { alert } from "./registry.js";

const LAST = alert.no_application_protocol;

/** Each alert's name, in the order of their numbers, as one string, which takes a device less than a table. */
export const alertNames = list(Array.from({ length: LAST + 1 }, (_, number) => named(number)));

function named(number: number): string {
  return Object.entries(alert).find((each) => each[1] === number)?.[0] ?? "";
}

/** An alert's name by its number, such as "close_notify"; "alert_255" if TLS does not know it. */
export function alertName(number: number): string {
  return (number <= LAST && nth(alertNames, number)) || unknownAlert(number);
}
