import { resolve } from "node:path";
import type { AgentSettings, Config } from "../../config/index.ts";
import type { Workload } from "../../planning/index.ts";
import { assemble, type Assembled } from "../../setup/assemble.ts";
import { importLeftBill } from "../../setup/bill.ts";
import { buildRegistry, isGatewayAgent } from "../../setup/registry.ts";
import { saveOptions } from "../../setup/run-options.ts";
import { ScriptedModels } from "../../setup/scripted-models.ts";
import { openWorkspaces } from "../../workspace/index.ts";
import type { Cli } from "../cli.ts";
import { onInterrupts } from "../driving/signals.ts";
import { actorOf } from "../setup/person.ts";
import { withinBudget } from "./bench-settings.ts";
import type { Cell } from "./cells.ts";
import { fitAgents, startableAgents, type Chosen } from "./choose-agents.ts";
import { holdWorkload, workloadRun } from "./hold-workload.ts";
import { writePriors, type PriorsCount } from "./priors.ts";
import type { EndedCell, ResultsFile } from "./results-file.ts";
import { runCells, type BenchEnd } from "./run-cells.ts";
import type { ScratchProject } from "./scratch-project.ts";
import { cellLine } from "./table-text.ts";

export interface Measured extends BenchEnd {
  agents: readonly AgentSettings[];
  priors: PriorsCount | undefined;
  isInterrupted: boolean;
}

export interface Measuring {
  workload: Workload;
  settings: Config;
  chosen: Chosen;
  scratch: ScratchProject;
  results: ResultsFile;
  /** Those without a result are done. */
  cells: readonly Cell[];
  /** Where priors are written beside the store; false: nothing is learnt. */
  priors: string | false | undefined;
  /** USD, as typed. */
  budget: string | undefined;
}

/** Does what is open, and writes down what it teaches. */
export async function measure(cli: Cli, { workload, settings, chosen, scratch, results, cells, ...asked }: Measuring): Promise<Measured> {
  const { name } = workload;
  const { project, bases } = scratch;
  const now = (): number => cli.clock.now();
  const tell = (notice: string): void => cli.out.note(notice);
  const teaches = asked.priors !== false;
  const priorsFile = typeof asked.priors === "string" ? resolve(cli.cwd, asked.priors) : undefined;
  const config = await withinBudget(cli, settings, project.top, asked.budget);
  using interrupts = onInterrupts(process, { graceMs: config.graceMs, now });
  const scripted = new ScriptedModels(config.home, workloadRun(name));
  await using assembled = await assemble(cli, {
    config,
    project,
    registry: buildRegistry(config, scripted.urls),
    scripted,
    keepWorkspaces: false,
  });
  const { deps, engine, store } = assembled;
  await using _ = await holdWorkload(store, name, now);
  // Whoever held it until now has gone on meanwhile.
  results.read();
  const open = cells.filter((cell) => !results.ended(cell));
  let agents: readonly AgentSettings[] = chosen.agents;
  let end: BenchEnd = { left: 0 };
  if (open.length > 0) {
    const fit = fitAgents(chosen, { workload, config, deps, tell });
    tell(await assembled.describeSandbox());
    await scripted.start(
      config,
      fit.map((a) => a.id),
    );
    agents = await startableAgents(fit, chosen, { deps, tell }, { runId: workloadRun(name), signal: interrupts.drain });
    const works = new Set(agents.map((a) => a.id));
    const doable = open.filter((cell) => works.has(cell.agent));
    const workspaces = openWorkspaces({ project, home: config.home });
    const progress = watchOf(assembled, doable.length, tell);
    interrupts.watch(progress);
    try {
      end = await runCells(doable, {
        engine,
        store,
        workspaces,
        results,
        name,
        teaches,
        project: project.top,
        tasks: new Map(workload.tasks.map((task) => [task.id, task])),
        bases,
        agents: new Map(agents.map((a) => [a.id, { tier: a.tier, isMetered: isGatewayAgent(a) }])),
        actor: actorOf(cli),
        slots: config.slots,
        drain: interrupts.drain,
        stop: interrupts.stop,
        now,
        onStart: (runId) =>
          saveOptions(config.home, runId, { scripted: config.providers.filter((p) => p.script !== undefined).map((p) => p.id) }),
        onEnd: (ended) => progress.take(ended),
      });
    } finally {
      await workspaces.close();
      await importLeftBill(cli, store);
    }
  }
  const priors = teaches ? await writePriors(store, name, { now: now(), file: priorsFile }) : undefined;
  return { ...end, agents, priors, isInterrupted: interrupts.drain.aborted };
}

function watchOf({ listen }: Assembled, of: number, tell: (line: string) => void) {
  let running = 0;
  let done = 0;
  listen((item) => {
    if (item.kind !== "event") return;
    const { type } = item.event;
    if (type === "AttemptStarted") running += 1;
    if (type === "AttemptAccepted" || type === "AttemptRejected" || type === "AttemptFailed" || type === "AttemptInterrupted") running -= 1;
  });
  return {
    get running() {
      return Math.max(0, running);
    },
    note: tell,
    take: (ended: EndedCell) => tell(`${++done}/${of} ${cellLine(ended)}`),
  };
}
