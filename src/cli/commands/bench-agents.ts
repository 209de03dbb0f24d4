import { join, resolve } from "node:path";
import { formatProblems, nearest, type AgentSettings, type Config } from "../../config/index.ts";
import { formatUsd } from "../../domain/index.ts";
import { loadWorkload, type Workload } from "../../planning/index.ts";
import { InputProblems, RequestError } from "../../setup/failure.ts";
import { requireSandbox } from "../../setup/isolation.ts";
import { chainOf, isGatewayAgent } from "../../setup/registry.ts";
import type { RunOptions } from "../../setup/run-options.ts";
import { homeOf } from "../../setup/settings.ts";
import { openStore } from "../../setup/store.ts";
import { agentSettings } from "../bench-agents/bench-settings.ts";
import { planCells } from "../bench-agents/cells.ts";
import { chooseAgents } from "../bench-agents/choose-agents.ts";
import { measure, type Measured } from "../bench-agents/measure.ts";
import { readPriors } from "../bench-agents/priors.ts";
import { ResultsFile, type EndedCell } from "../bench-agents/results-file.ts";
import { scratchProject } from "../bench-agents/scratch-project.ts";
import { summarize } from "../bench-agents/summarize.ts";
import { benchText } from "../bench-agents/table-text.ts";
import { Exit, type Cli } from "../cli.ts";
import { plural } from "../show/format.ts";

export interface BenchFlags extends Pick<RunOptions, "model" | "modelUrl" | "slots" | "grace" | "sandbox"> {
  /** Comma-separated ids. */
  agents?: string | undefined;
  /** The same, of tasks. */
  only?: string | undefined;
  repeat?: string | undefined;
  budget?: string | undefined;
  /** A file, or false: `--no-priors`. */
  priors?: string | false | undefined;
  learnFrom?: string | undefined;
  dryRun?: boolean | undefined;
}

/** `stepfall bench-agents WORKLOAD`: agents over tasks, judged by gates; what is measured teaches routing. */
export async function benchAgents(cli: Cli, file: string | undefined, flags: BenchFlags): Promise<number> {
  if (flags.learnFrom !== undefined) return learnFrom(cli, file, flags.learnFrom);
  if (file === undefined) throw new RequestError("USAGE", "no workload is named", "Give its file: stepfall bench-agents workload.yaml.");
  const workload = narrowed(requireWorkload(cli, file), flags.only);
  const repeat = flags.repeat === undefined ? undefined : parseRepeat(flags.repeat);
  const named = listOf(flags.agents) ?? workload.agents;
  const settings = await agentSettings(cli, flags, named);
  const chosen = chooseAgents(settings, named);
  const folder = join(settings.home, "workloads", workload.name);
  await requireSandbox(cli, settings);
  const scratch = await scratchProject(cli, join(folder, "project"), workload.tasks);
  const results = new ResultsFile(join(folder, "results.ndjson"));
  const cells = planCells({ tasks: workload.tasks, agents: chosen.agents, bases: scratch.bases, repeat });
  const open = cells.filter((cell) => !results.ended(cell));
  const done = cells.length - open.length;
  cli.out.note(
    `${workload.name}: ${plural(workload.tasks.length, "task")}, ${plural(chosen.agents.length, "agent")} (${chosen.agents.map((a) => a.id).join(", ")}), ` +
      `${plural(cells.length, "run")}${done > 0 ? `, ${done} of them done before` : ""}`,
  );
  if (flags.dryRun === true) {
    if (cli.json) cli.out.json({ version: 1, type: "plan", workload: workload.name, cells: open, done });
    return Exit.ok;
  }
  const end = await measure(cli, { workload, settings, chosen, scratch, results, cells, priors: flags.priors, budget: flags.budget });
  const ended = cells.flatMap((cell) => results.ended(cell) ?? []);
  const shown = chosen.agents.filter((a) => end.agents.includes(a) || ended.some((e) => e.agent === a.id));
  return tell(cli, { workload, ended, end, agents: shown, results: results.path, settings });
}

interface Told {
  workload: Workload;
  ended: readonly EndedCell[];
  end: Measured;
  agents: readonly AgentSettings[];
  results: string;
  settings: Config;
}

function tell(cli: Cli, { workload, ended, end, agents, results, settings }: Told): number {
  const { priors, budget, left, isInterrupted } = end;
  const lines = summarize(ended, agents);
  const isScripted = (id: string): boolean => settings.providers.some((p) => p.id === id && p.script !== undefined);
  const scripted = agents.filter((a) => isGatewayAgent(a) && chainOf(a).some((m) => isScripted(m.provider))).map((a) => a.id);
  const code = isInterrupted && left > 0 ? Exit.interrupted : budget ? Exit.budget : Exit.ok;
  if (cli.json)
    cli.out.json({
      version: 1,
      type: "result",
      exitCode: code,
      workload: workload.name,
      lines,
      runs: ended,
      left,
      scripted,
      ...(budget ? { budget } : {}),
      ...(priors ? { priors } : {}),
      results,
    });
  else cli.out.data(benchText(lines, ended, scripted));
  if (budget)
    cli.out.note(
      `The budget is spent: ${formatUsd(budget.spent)} of ${formatUsd(budget.limit)} that all runs of this workload may have cost by now.`,
    );
  if (left > 0) cli.out.note(`${plural(left, "run")} left: the same command goes on with ${left === 1 ? "it" : "them"}.`);
  if (priors)
    cli.out.note(
      `Routing of every project of this home counts ${plural(priors.outcomes, "outcome")} of ${plural(priors.agents, "agent")} from this workload.`,
    );
  return code;
}

function requireWorkload(cli: Cli, file: string): Workload {
  const read = loadWorkload(resolve(cli.cwd, file), file);
  if (read.ok) return read.workload;
  throw new InputProblems(read.problems, formatProblems(read.problems, read.text === undefined ? {} : { [file]: read.text }));
}

function narrowed(workload: Workload, only: string | undefined): Workload {
  const wanted = listOf(only);
  if (wanted === undefined) return workload;
  const ids = workload.tasks.map((task) => task.id);
  for (const id of wanted) {
    if (ids.includes(id)) continue;
    const near = nearest(id, ids);
    throw new RequestError(
      "USAGE",
      `there is no task ${id}`,
      near === undefined ? `Its tasks: ${ids.join(", ")}.` : `Did you mean ${near}?`,
    );
  }
  return { ...workload, tasks: workload.tasks.filter((task) => wanted.includes(task.id)) };
}

const listOf = (text: string | undefined): string[] | undefined =>
  text === undefined ? undefined : [...new Set(text.split(",").map((id) => id.trim()))].filter((id) => id !== "");

function parseRepeat(text: string): number {
  const n = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (n < 1 || n > 100) throw new RequestError("USAGE", `--repeat ${text} is not a number from 1 to 100`, "Write it like --repeat 5.");
  return n;
}

/** `--learn-from FILE`: priors that were measured elsewhere. */
async function learnFrom(cli: Cli, file: string | undefined, priors: string): Promise<number> {
  if (file !== undefined)
    throw new RequestError("USAGE", "--learn-from takes no workload", "It reads what --priors FILE has written, and starts nothing.");
  const store = await openStore(cli);
  try {
    const { workload, outcomes, agents } = await readPriors(store, resolve(cli.cwd, priors));
    if (cli.json) cli.out.json({ version: 1, workload, outcomes, agents, home: homeOf(cli) });
    else cli.out.data(`Routing counts ${plural(outcomes, "outcome")} of ${plural(agents, "agent")} from the workload ${workload} now.`);
    return Exit.ok;
  } finally {
    await store.close();
  }
}
