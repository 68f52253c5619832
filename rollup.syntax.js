// What the build steps have in common: to walk a syntax tree, and to put other text in the place of some of it.

/** Calls `enter(node, parent)` for a node and all below it. */
export function visit(node, enter, parent) {
  if (node === null || typeof node !== "object") return;
  if (node.type) enter(node, parent);
  for (const child of Object.values(node)) visit(child, enter, node.type ? node : parent);
}

/** The code with each edit, `{ start, end, by }`, in the place of what was there; edits don't overlap. */
export function edited(code, edits) {
  const replace = (text, { start, end, by }) => text.slice(0, start) + by + text.slice(end);
  return [...edits].sort((a, b) => b.start - a.start).reduce(replace, code);
}
