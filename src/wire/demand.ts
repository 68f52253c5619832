/** Refuses an option that can't be. */
export function demand(holds: boolean, message: string): void {
  if (!holds) throw new RangeError(`tlstaple: ${message}`);
}
