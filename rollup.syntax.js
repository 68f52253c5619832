// What the build steps have in common: to walk a syntax tree, and to put other text in the place of some of it.

/** Calls `enter(node, parent)` for a node and all below it. */
export function visit(node, enter, parent) {
  if (node === null || typeof node !== "object") return;
  if (node.type) enter(node, parent);
  for (const child of Object.values(node)) visit(child, enter, node.type ? node : parent);
}

/** The same with all nodes above it: `enter(node, path)`, from the outermost to the innermost. */
export function visitPath(node, enter, path = []) {
  if (node === null || typeof node !== "object") return;
  if (node.type) enter(node, path);
  const below = node.type ? [...path, node] : path;
  for (const child of Object.values(node)) visitPath(child, enter, below);
}

export const within = (node, outer) => outer.start <= node.start && node.end <= outer.end;

/** The code with each edit, `{ start, end, by }`, in the place of what was there; edits don't overlap. */
export function edited(code, edits) {
  const replace = (text, { start, end, by }) => text.slice(0, start) + by + text.slice(end);
  return [...edits].sort((a, b) => b.start - a.start).reduce(replace, code);
}

/** The code between two places, with the edits that are there. */
export function slice(code, edits, start, end) {
  const inside = edits.filter((edit) => edit.start >= start && edit.end <= end);
  const moved = inside.map((edit) => ({ ...edit, start: edit.start - start, end: edit.end - start }));
  return edited(code.slice(start, end), moved);
}
