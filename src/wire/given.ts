/** The options that are there: one that is undefined must not undo its default, least of all `verify`. */
export function given<T extends object>(options: T | undefined): T {
  const entries = Object.entries(options ?? {}).filter((entry) => entry[1] !== undefined);
  return Object.fromEntries(entries) as T;
}
