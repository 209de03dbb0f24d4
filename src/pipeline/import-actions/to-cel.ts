import type { Expression } from "./expression.ts";
import type { PipelineInputs } from "./pipeline-inputs.ts";

/** `json` holds lists, maps and values of unknown type. */
type CelType = "bool" | "string" | "number" | "json";
export type Cel = { ok: true; cel: string; type: CelType } | { ok: false; because: string };

/** What the contexts of an expression are in the pipeline. */
export interface CelScope {
  inputs: PipelineInputs;
  /** Jobs it may ask, with their steps. */
  needs: ReadonlyMap<string, NeededJob>;
  /** Where values of the matrix are, which every combination has, and all that some have; absent outside of one. */
  matrix: { variable: "matrix" | "item"; sureKeys: ReadonlySet<string>; allKeys: ReadonlySet<string> | undefined } | undefined;
  /** Secrets may stand in variables only. */
  allowsSecrets: boolean;
  workflowName: string;
  jobId: string;
}

export interface NeededJob {
  step: string;
  /** Names of its `outputs`. */
  outputs: ReadonlySet<string>;
  /** It is multiplied, so its output is a list. */
  isMultiplied: boolean;
}

const no = (because: string): Cel => ({ ok: false, because });
const yes = (cel: string, type: CelType): Cel => ({ ok: true, cel, type });

const OUTCOMES: Readonly<Record<string, string>> = { success: "succeeded", failure: "failed", cancelled: "cancelled", skipped: "skipped" };

const RESULTS = Object.fromEntries(Object.entries(OUTCOMES).map(([result, outcome]) => [outcome, result]));

/** The same value in the pipeline's language, or why there is none. */
export function toCel(expression: Expression, outer: CelScope): Cel {
  // A secret is a variable's text or a part of it, never a value that something is computed from.
  const scope = expression.kind === "path" ? outer : { ...outer, allowsSecrets: false };
  switch (expression.kind) {
    case "literal":
      return literal(expression.value);
    case "path":
      return path(expression.root, expression.keys, scope);
    case "not": {
      const of = condition(expression.of, scope);
      return of.ok ? yes(`!${of.cel}`, "bool") : of;
    }
    case "compare":
      return compare(expression, scope);
    case "all":
    case "any":
      return logical(expression, scope);
    case "call":
      return call(expression, scope);
    default:
      return expression satisfies never;
  }
}

/** The same as true or false, as GitHub reads values: empty texts, 0 and null are false. */
export function condition(expression: Expression, outer: CelScope): Cel {
  const scope = { ...outer, allowsSecrets: false };
  if (expression.kind === "all" || expression.kind === "any") {
    const parts = expression.of.map((part) => condition(part, scope));
    const failed = parts.find((part) => !part.ok);
    if (failed) return failed;
    const cel = parts.map((part) => (part.ok ? part.cel : "")).join(expression.kind === "all" ? " && " : " || ");
    return yes(`(${cel})`, "bool");
  }
  const value = toCel(expression, scope);
  if (!value.ok) return value;
  switch (value.type) {
    case "bool":
      return value;
    case "string":
      return yes(`(${value.cel} != "")`, "bool");
    case "number":
      return yes(`(${value.cel} != 0)`, "bool");
    case "json":
      return no("whether a value of unknown type is true depends on the run");
    default:
      return value.type satisfies never;
  }
}

function literal(value: unknown): Cel {
  if (typeof value === "string") return yes(celText(value), "string");
  if (typeof value === "number") return yes(String(value), "number");
  if (typeof value === "boolean") return yes(String(value), "bool");
  // null is an empty text wherever GitHub writes or compares it.
  if (value === null) return yes('""', "string");
  return yes(celJson(value), "json");
}

/** JSON is CEL, but for the way texts escape. */
function celJson(value: unknown): string {
  if (typeof value === "string") return celText(value);
  if (Array.isArray(value)) return `[${value.map(celJson).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    // Never `}}`, which would end the expression.
    return `{ ${Object.entries(value)
      .map(([k, v]) => `${celText(k)}: ${celJson(v)}`)
      .join(", ")} }`;
  }
  return String(value);
}

/** A text in double quotes, escaped as JSON does. Never holds `}}`, which would end the expression. */
export const celText = (text: string): string => JSON.stringify(text).replaceAll("}}", "}\\u007d");

const member = (of: string, key: string): string => (/^[A-Za-z_]\w*$/.test(key) ? `${of}.${key}` : `${of}[${celText(key)}]`);

function path(root: string, keys: readonly string[], scope: CelScope): Cel {
  const name = [root, ...keys].join(".");
  const [first = "", second = "", third] = keys;
  if (keys.includes("*")) return no(`${name} names many values at once, which is not supported yet`);
  switch (root) {
    case "inputs":
      return workflowInput(first, false, scope);
    case "github":
      if (first === "event" && second === "inputs" && third !== undefined) return workflowInput(third, true, scope);
      if (first === "workflow") return yes(celText(scope.workflowName), "string");
      if (first === "job") return yes(celText(scope.jobId), "string");
      if (first === "run_id") return yes("run.id", "string");
      if (first === "workspace") return no(`${name} is known inside the command only`);
      if (first === "token") return secret("GITHUB_TOKEN", scope);
      if (first === "") return no("the whole of `github` is not known here");
      return yes(`inputs.${scope.inputs.ofGithub(keys)}`, "string");
    case "vars":
      return yes(`inputs.${scope.inputs.ofVariable(first)}`, "string");
    case "secrets":
      return secret(first, scope);
    case "matrix":
      if (scope.matrix === undefined || first === "") return no(`${name} has no value outside of a matrix`);
      return matrixValue(keys, scope.matrix);
    case "needs":
      return need(first, keys.slice(1), scope);
    default:
      return no(`${name} is known to GitHub's runner only`);
  }
}

/** `node-version` is no name that the pipeline's expressions can write. */
export const axisName = (name: string): string => name.replace(/\W/g, "_").replace(/^(?:\d.*|in|true|false|null)$/, "_$&");

/** A value that a combination has not is empty at GitHub. */
function matrixValue(keys: readonly string[], { variable, sureKeys, allKeys }: NonNullable<CelScope["matrix"]>): Cel {
  const [first = "", ...rest] = keys;
  if (allKeys && !allKeys.has(first)) return yes('""', "string");
  // The keys of a list's items come from a job, and stay.
  const spelt = variable === "matrix" ? [axisName(first), ...rest] : keys;
  const value = spelt.reduce(member, variable);
  const isSure = keys.length === 1 && sureKeys.has(first);
  if (isSure) return yes(value, "json");
  const there = spelt.map((key, i) => `${celText(key)} in ${spelt.slice(0, i).reduce(member, variable)}`);
  return yes(`(${there.join(" && ")} ? ${value} : "")`, "json");
}

function workflowInput(name: string, isText: boolean, scope: CelScope): Cel {
  const input = scope.inputs.ofWorkflow(name);
  if (!input) return yes('""', "string");
  const cel = `inputs.${input.name}`;
  if (input.type === "boolean") return isText ? yes(`(${cel} ? "true" : "false")`, "string") : yes(cel, "bool");
  if (input.type === "number") return isText ? yes(`string(${cel})`, "string") : yes(cel, "number");
  return yes(cel, "string");
}

function secret(name: string, scope: CelScope): Cel {
  if (!scope.allowsSecrets) return no(`the secret ${name} may stand in a variable (\`env\`) only, by itself`);
  if (!/^[A-Za-z_]\w*$/.test(name)) return no(`${name} is no name of a secret`);
  scope.inputs.secrets.add(name);
  return yes(`secrets.${name}`, "string");
}

function need(id: string, keys: readonly string[], scope: CelScope): Cel {
  const job = scope.needs.get(id);
  if (!job) return no(`${id} is not among the needs of the job`);
  const [what = "", output = ""] = keys;
  if (what === "result") return yes(`${celJson(RESULTS)}[${member("steps", job.step)}.outcome]`, "string");
  if (what !== "outputs" || output === "") return no(`needs.${id}.${keys.join(".")} is not known`);
  if (job.isMultiplied) return no(`${id} is multiplied by a matrix, so it has many outputs instead of one`);
  if (!job.outputs.has(output)) return yes('""', "string");
  return yes(member(`${member("steps", job.step)}.output`, output), "string");
}

function compare(expression: Extract<Expression, { kind: "compare" }>, scope: CelScope): Cel {
  const { op, left, right } = expression;
  const outcome = outcomeComparison(left, right, op, scope) ?? outcomeComparison(right, left, op, scope);
  if (outcome) return outcome;
  const a = toCel(left, scope);
  const b = toCel(right, scope);
  if (!a.ok) return a;
  if (!b.ok) return b;
  if (a.type === b.type && a.type !== "json") {
    if (a.type === "number" || ((op === "==" || op === "!=") && a.type !== "bool")) return yes(`(${a.cel} ${op} ${b.cel})`, "bool");
    if (op === "==" || op === "!=") return yes(`(${a.cel} ${op} ${b.cel})`, "bool");
    return no(`texts are compared with ${op}`);
  }
  if (op !== "==" && op !== "!=") return no(`values of unknown type are compared with ${op}`);
  if (a.type === "json" || b.type === "json") return no("a value of unknown type is compared");
  // What GitHub knows is a text here: `github.event.release.prerelease == false` holds when it is not "true".
  const [text, truth] = a.type === "string" ? [a, b] : [b, a];
  const isOneTruth = text.type === "string" && (truth.cel === "true" || truth.cel === "false");
  if (!isOneTruth) return no("values of different types are compared");
  return yes(`(${text.cel} ${(truth.cel === "true") === (op === "==") ? "==" : "!="} "true")`, "bool");
}

function outcomeComparison(result: Expression, word: Expression, op: string, scope: CelScope): Cel | undefined {
  if (result.kind !== "path" || result.root !== "needs" || result.keys[1] !== "result") return undefined;
  const outcome = word.kind === "literal" && typeof word.value === "string" ? OUTCOMES[word.value.toLowerCase()] : undefined;
  if (outcome === undefined || (op !== "==" && op !== "!="))
    return no("how a job ended is compared with something else than one of its four ends");
  const [id = ""] = result.keys;
  if (id !== "*") {
    const job = scope.needs.get(id);
    return job ? yes(`(${member("steps", job.step)}.outcome ${op} "${outcome}")`, "bool") : no(`${id} is not among the needs of the job`);
  }
  return undefined;
}

/** `a && b` in place of a value: GitHub answers the operand that decides. */
function logical(expression: Extract<Expression, { kind: "all" | "any" }>, scope: CelScope): Cel {
  const [first, second] = expression.of;
  const isPair = expression.of.length === 2 && first && second;
  const chosen = first?.kind === "all" ? first.of.at(-1) : undefined;
  // The idiom `x && 'a' || 'b'`: sure only where what is chosen is true itself.
  if (isPair && expression.kind === "any" && first.kind === "all" && chosen?.kind === "literal" && Boolean(chosen.value))
    return choice(condition({ kind: "all", of: first.of.slice(0, -1) }, scope), toCel(chosen, scope), toCel(second, scope));
  const values = expression.of.map((part) => toCel(part, scope));
  const failed = values.find((value) => !value.ok);
  if (failed) return failed;
  if (values.every((value) => value.ok && value.type === "bool")) return condition(expression, scope);
  const [a, b] = values;
  if (!isPair || !a || !b) return no("a choice among several values is not supported yet");
  return expression.kind === "any" ? choice(condition(first, scope), a, b) : choice(condition(first, scope), b, a);
}

function choice(decides: Cel, then: Cel, otherwise: Cel): Cel {
  if (!decides.ok) return decides;
  if (!then.ok) return then;
  if (!otherwise.ok) return otherwise;
  if (then.type !== otherwise.type) return no("a choice between values of different types is not supported yet");
  return yes(`(${decides.cel} ? ${then.cel} : ${otherwise.cel})`, then.type);
}

function call({ name, args }: Extract<Expression, { kind: "call" }>, scope: CelScope): Cel {
  const [first, second] = args;
  if (name === "contains" && first && second) return contains(first, second, scope);
  if ((name === "startswith" || name === "endswith") && first && second) {
    const [a, b] = [textOf(first, scope), textOf(second, scope)];
    if (!a.ok || !b.ok) return a.ok ? b : a;
    return yes(`${a.cel}.${name === "startswith" ? "startsWith" : "endsWith"}(${b.cel})`, "bool");
  }
  if (name === "format" && first?.kind === "literal" && typeof first.value === "string") return format(first.value, args.slice(1), scope);
  if (name === "fromjson" && first?.kind === "path" && first.root === "needs") {
    const [id = "", what, output = ""] = first.keys;
    const job = scope.needs.get(id);
    if (!job || what !== "outputs" || !job.outputs.has(output) || job.isMultiplied)
      return no(`fromJSON of needs.${first.keys.join(".")} is not known`);
    return yes(member(`${member("steps", job.step)}.output`, jsonOutput(output)), "json");
  }
  if (["always", "success", "failure", "cancelled"].includes(name)) return no(`${name}() inside a larger expression is not supported yet`);
  return no(`${name}() is not supported yet`);
}

/** Where a job keeps an output that others read with fromJSON. */
export const jsonOutput = (name: string): string => `${name.replace(/\W/g, "_")}__json`;

function contains(list: Expression, wanted: Expression, scope: CelScope): Cel {
  if (list.kind === "literal" && Array.isArray(list.value)) {
    const value = toCel(wanted, scope);
    return value.ok ? yes(`(${value.cel} in ${celJson(list.value)})`, "bool") : value;
  }
  if (list.kind === "path" && list.root === "needs" && list.keys[0] === "*" && list.keys[1] === "result") {
    const some = [...scope.needs.keys()].map((id) =>
      outcomeComparison({ kind: "path", root: "needs", keys: [id, "result"] }, wanted, "==", scope),
    );
    const failed = some.find((part) => part && !part.ok);
    if (failed) return failed;
    return yes(some.length === 0 ? "false" : `(${some.map((part) => (part?.ok ? part.cel : "")).join(" || ")})`, "bool");
  }
  const [a, b] = [textOf(list, scope), textOf(wanted, scope)];
  if (!a.ok || !b.ok) return a.ok ? b : a;
  return yes(`${a.cel}.contains(${b.cel})`, "bool");
}

/** Values of a matrix have no type that is known here; inside a function on texts they are taken for texts. */
function textOf(expression: Expression, scope: CelScope): Cel {
  const value = toCel(expression, scope);
  if (!value.ok || value.type === "string") return value;
  return value.type === "json" && expression.kind === "path" ? yes(value.cel, "string") : no("a function on texts is given something else");
}

/** Texts and numbers of arguments of GitHub's format(). */
export const formatPieces = (pattern: string): (string | number)[] =>
  [...pattern.matchAll(/\{\{|\}\}|\{\d+\}|[^{}]+/g)].map(([piece]) =>
    /^\{\d+\}$/.test(piece) ? Number(piece.slice(1, -1)) : piece === "{{" ? "{" : piece === "}}" ? "}" : piece,
  );

function format(pattern: string, args: readonly Expression[], scope: CelScope): Cel {
  const parts: string[] = [];
  for (const piece of formatPieces(pattern)) {
    const arg = typeof piece === "number" ? args[piece] : undefined;
    if (typeof piece === "number" && !arg) return no("format() names an argument that is not there");
    const value = arg ? textOf(arg, scope) : yes(celText(String(piece)), "string");
    if (!value.ok) return value;
    parts.push(value.cel);
  }
  return parts.length === 0 ? yes('""', "string") : yes(`(${parts.join(" + ")})`, "string");
}
