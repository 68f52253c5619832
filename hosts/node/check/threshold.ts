/** How much life a staple must have left: so many seconds, or so much of the whole, in percent. */
export interface Threshold {
  readonly seconds?: number;
  readonly percent?: number;
}

const units: Readonly<Record<string, number>> = Object.freeze({ s: 1, m: 60, h: 3600, d: 86_400 });

/** Reads `3600`, `12h`, `20%`; a colon behind it, as ranges of monitoring plug-ins have it, changes nothing. */
export function parseThreshold(text: string): Threshold | undefined {
  const [, digits, unit] = /^(\d{1,9})([smhd%]?):?$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return unit === "%" ? { percent: Number(digits) } : { seconds: Number(digits) * units[unit || "s"] };
}

/** In seconds, for a staple with a life of so many. */
export function secondsOf({ seconds, percent = 0 }: Threshold, life: number): number {
  return seconds ?? Math.round((life * percent) / 100);
}
