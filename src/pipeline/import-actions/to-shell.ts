import { asksForStatus, pathsOf, type Expression } from "./expression.ts";
import { formatPieces, toCel, type CelScope } from "./to-cel.ts";

/** `word`: text that may stand between double quotes of a shell. */
export type ShellWord = { ok: true; word: string } | { ok: false; because: string };
/** `test`: a command that exits 0 when the condition holds. */
export type ShellTest = { ok: true; test: string } | { ok: false; because: string };

/** What the contexts of a step's expressions are inside the command of its job. */
export interface ShellScope {
  cel: CelScope;
  /** Ids of the steps before this one; `true` for those that can have outputs here. */
  steps: ReadonlyMap<string, boolean>;
  /** A variable of the pipeline's step that holds the value of a CEL expression; answers its name. */
  variable(cel: string, hint: string): string;
}

const no = (because: string): { ok: false; because: string } => ({ ok: false, because });

/** Values that only the shell knows: what earlier steps wrote, and the machine. */
const SHELL_ROOTS = ["steps", "env", "runner", "job", "strategy"];

/** The value as text of the shell, or why there is none. Values never become code: each stays inside a variable. */
export function shellWord(expression: Expression, scope: ShellScope): ShellWord {
  if (expression.kind === "literal") {
    const { value } = expression;
    if (value === null) return { ok: true, word: "" };
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      return { ok: true, word: quoted(String(value)) };
    return no("a list has no text here");
  }
  if (expression.kind === "path" && isOfShell(expression)) return ofShell(expression, scope);
  const needsShell = pathsOf(expression).some(isOfShell) || asksForStatus(expression);
  if (!needsShell) {
    const value = toCel(expression, scope.cel);
    if (value.ok) return { ok: true, word: `\${${scope.variable(value.cel, hintOf(expression))}}` };
    if (expression.kind === "path") return value;
  }
  if (expression.kind === "any" && !asksForStatus(expression)) return firstOf(expression.of, scope);
  if (expression.kind === "all" && expression.of.length >= 2) return chosen(expression.of, [], scope);
  if (expression.kind === "call" && expression.name === "format") return formatted(expression.args, scope);
  if (["compare", "not", "call"].includes(expression.kind)) {
    const test = shellTest(expression, scope);
    return test.ok ? { ok: true, word: `$(if ${test.test}; then echo true; else echo false; fi)` } : test;
  }
  return no("a value that both the run and its steps decide is not supported yet");
}

function formatted([pattern, ...args]: readonly Expression[], scope: ShellScope): ShellWord {
  if (pattern?.kind !== "literal" || typeof pattern.value !== "string") return no("format() with a computed pattern is not supported yet");
  let text = "";
  for (const piece of formatPieces(pattern.value)) {
    const arg = typeof piece === "number" ? args[piece] : undefined;
    if (typeof piece === "number" && !arg) return no("format() names an argument that is not there");
    const word = arg ? shellWord(arg, scope) : { ok: true as const, word: quoted(String(piece)) };
    if (!word.ok) return word;
    text += word.word;
  }
  return { ok: true, word: text };
}

/** `a || b || c`, and `x && 'a' || 'b'`. */
function firstOf(parts: readonly Expression[], scope: ShellScope): ShellWord {
  const [first, ...rest] = parts;
  if (!first) return { ok: true, word: "" };
  if (rest.length === 0) return shellWord(first, scope);
  if (first.kind === "all" && first.of.length >= 2) return chosen(first.of, rest, scope);
  const [a, b] = [shellWord(first, scope), firstOf(rest, scope)];
  if (!a.ok || !b.ok) return a.ok ? b : a;
  return { ok: true, word: `$(if ${isTrue(a.word)}; then printf %s "${a.word}"; else printf %s "${b.word}"; fi)` };
}

function chosen(parts: readonly Expression[], otherwise: readonly Expression[], scope: ShellScope): ShellWord {
  const test = shellTest({ kind: "all", of: parts.slice(0, -1) }, scope);
  const last = parts.at(-1);
  if (!test.ok) return test;
  if (last?.kind !== "literal" || !last.value) return no("which of two values is chosen depends on the first of them");
  const [a, b] = [shellWord(last, scope), firstOf(otherwise, scope)];
  if (!a.ok || !b.ok) return a.ok ? b : a;
  return { ok: true, word: `$(if ${test.test}; then printf %s "${a.word}"; else printf %s "${b.word}"; fi)` };
}

/** The condition of a step as a command. `$failed` is 0 while no step before it has failed. */
export function shellTest(expression: Expression, scope: ShellScope): ShellTest {
  switch (expression.kind) {
    case "literal":
      return { ok: true, test: expression.value ? "true" : "false" };
    case "not": {
      const of = shellTest(expression.of, scope);
      return of.ok ? { ok: true, test: `! ${grouped(of.test)}` } : of;
    }
    case "all":
    case "any": {
      const tests = expression.of.map((part) => shellTest(part, scope));
      const failed = tests.find((test) => !test.ok);
      if (failed) return failed;
      return { ok: true, test: tests.map((test) => (test.ok ? grouped(test.test) : "")).join(expression.kind === "all" ? " && " : " || ") };
    }
    case "compare":
      return compare(expression, scope);
    case "call":
      return call(expression, scope);
    case "path": {
      const value = shellWord(expression, scope);
      return value.ok ? { ok: true, test: isTrue(value.word) } : value;
    }
    default:
      return expression satisfies never;
  }
}

function compare({ op, left, right }: Extract<Expression, { kind: "compare" }>, scope: ShellScope): ShellTest {
  const truth = [left, right].find((side) => side.kind === "literal" && typeof side.value === "boolean");
  if (op === "==" || op === "!=") {
    // What is not `true` is false, an empty text too.
    const wanted = truth?.kind === "literal" ? (truth.value === true) === (op === "==") : undefined;
    const [a, b] = [shellWord(left === truth ? right : left, scope), truth ? { ok: true as const, word: "true" } : shellWord(right, scope)];
    if (!a.ok) return a;
    if (!b.ok) return b;
    return { ok: true, test: `[ "${a.word}" ${(wanted ?? op === "==") ? "=" : "!="} "${b.word}" ]` };
  }
  const [a, b] = [shellWord(left, scope), shellWord(right, scope)];
  if (!a.ok) return a;
  if (!b.ok) return b;
  const operator = { "<": "-lt", "<=": "-le", ">": "-gt", ">=": "-ge" }[op];
  return { ok: true, test: `[ "${a.word}" ${operator} "${b.word}" ]` };
}

function call({ name, args }: Extract<Expression, { kind: "call" }>, scope: ShellScope): ShellTest {
  switch (name) {
    case "always":
      return { ok: true, test: "true" };
    case "success":
      return { ok: true, test: '[ "$failed" = 0 ]' };
    case "failure":
      return { ok: true, test: '[ "$failed" != 0 ]' };
    case "cancelled":
      // A cancelled step of the pipeline is ended as a whole.
      return { ok: true, test: "false" };
    default: {
      const [first, second] = args;
      if (!first || !second || !["contains", "startswith", "endswith"].includes(name)) return no(`${name}() is not supported yet`);
      if (first.kind === "literal" && Array.isArray(first.value))
        return shellTest(
          { kind: "any", of: first.value.map((value) => ({ kind: "compare", op: "==", left: second, right: { kind: "literal", value } })) },
          scope,
        );
      const [a, b] = [shellWord(first, scope), shellWord(second, scope)];
      if (!a.ok) return a;
      if (!b.ok) return b;
      const pattern = `${name === "startswith" ? "" : "*"}"${b.word}"${name === "endswith" ? "" : "*"}`;
      return { ok: true, test: `case "${a.word}" in (${pattern}) true ;; (*) false ;; esac` };
    }
  }
}

// Patterns are opened with a bracket: old shells take a lone `)` for the end of `$(`.
const isTrue = (word: string): string => `case "${word}" in (""|false|0) false ;; (*) true ;; esac`;
const grouped = (test: string): string => (test.includes(" && ") || test.includes(" || ") ? `{ ${test}; }` : test);

type PathExpression = Extract<Expression, { kind: "path" }>;

const isOfShell = ({ root, keys }: PathExpression): boolean =>
  SHELL_ROOTS.includes(root) || (root === "github" && ["workspace", "action_path", "output", "env"].includes(keys[0] ?? ""));

function ofShell({ root, keys }: PathExpression, scope: ShellScope): ShellWord {
  const [first = "", second = "", third = ""] = keys;
  const name = [root, ...keys].join(".");
  if (root === "github" && first === "workspace") return { ok: true, word: "${GITHUB_WORKSPACE}" };
  if (root === "env" && /^[A-Za-z_]\w*$/.test(first)) return { ok: true, word: `\${${first}-}` };
  if (root === "runner" && ["os", "arch", "temp"].includes(first)) return { ok: true, word: `\${RUNNER_${first.toUpperCase()}}` };
  if (root === "steps") {
    const hasOutputs = scope.steps.get(first);
    if (second === "outputs") return { ok: true, word: hasOutputs ? `\${${outputVariable(first, third)}-}` : "" };
    if ((second === "outcome" || second === "conclusion") && hasOutputs !== undefined)
      return { ok: true, word: `\${${outcomeVariable(first)}-skipped}` };
  }
  return no(`${name} is not supported yet`);
}

const variablePart = (text: string): string => text.replace(/\W/g, "_");
/** Where the command keeps what a step wrote to `$GITHUB_OUTPUT`. */
export const outputVariable = (step: string, name: string): string => `out_${variablePart(step)}_${variablePart(name)}`;
export const outcomeVariable = (step: string): string => `outcome_${variablePart(step)}`;

/** Text as it stands between double quotes. */
export const quoted = (text: string): string => text.replace(/[\\"$`]/g, "\\$&");

const hintOf = (expression: Expression): string =>
  expression.kind === "path" ? [expression.root, ...expression.keys.filter((key) => key !== "outputs")].join("_") : "value";
