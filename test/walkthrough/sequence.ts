import { arrow, blue, box, green, grey, line, picture, text } from "./svg.js";

// Who says what when a client asks with -W 3, twice: TLS 1.2, status_request_v2 with ocsp_multi.

const lanes = [
  { x: 110, name: "client", what: "-W 3" },
  { x: 410, name: "server", what: "server3" },
  { x: 560, name: "its cache", what: "Stapler" },
  { x: 700, name: "responder", what: "intermediate2, 22222" },
  { x: 840, name: "responder", what: "root, 22220" },
] as const;

const [CLIENT, SERVER, CACHE, LEAF, ROOT] = [0, 1, 2, 3, 4];

/** From one lane to another; the same lane twice: what happens there. No lanes: a heading. */
type Step = readonly [words: string, from?: number, to?: number];

const tail: readonly Step[] = [
  ["ServerKeyExchange, ServerHelloDone", SERVER, CLIENT],
  ["verifies the chain, then each staple: signature, signer, times", CLIENT, CLIENT],
  ["ClientKeyExchange, ChangeCipherSpec, Finished", CLIENT, SERVER],
  ["NewSessionTicket, ChangeCipherSpec, Finished", SERVER, CLIENT],
];

const steps: readonly Step[] = [
  ["First connection: the cache is empty"],
  ["ClientHello, status_request_v2: ocsp_multi", CLIENT, SERVER],
  ["asks for three", SERVER, CACHE],
  ["GET serial 07", CACHE, LEAF],
  ["GET serial 02, GET serial 63", CACHE, ROOT],
  ["good, until nextUpdate", LEAF, CACHE],
  ["good, good, until nextUpdate", ROOT, CACHE],
  ["verifies each as a client would, then keeps it", CACHE, CACHE],
  ["three staples", CACHE, SERVER],
  ["ServerHello, status_request_v2 (empty)", SERVER, CLIENT],
  ["Certificate: server3, intermediate2, root", SERVER, CLIENT],
  ["CertificateStatus, ocsp_multi: 07, 02, 63", SERVER, CLIENT],
  ...tail,
  ["Second connection, before nextUpdate nears: no responder is asked"],
  ["ClientHello, status_request_v2: ocsp_multi", CLIENT, SERVER],
  ["asks for three", SERVER, CACHE],
  ["three staples", CACHE, SERVER],
  ["ServerHello, status_request_v2 (empty)", SERVER, CLIENT],
  ["Certificate: server3, intermediate2, root", SERVER, CLIENT],
  ["CertificateStatus, ocsp_multi: 07, 02, 63", SERVER, CLIENT],
  ...tail,
];

const TOP = 86;
const STEP = 27;
const WIDTH = 920;
const BOTTOM = TOP + STEP * (steps.length + 0.5);

const description =
  "The client asks the server for the status of every certificate. At the first connection the server's cache asks " +
  "the responder of intermediate2 for serial 07 and the root's responder for serials 02 and 63, verifies the " +
  "answers and keeps them; the server sends all three in one CertificateStatus message between Certificate and " +
  "ServerKeyExchange. At the second connection the cache hands them out and no responder is asked.";

/** The picture as SVG. */
export function sequence(): string {
  const title = "OCSP stapling of a whole chain in TLS 1.2 (RFC 6961), twice";
  return picture(WIDTH, BOTTOM + 14, title, description, [
    ...lanes.flatMap(lane),
    ...steps.flatMap((step, i) => draw(step, TOP + STEP * (i + 1))),
  ]);
}

function lane({ x, name, what }: (typeof lanes)[number]): string[] {
  return [
    line(x, TOP - 8, x, BOTTOM, "#b8c2cc", `stroke-dasharray="2 3"`),
    text(x, TOP - 30, name, `text-anchor="middle" font-weight="bold" fill="${blue}"`),
    text(x, TOP - 15, what, `text-anchor="middle" font-size="11" fill="${grey}"`),
  ];
}

function draw([words, from, to]: Step, y: number): string[] {
  if (from === undefined || to === undefined) return heading(words, y);
  const [a, b] = [lanes[from].x, lanes[to].x];
  if (from === to) return happening(words, a, y);
  const staple = words.startsWith("CertificateStatus");
  const colour = staple ? green : from > SERVER || to > SERVER ? grey : blue;
  const middle = `text-anchor="middle" font-size="11" fill="${colour}"${staple ? ` font-weight="bold"` : ""}`;
  return [
    ...label((a + b) / 2, y - 5, words, middle),
    arrow(a, b, y, colour, staple ? `stroke-width="2"` : ""),
  ];
}

function heading(words: string, y: number): string[] {
  return [box(10, y - 18, WIDTH - 20, 22, "#e8edf2"), text(20, y - 3, words, `font-weight="bold"`)];
}

function happening(words: string, x: number, y: number): string[] {
  const width = words.length * 5.6 + 12;
  const left = Math.max(14, x - width / 2);
  const frame = box(left, y - 14, width, 18, "#fdf6e3", `stroke="#b8c2cc"`);
  return [frame, text(left + 6, y - 1, words, `font-size="11"`)];
}

/** Words on a white ground, so that no lane goes through them. */
function label(x: number, y: number, words: string, more: string): string[] {
  const width = words.length * 5.4;
  return [box(x - width / 2, y - 10, width, 12, "#fff"), text(x, y, words, more)];
}
