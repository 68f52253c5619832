/** What can be broken in a compiled file: one thing in each mutant. */

import { readFileSync } from "node:fs";
import { parseAst } from "rollup/parseAst";

export const kinds = ["checks", "conditions", "comparisons", "constants", "defaults", "statements"] as const;
export type Kind = (typeof kinds)[number];

export interface Mutant {
  /** Below build/. */
  readonly file: string;
  readonly kind: Kind;
  readonly line: number;
  /** The source that is replaced, and what replaces it. */
  readonly text: string;
  readonly by: string;
  readonly start: number;
  readonly end: number;
  /** The line as it was, for the report. */
  readonly code: string;
}

interface Node {
  type: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

type Text = (node: Node) => string;
/** A node, and what stands in its place. */
type Replacement = readonly [Node, string];
type Operator = (node: Node, text: Text) => readonly Replacement[];

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit);
}

/** Functions that throw their second argument unless the first one holds. */
const assertions = new Set(["expect", "demand"]);

const opposite: Record<string, string> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
};

/** Statements that leave. */
const leaving = /^(Throw|Return|Break|Continue)Statement$/;

/** What stands for a node so that its check is gone, but nothing else that it does. */
function checks(node: Node, text: Text): Replacement[] {
  const { type } = node;
  if (type === "ThrowStatement") return [[node, ";"]];
  const consequent = node.consequent as Node;
  // a throw has been taken out above
  if (type === "IfStatement" && leaving.test(consequent.type) && consequent.type !== "ThrowStatement")
    return [[consequent, ";"]];
  if (type === "LogicalExpression" && node.operator !== "??") {
    const neutral = node.operator === "&&";
    return [node.left, node.right].filter(isNode).map((side) => [side, `(${text(side)}, ${neutral})`]);
  }
  const callee = node.callee as Node | undefined;
  if (type !== "CallExpression" || !assertions.has(String(callee?.name))) return [];
  const [condition] = node.arguments as Node[];
  return [[condition, `[${text(condition)}]`]];
}

function conditions({ type, test }: Node, text: Text): Replacement[] {
  if (type !== "IfStatement" && type !== "ConditionalExpression") return [];
  // equality is turned round by what breaks comparisons
  const { operator } = test as Node;
  return operator === "===" || operator === "!==" ? [] : [[test as Node, `!(${text(test as Node)})`]];
}

function comparisons(node: Node, text: Text): Replacement[] {
  const by = opposite[String(node.operator)];
  if (node.type !== "BinaryExpression" || !by) return [];
  return [[node, `${text(node.left as Node)} ${by} ${text(node.right as Node)}`]];
}

function constants(node: Node): Replacement[] {
  const { type, value } = node;
  if (type !== "Literal") return [];
  if (typeof value === "boolean") return [[node, `${!value}`]];
  if (typeof value !== "number") return [];
  return value > 0
    ? [
        [node, `${value + 1}`],
        [node, `${value - 1}`],
      ]
    : [[node, "1"]];
}

/** Neither what is given nor the default for it. */
function defaults(node: Node, text: Text): Replacement[] {
  const { type, operator, left, right } = node;
  if (type === "AssignmentPattern") return [[node, text(left as Node)]];
  if (type !== "LogicalExpression" || operator !== "??") return [];
  return [
    [node, `(${text(left as Node)})`],
    [node, `(${text(right as Node)})`],
  ];
}

function statements(node: Node): Replacement[] {
  const { type, expression } = node;
  if (type !== "ExpressionStatement" || typeof node.directive === "string") return [];
  const { type: what, callee } = expression as Node;
  const isSuper = what === "CallExpression" && (callee as Node).type === "Super";
  return isSuper ? [] : [[node, ";"]];
}

const operators: Record<Kind, Operator> = {
  checks,
  conditions,
  comparisons,
  constants,
  defaults,
  statements,
};

/** All mutants of a file below `build`. */
export function mutantsOf(path: string, file: string, wanted: readonly Kind[]): Mutant[] {
  const source = readFileSync(path, "utf8");
  const lines = source.split("\n");
  const mutants: Mutant[] = [];
  const text = ({ start, end }: Node) => source.slice(start, end);
  walk(parseAst(source) as unknown as Node, (node) => {
    for (const kind of wanted)
      for (const [{ start, end }, by] of operators[kind](node, text)) {
        const line = source.slice(0, start).split("\n").length;
        mutants.push({
          file,
          kind,
          line,
          text: source.slice(start, end),
          by,
          start,
          end,
          code: lines[line - 1].trim(),
        });
      }
  });
  return mutants;
}
