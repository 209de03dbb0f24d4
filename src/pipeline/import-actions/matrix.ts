import type { ActionsMatrix, WorkflowScalar } from "./contract.ts";
import { parseExpression } from "./expression.ts";
import { conditionText } from "./template.ts";

/** The `matrix` of a job as far as the file says it. */
export interface MatrixShape {
  /** Axes in the order of the file; a text is an expression that gives the list at run time. */
  axes: Map<string, unknown[] | string>;
  include: Record<string, unknown>[] | string;
  exclude: Record<string, unknown>[] | string;
}

type Combination = Record<string, unknown>;

/** GitHub refuses more than 256 jobs of one matrix; counting goes no further than this. */
const MOST_COMBINATIONS = 10_000;
const MOST_ENTRIES = 1000;

/** The matrix of `strategy.matrix`, or why it is none. Expressions that need no run to be computed are computed. */
export function readMatrix(value: unknown): { ok: true; shape: MatrixShape } | { ok: false; because: string } {
  const folded = foldList(value);
  if (typeof folded === "string") return { ok: true, shape: { axes: new Map(), include: folded, exclude: [] } };
  if (!isMap(folded)) return { ok: false, because: "it is not a map of lists" };
  const axes = new Map<string, unknown[] | string>();
  for (const [name, axis] of Object.entries(folded)) {
    if (name === "include" || name === "exclude") continue;
    const list = foldList(axis);
    if (typeof list !== "string" && !Array.isArray(list)) return { ok: false, because: `${name} is not a list` };
    axes.set(name, list);
  }
  const include = entries(folded["include"]);
  const exclude = entries(folded["exclude"]);
  if (!include || !exclude) return { ok: false, because: `${include ? "exclude" : "include"} is not a list of maps` };
  return { ok: true, shape: { axes, include, exclude } };
}

/** The list an expression is when it can be told without a run; any other value unchanged. */
function foldList(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const text = conditionText(value);
  const parsed = text !== undefined && value.includes("${{") ? parseExpression(text) : undefined;
  return parsed?.ok && parsed.expression.kind === "literal" ? parsed.expression.value : value;
}

function entries(value: unknown): Record<string, unknown>[] | string | undefined {
  const list = foldList(value ?? []);
  if (typeof list === "string") return list;
  return Array.isArray(list) && list.every(isMap) ? list : undefined;
}

export function matrixOf(shape: MatrixShape, failFast: WorkflowScalar, maxParallel: WorkflowScalar | undefined): ActionsMatrix {
  return { combinations: count(shape), isIncludeOnly: shape.axes.size === 0, failFast, maxParallel };
}

/**
 * How many jobs GitHub makes. An entry of `include` joins the combinations whose axes it does not contradict, and is a
 * combination of its own when there is none; `exclude` is done before.
 */
function count({ axes, include, exclude }: MatrixShape): number | undefined {
  if (typeof include === "string" || typeof exclude === "string") return undefined;
  if (include.length + exclude.length > MOST_ENTRIES) return undefined;
  let combinations: Combination[] = axes.size === 0 ? [] : [{}];
  for (const [name, values] of axes) {
    if (typeof values === "string") return undefined;
    if (combinations.length * values.length > MOST_COMBINATIONS) return undefined;
    combinations = combinations.flatMap((c) => values.map((value) => ({ ...c, [name]: value })));
  }
  combinations = combinations.filter((c) => !exclude.some((e) => Object.entries(e).every(([k, v]) => isSame(c[k], v))));
  const added = include.filter((entry) => {
    const shared = Object.entries(entry).filter(([k]) => axes.has(k));
    return !combinations.some((c) => shared.every(([k, v]) => isSame(c[k], v)));
  });
  return combinations.length + added.length;
}

/** A map in `exclude` or `include` fits when what it names is the same. */
function isSame(value: unknown, wanted: unknown): boolean {
  if (isMap(value) && isMap(wanted)) return Object.entries(wanted).every(([k, v]) => isSame(value[k], v));
  if (Array.isArray(value) && Array.isArray(wanted)) return value.length === wanted.length && value.every((v, i) => isSame(v, wanted[i]));
  // As GitHub compares: without case.
  return value === wanted || (typeof value === "string" && typeof wanted === "string" && value.toLowerCase() === wanted.toLowerCase());
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
