import type { Stats } from "../../hosts/xs/driver/machine.js";

// A picture of the heap over the steps of a handshake, as SVG.

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
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    label(LEFT, 20, title, `font-size="14"`),
    ...legend(),
    ...grid,
    ...bars,
    line,
    "</svg>",
  ].join("\n")}\n`;
}

function turned(x: number, y: number): string {
  return `text-anchor="end" font-size="9" transform="rotate(-50 ${x.toFixed(1)} ${y.toFixed(1)})"`;
}

function legend(): string[] {
  const entries = [
    ["#27496d", "slots"],
    ["#5b8dbf", "other chunks"],
    ["#9aa7b5", "buffers"],
  ];
  return entries.flatMap(([fill, text], i) => [
    bar(LEFT + i * 100, 30, 10, 10, fill),
    label(LEFT + 14 + i * 100, 39, text),
  ]);
}
