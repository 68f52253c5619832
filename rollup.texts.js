// Packs lists of words (src/wire/list.ts) for devices: hosts/moddable/nth.ts takes the place of what reads them. The
// pairs of bytes that come most often become bytes above 127, again and again (P. Gage, "A New Algorithm for Data
// Compression", 1994); no pair reaches from one word into the next.
import { fileURLToPath, pathToFileURL } from "node:url";
import { edited, visit } from "./rollup.syntax.js";

const path = (name) => fileURLToPath(new URL(`build/${name}.js`, import.meta.url));
const plain = path("src/wire/nth");
const unpacking = path("hosts/moddable/nth");

/** The lists that every device has: what else is packed finds these pairs. */
const learned = { fault: "commonNames", texts: "textList", alerts: "alertNames", wolfssl: "wolfsslList" };

const FIRST = 128;
const LAST = 255;
const END = 0x0a;
/** How deep pairs may be nested: a device calls itself as often to unpack a byte. */
const DEEPEST = 5;

let pairs;

/** To be run when exports that are texts are written out. */
export const texts = {
  name: "texts",
  async buildStart() {
    pairs ??= pairsOf(await Promise.all(Object.entries(learned).map(listOf)));
  },
  async resolveId(source, importer) {
    if (!source.endsWith("/nth.js")) return null;
    const found = await this.resolve(source, importer, { skipSelf: true });
    return found?.id === plain ? unpacking : null;
  },
  transform(code, id) {
    if (id === unpacking) return { code: code.replace("PAIRS", bytes(pairs.flat())), map: null };
    return { code: withPacked(code, pairs, (text) => this.parse(text)), map: null };
  },
};

const listOf = async ([file, name]) => (await import(pathToFileURL(path(`src/wire/${file}`))))[name];

/** Words with an end behind each. */
const isList = (value) => typeof value === "string" && /\n.*\n.*\n$/s.test(value);

/** The code with packed bytes in the place of its lists. */
export function withPacked(code, known, parse) {
  const edits = [];
  if (/\\n.*\\n/.test(code))
    visit(parse(code), ({ type, value, start, end }) => {
      if (type === "Literal" && isList(value)) edits.push({ start, end, by: bytes(packed(value, known)) });
    });
  return edited(code, edits);
}

/** Made when the module is loaded, which is when flash is written: what it is made of is not there. */
const bytes = (values) =>
  `/*#__PURE__*/ Uint8Array.from(${JSON.stringify(String.fromCharCode(...values))}, (each) => each.charCodeAt(0))`;

/** The pairs that pack these texts best, each of bytes that are there already. */
export function pairsOf(lists) {
  let all = lists.flatMap(codes);
  const found = [];
  const depths = new Map();
  const depth = (byte) => depths.get(byte) ?? 0;
  for (let byte = FIRST; byte <= LAST; byte++) {
    const [pair, count] = mostOf(all, (a, b) => Math.max(depth(a), depth(b)) < DEEPEST);
    // A pair takes two bytes itself
    if (count < 4) break;
    found.push(pair);
    depths.set(byte, 1 + Math.max(...pair.map(depth)));
    all = replaced(all, pair, byte);
  }
  return found;
}

/** A text's bytes, packed by these pairs in their order. */
export function packed(text, known) {
  return known.reduce((all, pair, i) => replaced(all, pair, FIRST + i), codes(text));
}

function codes(text) {
  const all = Array.from(text, (each) => each.charCodeAt(0));
  if (all.some((each) => each >= FIRST)) throw new Error("lists are of ASCII");
  return all;
}

/** The pair that comes most often within words, and how often. */
function mostOf(all, fits) {
  const counts = new Map();
  let best = [undefined, 0];
  for (let i = 1; i < all.length; i++) {
    const [a, b] = [all[i - 1], all[i]];
    if (a === END || b === END || !fits(a, b)) continue;
    const key = a * 256 + b;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (counts.get(key) > best[1]) best = [[a, b], counts.get(key)];
  }
  return best;
}

function replaced(all, [a, b], by) {
  const out = [];
  for (let i = 0; i < all.length; i++)
    if (all[i] === a && all[i + 1] === b) {
      out.push(by);
      i++;
    } else out.push(all[i]);
  return out;
}
