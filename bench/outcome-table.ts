import { existsSync, readFileSync } from "node:fs";
import type { Table } from "./routing-replay.ts";

/**
 * Outcomes of one scaffold version as a table: rows of `instance_id,model,resolved,cost_usd,...`, models named `slug@version`. Tasks that some
 * model lacks are left out, since policies are compared on the same tasks. `undefined`: there is no such file.
 */
export function readTable(path: string, version: string): Table | undefined {
  if (!existsSync(path)) return undefined;
  return parseTable(readFileSync(path, "utf8"), version);
}

export function parseTable(csv: string, version: string): Table {
  const byTask = new Map<string, Map<string, { right: boolean; microUsd: number }>>();
  const models = new Set<string>();
  const [header = "", ...lines] = csv.trim().split(/\r?\n/);
  const column = (name: string): number => {
    const at = header.split(",").indexOf(name);
    if (at === -1) throw new Error(`the file has no column ${name}`);
    return at;
  };
  const [id, model, resolved, cost] = ["instance_id", "model", "resolved", "cost_usd"].map(column) as [number, number, number, number];
  for (const line of lines) {
    const cells = line.split(",");
    const [slug, of] = (cells[model] ?? "").split("@");
    if (slug === undefined || of !== version) continue;
    models.add(slug);
    const task = byTask.get(cells[id] ?? "") ?? new Map<string, { right: boolean; microUsd: number }>();
    byTask.set(cells[id] ?? "", task);
    task.set(slug, { right: cells[resolved] === "1", microUsd: Math.round(Number(cells[cost]) * 1e6) });
  }
  const all = [...models];
  const complete = [...byTask].filter(([, row]) => all.every((m) => row.has(m)));
  return {
    models: all,
    tasks: complete.map(([task]) => task),
    right: complete.map(([, row]) => all.map((m) => row.get(m)?.right === true)),
    microUsd: complete.map(([, row]) => all.map((m) => row.get(m)?.microUsd ?? 0)),
  };
}
