// What pictures of the walkthrough are drawn with: SVG that needs nothing from elsewhere, on a ground of its own, so
// that it can be read on a light page and on a dark one.

export const ink = "#1f2933";
export const grey = "#6b7885";
export const blue = "#27496d";
export const red = "#a93226";
export const green = "#1e6e42";

/** A whole picture; `title` and `description` are its alternative text. */
export function picture(
  width: number,
  height: number,
  title: string,
  description: string,
  parts: readonly string[],
): string {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description" font-family="sans-serif" font-size="12" fill="${ink}">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="description">${escaped(description)}</desc>`,
    box(0, 0, width, height, "#fff"),
    text(20, 26, title, `font-size="15"`),
    ...parts,
    "</svg>",
  ].join("\n")}\n`;
}

export function text(x: number, y: number, words: string, more = ""): string {
  return `<text x="${x}" y="${y}" ${more}>${escaped(words)}</text>`;
}

export function box(x: number, y: number, width: number, height: number, fill: string, more = ""): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}" ${more}/>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, stroke: string, more = ""): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${stroke}" ${more}/>`;
}

/** A level line with a head at its end. */
export function arrow(x1: number, x2: number, y: number, stroke: string, more = ""): string {
  const back = x2 > x1 ? -7 : 7;
  const head = `<path d="M${x2} ${y}l${back} -4v8z" fill="${stroke}"/>`;
  return line(x1, y, x2 + back, y, stroke, more) + head;
}

function escaped(words: string): string {
  return words
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
