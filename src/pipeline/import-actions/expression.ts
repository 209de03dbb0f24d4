import { Lexer, Parser } from "@actions/expressions";
import {
  Binary,
  ContextAccess,
  FunctionCall,
  Grouping,
  IndexAccess,
  Literal,
  Logical,
  Star,
  Unary,
  type Expr,
} from "@actions/expressions/ast";
import { TokenType } from "@actions/expressions/lexer";

/** An expression of a workflow, with what can be computed beforehand computed. */
export type Expression =
  /** JSON. */
  | { kind: "literal"; value: unknown }
  /** `needs.build.outputs.tag`: root `needs`, keys the rest; `*` stands for every key. */
  | { kind: "path"; root: string; keys: string[] }
  | { kind: "not"; of: Expression }
  | { kind: "compare"; op: "==" | "!=" | "<" | "<=" | ">" | ">="; left: Expression; right: Expression }
  /** `&&` and `||` answer one of their operands, not a boolean. */
  | { kind: "all" | "any"; of: Expression[] }
  /** Name in lower case: GitHub does not tell cases apart. */
  | { kind: "call"; name: string; args: Expression[] };

export type ParsedExpression = { ok: true; expression: Expression } | { ok: false; because: string };

const CONTEXTS = ["github", "env", "vars", "job", "jobs", "steps", "runner", "secrets", "strategy", "matrix", "needs", "inputs"];
const STATUS_FUNCTIONS = ["always", "success", "failure", "cancelled"];
const FUNCTIONS = [...STATUS_FUNCTIONS, "hashFiles"].map((name) => ({ name, minArgs: 0, maxArgs: 255 }));
const LONGEST = 21_000; // GitHub's own limit, characters

/** Parses the inside of a `${{ }}` with GitHub's own grammar. Never throws. */
export function parseExpression(text: string): ParsedExpression {
  if (text.length > LONGEST) return { ok: false, because: `it is longer than ${LONGEST} characters` };
  try {
    return { ok: true, expression: plain(new Parser(new Lexer(text).lex().tokens, CONTEXTS, FUNCTIONS).parse()) };
  } catch (cause) {
    return { ok: false, because: cause instanceof Error ? cause.message : String(cause) };
  }
}

const OPERATORS: Readonly<Partial<Record<TokenType, "==" | "!=" | "<" | "<=" | ">" | ">=">>> = {
  [TokenType.EQUAL_EQUAL]: "==",
  [TokenType.BANG_EQUAL]: "!=",
  [TokenType.LESS]: "<",
  [TokenType.LESS_EQUAL]: "<=",
  [TokenType.GREATER]: ">",
  [TokenType.GREATER_EQUAL]: ">=",
};

function plain(node: Expr): Expression {
  if (node instanceof Literal) return { kind: "literal", value: jsonOf(node) };
  if (node instanceof Grouping) return plain(node.group);
  if (node instanceof Unary) return { kind: "not", of: plain(node.expr) };
  if (node instanceof Logical) return { kind: node.operator.type === TokenType.AND ? "all" : "any", of: node.args.map(plain) };
  if (node instanceof Binary) {
    const op = OPERATORS[node.operator.type];
    if (!op) throw new Error(`the operator ${node.operator.lexeme} is not known`);
    return { kind: "compare", op, left: plain(node.left), right: plain(node.right) };
  }
  if (node instanceof ContextAccess) return { kind: "path", root: node.name.lexeme.toLowerCase(), keys: [] };
  if (node instanceof IndexAccess) return indexed(plain(node.expr), node.index);
  if (node instanceof FunctionCall) {
    const call = { kind: "call" as const, name: node.functionName.lexeme.toLowerCase(), args: node.args.map(plain) };
    const [first] = call.args;
    // A list is written as fromJSON('["a", "b"]'), for want of another way.
    if (call.name === "fromjson" && first?.kind === "literal")
      return { kind: "literal", value: JSON.parse(String(first.value)) as unknown };
    return call;
  }
  throw new Error("a part of it is not known");
}

function indexed(of: Expression, index: Expr): Expression {
  if (of.kind !== "path") throw new Error("an index into a computed value is not supported yet");
  if (index instanceof Star) return { ...of, keys: [...of.keys, "*"] };
  const key = plain(index);
  if (key.kind !== "literal" || (typeof key.value !== "string" && typeof key.value !== "number"))
    throw new Error("an index that is computed is not supported yet");
  return { ...of, keys: [...of.keys, String(key.value)] };
}

function jsonOf(node: Literal): unknown {
  const { token } = node;
  switch (token.type) {
    case TokenType.TRUE:
      return true;
    case TokenType.FALSE:
      return false;
    case TokenType.NULL:
      return null;
    case TokenType.NUMBER:
      return Number(token.value);
    default:
      return String(token.value ?? token.lexeme);
  }
}

/** Whether it asks how the steps or jobs before it ended; without that GitHub puts `success()` before it. */
export function asksForStatus(expression: Expression): boolean {
  switch (expression.kind) {
    case "literal":
    case "path":
      return false;
    case "not":
      return asksForStatus(expression.of);
    case "compare":
      return asksForStatus(expression.left) || asksForStatus(expression.right);
    case "all":
    case "any":
      return expression.of.some(asksForStatus);
    case "call":
      return STATUS_FUNCTIONS.includes(expression.name) || expression.args.some(asksForStatus);
    default:
      return expression satisfies never;
  }
}

/** Every context the expression reads. */
export function pathsOf(expression: Expression): Extract<Expression, { kind: "path" }>[] {
  switch (expression.kind) {
    case "literal":
      return [];
    case "path":
      return [expression];
    case "not":
      return pathsOf(expression.of);
    case "compare":
      return [...pathsOf(expression.left), ...pathsOf(expression.right)];
    case "all":
    case "any":
      return expression.of.flatMap(pathsOf);
    case "call":
      return expression.args.flatMap(pathsOf);
    default:
      return expression satisfies never;
  }
}
