// `expect(a, b)` as `if (!(a)) throw b`, of which a device needs half the bytes, and no call.
import { edited, visitPath } from "./rollup.syntax.js";

/** To be run before an arrow function's expression is put elsewhere. */
export const expectations = {
  name: "expectations",
  transform(code) {
    const own = /\bimport\s*\{[^}]*\bexpect\b[^}]*\}\s*from\s*"[^"]*\/fault\.js"/.test(code);
    return own ? { code: thrown(code, (text) => this.parse(text)), map: null } : null;
  },
};

export function thrown(code, parse) {
  const edits = [];
  visitPath(parse(code), ({ type, callee, arguments: given, start, end }, path) => {
    if (type !== "CallExpression" || callee.name !== "expect") return;
    const parent = path.at(-1);
    const [holds, fault] = given.map((each) => code.slice(each.start, each.end));
    const text = `if (!(${holds})) throw (${fault});`;
    if (parent.type === "ExpressionStatement") edits.push({ start: parent.start, end: parent.end, by: text });
    else if (parent.type === "ArrowFunctionExpression") edits.push({ start, end, by: `{ ${text} }` });
  });
  return edited(code, edits);
}
