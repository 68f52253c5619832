// Writes `const { a, b } = this` as `const a = this.a, b = this.b`, which takes half the byte code.
import { edited, visit } from "./rollup.syntax.js";

export const patterns = {
  name: "patterns",
  renderChunk(code) {
    const edits = [];
    visit(this.parse(code), (node, parent) => {
      if (node.type !== "VariableDeclaration" || /^For/.test(parent?.type)) return;
      for (const each of node.declarations.filter(isSimple))
        edits.push({ start: each.start, end: each.end, by: spelt(each, code, `$whole${edits.length}`) });
    });
    return { code: edited(code, edits), map: null };
  },
};

/** `{ a, b: c } = x`: names alone, without defaults, rest, computed keys or patterns within; and x has no code with such in it. */
function isSimple({ id, init }) {
  if (id.type !== "ObjectPattern" || id.properties.length === 0) return false;
  let functions = false;
  visit(init, ({ type }) => {
    functions ||= /Function|Class/.test(type);
  });
  const isName = ({ key, value, computed }) =>
    key?.type === "Identifier" && value.type === "Identifier" && !computed;
  return !functions && id.properties.every(isName);
}

/** The same with a declaration for each name. What is more than a name is kept in a variable, to be evaluated once. */
function spelt({ id, init }, code, whole) {
  const from = code.slice(init.start, init.end);
  const once = id.properties.length === 1 && /^(Member|Call|New)Expression$/.test(init.type);
  const asIs = once || init.type === "ThisExpression" || init.type === "Identifier";
  const names = id.properties.map(({ key, value }) => `${value.name} = ${asIs ? from : whole}.${key.name}`);
  return [...(asIs ? [] : [`${whole} = ${from}`]), ...names].join(", ");
}
