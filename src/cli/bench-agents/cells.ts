import { createHash } from "node:crypto";
import type { AgentSettings } from "../../config/index.ts";
import type { WorkloadTask } from "../../planning/index.ts";

/** One agent doing one task for the n-th time. */
export interface Cell {
  task: string;
  agent: string;
  /** From 1. */
  n: number;
  /** Of the task and the agent as they were: what was measured of others says nothing of these. */
  digest: string;
}

export const cellKey = ({ task, agent, n, digest }: Cell): string => `${task}/${agent}/${n}/${digest}`;

export interface Planned {
  tasks: readonly WorkloadTask[];
  agents: readonly AgentSettings[];
  bases: ReadonlyMap<string, string>;
  /** Instead of what the tasks say. */
  repeat?: number | undefined;
}

/** Everything that is to be measured: all tasks by all agents once before any of them a second time, so that an early end has seen all alike. */
export function planCells({ tasks, agents, bases, repeat }: Planned): Cell[] {
  const most = Math.max(0, ...tasks.map((task) => repeat ?? task.repeat));
  const ofAgent = new Map(agents.map((agent) => [agent.id, digestOf(agent)]));
  const cells: Cell[] = [];
  for (let n = 1; n <= most; n++)
    for (const task of tasks) {
      if (n > (repeat ?? task.repeat)) continue;
      const ofTask = digestOf({ step: task.step, complexity: task.complexity, base: bases.get(task.id) });
      for (const { id } of agents) cells.push({ task: task.id, agent: id, n, digest: `${ofTask}${ofAgent.get(id) ?? ""}` });
    }
  return cells;
}

const digestOf = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 8);
