const units = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
] as const;

/** A time span in seconds for people: in its greatest unit and the next one. */
export function spanText(seconds: number): string {
  const at = units.findIndex(([, unit]) => seconds >= unit);
  if (at < 0) return `${Math.floor(seconds)} s`;
  const [name, unit] = units[at];
  const [below, less] = units[at + 1] ?? ["s", 1];
  const rest = Math.floor((seconds % unit) / less);
  return `${Math.floor(seconds / unit)} ${name}${rest > 0 ? ` ${rest} ${below}` : ""}`;
}
