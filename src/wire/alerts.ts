import { unknownAlert } from "./error.js";
import { list } from "./list.js";
import { alert } from "./registry.js";

/** Each alert's number and name, as one string, which takes a device less than a table. */
export const alertNames = `\n${list(Object.entries(alert).map(([name, number]) => `${number} ${name}`))}`;

/** An alert's name by its number, such as "close_notify"; "alert_255" if TLS does not know it. */
export function alertName(number: number): string {
  const before = `\n${number} `;
  const at = alertNames.indexOf(before);
  if (at < 0) return unknownAlert(number);
  const start = at + before.length;
  return alertNames.slice(start, alertNames.indexOf("\n", start));
}
