import type { Stats } from "../../hosts/xs/driver/machine.js";

// Pictures, as SVG: of the heap over the steps of a handshake, and of what handshakes take beside each other.

const WIDTH = 860;
const HEIGHT = 420;
const LEFT = 60;
const TOP = 56;
const BOTTOM = 150;
const RIGHT = 20;

const bar = (x: number, y: number, width: number, height: number, fill: string) =>
  `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" fill="${fill}"/>`;

const label = (x: number, y: number, text: string, more = "") =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${text}</text>`;

/** Bars, one a step: buffers, other chunks, and slots on top, with a line at `limit` bytes. */
export function plot(title: string, { marks }: Stats, bufferBytes: number, limit: number): string {
  const top = Math.ceil(limit / 4096) * 4096;
  const height = HEIGHT - TOP - BOTTOM;
  const y = (bytes: number) => TOP + height * (1 - bytes / top);
  const step = (WIDTH - LEFT - RIGHT) / marks.length;
  const bars = marks.flatMap(({ label: name, slotBytes, chunkBytes }, i) => {
    const x = LEFT + i * step;
    const total = slotBytes + chunkBytes;
    return [
      bar(x + 2, y(bufferBytes), step - 4, y(0) - y(bufferBytes), "#9aa7b5"),
      bar(x + 2, y(chunkBytes), step - 4, y(bufferBytes) - y(chunkBytes), "#5b8dbf"),
      bar(x + 2, y(total), step - 4, y(chunkBytes) - y(total), "#27496d"),
      label(x + step / 2, y(total) - 4, `${total}`, `text-anchor="middle" font-size="9"`),
      label(x + step / 2, y(0) + 12, name.toLowerCase(), turned(x + step / 2, y(0) + 12)),
    ];
  });
  const grid = Array.from({ length: top / 4096 + 1 }, (_, i) =>
    label(LEFT - 6, y(i * 4096) + 4, `${i * 4} KB`, `text-anchor="end"`),
  );
  const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(limit)}" y2="${y(limit)}" stroke="#c0392b" stroke-dasharray="4 3"/>`;
  const parts = [
    ["#27496d", "slots"],
    ["#5b8dbf", "other chunks"],
    ["#9aa7b5", "buffers"],
  ];
  return picture(title, HEIGHT, [...legend(parts), ...grid, ...bars, line]);
}

/** One kind of handshake: instructions of cryptography, and of JavaScript with its collector. */
export interface Share {
  readonly name: string;
  readonly crypto: number;
  readonly script: number;
}

const ROW = 34;

/** Bars, one a row, with the millions of both parts and what the sum is of the first row's. */
export function plotShares(title: string, rows: readonly Share[]): string {
  const whole = rows[0].crypto + rows[0].script;
  const width = (count: number) => ((WIDTH - LEFT - RIGHT - 150) * count) / whole;
  const millions = (count: number) => (count / 1e6).toFixed(0);
  const bars = rows.flatMap(({ name, crypto, script }, i) => {
    const y = TOP + i * ROW;
    const share = Math.round((100 * (crypto + script)) / whole);
    const text = `${millions(crypto)} + ${millions(script)} million, ${share} %`;
    return [
      bar(LEFT, y, width(crypto), ROW - 10, "#5b8dbf"),
      bar(LEFT + width(crypto), y, width(script), ROW - 10, "#27496d"),
      label(LEFT - 6, y + 16, name, `text-anchor="end"`),
      label(LEFT + width(crypto + script) + 6, y + 16, text),
    ];
  });
  const parts = [
    ["#5b8dbf", "cryptography"],
    ["#27496d", "JavaScript"],
  ];
  return picture(title, TOP + rows.length * ROW, [...legend(parts), ...bars]);
}

function picture(title: string, height: number, parts: readonly string[]): string {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    label(LEFT, 20, title, `font-size="14"`),
    ...parts,
    "</svg>",
  ].join("\n")}\n`;
}

function turned(x: number, y: number): string {
  return `text-anchor="end" font-size="9" transform="rotate(-50 ${x.toFixed(1)} ${y.toFixed(1)})"`;
}

function legend(entries: readonly (readonly string[])[]): string[] {
  return entries.flatMap(([fill, text], i) => [
    bar(LEFT + i * 100, 30, 10, 10, fill),
    label(LEFT + 14 + i * 100, 39, text),
  ]);
}
