/** What steers a terminal, or hides in what order it shows things: controls, formats (bidi's too), separators, half pairs. */
const steering = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text that a peer chose must not steer the terminal: such characters are shown, not sent there. */
export function printable(text: string): string {
  return text.replace(steering, escaped);
}

/** A value as JSON that holds none of them either, but for the line feeds between its fields. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(steering, (char) =>
    char === "\n" ? char : escaped(char),
  );
}

/** As JSON and JavaScript write it: each of one or two UTF-16 units in four digits. */
function escaped(char: string): string {
  return char.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
