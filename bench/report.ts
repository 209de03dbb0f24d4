import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** What every benchmark prints as its last line with `--json`. `ok` says whether every aim was met. */
export interface Report {
  bench: string;
  metrics: Record<string, number>;
  aims: Record<string, string>;
  ok: boolean;
}

export const options = (): { json: boolean; data: string | undefined } => {
  const { values } = parseArgs({
    options: { json: { type: "boolean", default: false }, data: { type: "string" } },
    allowPositionals: true,
  });
  return { json: values.json, data: values.data };
};

/** Where public data lies: `--data DIR`, else beside the project. */
export const dataFolder = (): string => options().data ?? fileURLToPath(new URL("../../shared/data/dev", import.meta.url));

/** Rows of a file of JSON lines there, taken for what the caller says they are; `undefined`, and said, where it is missing. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- spares every caller a cast of its own
export function rowsOf<T>(file: string): T[] | undefined {
  const dir = dataFolder();
  const path = join(dir, file);
  if (!existsSync(path)) {
    process.stderr.write(`Skipped: there is no ${file} in ${dir}. Name the folder with --data DIR.\n`);
    return undefined;
  }
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as T);
}

const meets = (value: number, aim: string): boolean => {
  const [, op, limit] = /^(<=|>=|<|>|==)\s*([\d.]+)$/.exec(aim) ?? [];
  const bound = Number(limit);
  switch (op) {
    case "<=":
      return value <= bound;
    case ">=":
      return value >= bound;
    case "<":
      return value < bound;
    case ">":
      return value > bound;
    case "==":
      return value === bound;
    default:
      throw new Error(`an aim is written like "<= 5", not ${aim}`);
  }
};

/** Prints a table for people, or the JSON line. An aim that is missed does not fail the process: the figure is the result. */
export function report(bench: string, metrics: Record<string, number>, aims: Record<string, string>, notes: readonly string[] = []): void {
  const ok = Object.entries(aims).every(([name, aim]) => metrics[name] !== undefined && meets(metrics[name], aim));
  if (options().json) {
    process.stdout.write(`${JSON.stringify({ bench, metrics, aims, ok } satisfies Report)}\n`);
    return;
  }
  for (const [name, value] of Object.entries(metrics)) {
    const aim = aims[name];
    const mark = aim === undefined ? "" : meets(value, aim) ? `  aim ${aim}: met` : `  aim ${aim}: MISSED`;
    process.stdout.write(`${name.padEnd(34)} ${format(value).padStart(14)}${mark}\n`);
  }
  for (const note of notes) process.stdout.write(`${note}\n`);
}

const format = (value: number): string => (Number.isInteger(value) ? value.toLocaleString("en") : value.toPrecision(4));

export const percentile = (values: readonly number[], p: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN;
};

export const median = (values: readonly number[]): number => percentile(values, 50);
