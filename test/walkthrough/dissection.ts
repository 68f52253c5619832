import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { blue, box, grey, line, picture, red, text } from "./svg.js";

// A capture as Wireshark shows it: the list of packets, and the CertificateStatus message of one of them unfolded.
// Every word is tshark's.

const COLUMNS = [
  { title: "No.", code: "%m", x: 20 },
  { title: "Time", code: "%t", x: 52 },
  { title: "From", code: "%uS", x: 126 },
  { title: "To", code: "%uD", x: 174 },
  { title: "Protocol", code: "%p", x: 222 },
  { title: "Length", code: "%L", x: 292 },
  { title: "Info", code: "%i", x: 346 },
] as const;

const WIDTH = 940;
const ROW = 16;
const TOP = 62;

/** A line of the tree of a packet. */
interface Line {
  readonly depth: number;
  readonly words: string;
}

/** The picture of a capture file as SVG. */
export async function dissection(file: string, title: string, description: string): Promise<string> {
  const packets = await listPackets(file);
  const tree = unfold(certificateStatus(await tshark(file, "-O", "tls", "-Y", "tls.handshake.type == 22")));
  const treeTop = TOP + ROW * packets.length + 24;
  return picture(WIDTH, treeTop + ROW * tree.length + 4, title, description, [
    ...COLUMNS.map(({ title, x }) => text(x, TOP - 16, title, `font-size="11" fill="${grey}"`)),
    ...packets.flatMap((packet, i) => drawPacket(packet, TOP + ROW * i)),
    line(10, treeTop - 20, WIDTH - 10, treeTop - 20, "#b8c2cc"),
    ...tree.map((each, i) => drawLine(each, treeTop + ROW * i)),
  ]);
}

async function listPackets(file: string): Promise<string[][]> {
  const format = COLUMNS.map(({ title, code }) => `"${title}","${code}"`).join(",");
  const listed = await tshark(file, "-T", "tabs", "-o", `gui.column.format:${format}`);
  return listed.map((each) => each.split("\t").map((cell) => cell.trim()));
}

async function tshark(file: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)("tshark", ["-r", file, ...args], { timeout: 30_000 });
  return stdout.split("\n").filter((each) => each !== "");
}

/** The lines of the message, from its heading to the next record. */
function certificateStatus(lines: readonly string[]): Line[] {
  const all = lines.map((each) => ({ depth: each.search(/\S/) / 4, words: each.trim() }));
  const start = all.findIndex(({ words }) => words === "Handshake Protocol: Certificate Status");
  if (start < 0) throw new Error("there is no CertificateStatus message");
  const { depth } = all[start];
  const length = all.slice(start + 1).findIndex((each) => each.depth <= depth);
  return all.slice(start, start + 1 + length).map((each) => ({ ...each, depth: each.depth - depth }));
}

/** What stays folded: the second response and those after it, and what says little. */
const folded = /^(rdnSequence|hashAlgorithm|certStatus: good|signatureAlgorithm|certs)/;
const RESPONSE = "OCSP Response";

/** What is seen, with Wireshark's mark before what can be folded. */
function unfold(lines: readonly Line[]): Line[] {
  const seen: Line[] = [];
  let hiddenBelow = Number.POSITIVE_INFINITY;
  let responses = 0;
  lines.forEach(({ depth, words }, i) => {
    if (depth > hiddenBelow) return;
    const folds = folded.test(words) || (words === RESPONSE && ++responses > 1);
    hiddenBelow = folds ? depth : Number.POSITIVE_INFINITY;
    const parent = (lines[i + 1]?.depth ?? 0) > depth;
    seen.push({ depth, words: `${parent ? (folds ? "▸" : "▾") : "\u2003"} ${words}` });
  });
  return seen;
}

const LONGEST = 118;

function drawPacket(cells: readonly string[], y: number): string[] {
  const info = cells.at(-1) ?? "";
  const stapled = info.includes("Certificate Status");
  const colour = /Fatal/.test(info) ? red : stapled ? blue : cells[4] === "TCP" ? grey : undefined;
  const style = `font-family="monospace" font-size="11"${colour ? ` fill="${colour}"` : ""}`;
  const ground = stapled ? [box(10, y - 12, WIDTH - 20, ROW, "#dbe9f6")] : [];
  return [...ground, ...cells.map((cell, i) => text(COLUMNS[i].x, y, cell, style))];
}

function drawLine({ depth, words }: Line, y: number): string {
  const colour = /certStatus: revoked|revocationTime/.test(words) ? ` fill="${red}"` : "";
  const weight = /certStatus/.test(words) ? ` font-weight="bold"` : "";
  const short = words.length > LONGEST ? `${words.slice(0, LONGEST)}…` : words;
  return text(20 + depth * 14, y, short, `font-family="monospace" font-size="11"${colour}${weight}`);
}
