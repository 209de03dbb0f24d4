import type { ImportNote } from "./contract.ts";
import { parseExpression } from "./expression.ts";
import { fillTemplate } from "./fill-template.ts";
import { matrixOf, type MatrixShape } from "./matrix.ts";
import { conditionText } from "./template.ts";
import { axisName, toCel, type CelScope } from "./to-cel.ts";
import type { Job } from "./workflow.ts";

export interface MatrixKeys {
  /** Keys of the step. */
  keys: Record<string, unknown>;
  /** How its expressions call a value of the matrix. */
  variable: CelScope["matrix"];
  notes: ImportNote[];
  /** Why the job cannot be multiplied. */
  stops: string[];
}

const DEFAULT_MOST = 100;
const MOST = 1000;

/** `strategy` of a job as keys of a step. */
export function matrixKeys(job: Job, scope: CelScope): MatrixKeys {
  const { matrix } = job;
  const none: MatrixKeys = { keys: {}, variable: undefined, notes: [], stops: [] };
  if (!matrix) return none;
  if ("because" in matrix) return { ...none, stops: [matrix.because] };
  const notes: ImportNote[] = [];
  const counted = matrixOf(matrix.shape, job.failFast, job.maxParallel).combinations;
  if (counted !== undefined && counted > MOST) return { ...none, stops: [`it makes ${counted} jobs; at most ${MOST} are allowed`] };
  if (counted === 0) return { ...none, stops: ["it makes no job at all"] };
  const keys = allKeys(matrix.shape);
  if (keys && new Set([...keys].map(axisName)).size < keys.size) return { ...none, stops: ["two of its keys differ in signs only"] };
  const renamed = [...(keys ?? [])].filter((key) => axisName(key) !== key);
  const over = overOf(matrix.shape, scope);
  if (!over.ok) return { ...none, stops: [over.because] };
  for (const key of renamed)
    notes.push({
      name: `jobs.${job.id}.strategy.matrix`,
      line: matrix.line,
      effect: "changed",
      message: `${key} is called ${axisName(key)}`,
    });
  const note = (key: string, written: unknown): void => {
    const message = `${key}: ${typeof written === "string" ? written : JSON.stringify(written)} is an expression; the default holds`;
    notes.push({ name: `jobs.${job.id}.strategy.${key}`, line: matrix.line, effect: "changed", message });
  };
  if (typeof job.failFast === "string") note("fail-fast", job.failFast);
  if (job.maxParallel !== undefined && typeof job.maxParallel !== "number") note("max-parallel", job.maxParallel);
  const most = counted === undefined ? 256 : counted;
  return {
    keys: {
      ...over.keys,
      ...(most > DEFAULT_MOST ? { max: most } : {}),
      ...(job.failFast === false ? { "fail-fast": false } : {}),
      ...(typeof job.maxParallel === "number" && job.maxParallel >= 1 ? { parallel: Math.floor(job.maxParallel) } : {}),
    },
    variable: { variable: over.variable, sureKeys: sureKeys(matrix.shape), allKeys: keys },
    notes,
    stops: [],
  };
}

/** Keys that every combination has: an entry of `include` may be one of its own without some axes. */
function sureKeys({ axes, include }: MatrixShape): Set<string> {
  if (typeof include === "string") return new Set();
  if (axes.size === 0) return new Set(Object.keys(include[0] ?? {}).filter((key) => include.every((entry) => key in entry)));
  const joinsAll = (entry: Record<string, unknown>): boolean => !Object.keys(entry).some((key) => axes.has(key));
  return new Set([...axes.keys()].filter((key) => include.every((entry) => key in entry || joinsAll(entry))));
}

function allKeys({ axes, include }: MatrixShape): Set<string> | undefined {
  return typeof include === "string" ? undefined : new Set([...axes.keys(), ...include.flatMap((entry) => Object.keys(entry))]);
}

type Over = { ok: true; keys: Record<string, unknown>; variable: "matrix" | "item" } | { ok: false; because: string };

function overOf({ axes, include, exclude }: MatrixShape, scope: CelScope): Over {
  if (typeof include === "string") {
    // Only a list: each of its maps is a job.
    if (axes.size > 0) return { ok: false, because: "an include that is an expression, beside axes, is not supported yet" };
    const list = listExpression(include, scope);
    return list.ok ? { ok: true, keys: { foreach: list.cel }, variable: "item" } : list;
  }
  if (typeof exclude === "string") return { ok: false, because: "an exclude that is an expression is not supported yet" };
  const matrix: Record<string, unknown> = {};
  for (const [name, values] of axes) {
    if (typeof values === "string") {
      const list = listExpression(values, scope);
      if (!list.ok) return list;
      matrix[axisName(name)] = `\${{ ${list.cel} }}`;
      continue;
    }
    const filled = fillDeep(values, scope);
    if (!filled.ok) return { ok: false, because: `${name}: ${filled.because}` };
    matrix[axisName(name)] = filled.value;
  }
  for (const [key, list] of [
    ["include", include],
    ["exclude", exclude],
  ] as const) {
    if (list.length === 0) continue;
    const named = list.map((entry) => Object.fromEntries(Object.entries(entry).map(([name, value]) => [axisName(name), value])));
    const filled = fillDeep(named, scope);
    if (!filled.ok) return { ok: false, because: `${key}: ${filled.because}` };
    matrix[key] = filled.value;
  }
  if (Object.keys(matrix).length === 0) return { ok: false, because: "it is empty" };
  return { ok: true, keys: { matrix }, variable: "matrix" };
}

function listExpression(text: string, scope: CelScope): { ok: true; cel: string } | { ok: false; because: string } {
  const inner = text.includes("${{") ? conditionText(text) : undefined;
  if (inner === undefined) return { ok: false, because: `${text} is no list` };
  const parsed = parseExpression(inner);
  if (!parsed.ok) return { ok: false, because: `${text}: ${parsed.because}` };
  const value = toCel(parsed.expression, scope);
  if (!value.ok) return { ok: false, because: `${text}: ${value.because}` };
  return value.type === "json" ? value : { ok: false, because: `${text} is no list` };
}

type Filled = { ok: true; value: unknown } | { ok: false; because: string };

function fillDeep(value: unknown, scope: CelScope): Filled {
  if (typeof value === "string") {
    const filled = fillTemplate(value, scope);
    return filled.ok ? { ok: true, value: filled.text } : filled;
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => fillDeep(item, scope));
    return items.find((item) => !item.ok) ?? { ok: true, value: items.map((item) => (item.ok ? item.value : undefined)) };
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => [key, fillDeep(item, scope)] as const);
    const failed = entries.find(([, item]) => !item.ok)?.[1];
    return failed ?? { ok: true, value: Object.fromEntries(entries.map(([key, item]) => [key, item.ok ? item.value : undefined])) };
  }
  return { ok: true, value };
}
