/** Freezes a table and each of its rows: what is frozen, a device keeps in flash, without a shadow in RAM. */
export function table<T extends object>(rows: readonly T[]): readonly T[] {
  for (let i = 0; i < rows.length; i++) Object.freeze(rows[i]);
  return Object.freeze(rows);
}
