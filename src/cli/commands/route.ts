import { existsSync } from "node:fs";
import { join } from "node:path";
import { workSteps, type AgentStep, type Pipeline } from "../../domain/index.ts";
import { routeStep, type Complexity, type Routed } from "../../models/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { withFound } from "../../setup/found-agents.ts";
import { thisHolder } from "../../setup/identity.ts";
import { learn, nothingLearnt, type Learnt } from "../../setup/learnt.ts";
import { buildRegistry } from "../../setup/registry.ts";
import { complexityOf, routingFor } from "../../setup/routing.ts";
import { configFlags, type RunOptions } from "../../setup/run-options.ts";
import { homeOf, loadSettings } from "../../setup/settings.ts";
import { withStore } from "../../setup/store.ts";
import { withTiers } from "../../setup/tiers.ts";
import { openProject, type Project } from "../../workspace/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { requirePipeline } from "../setup/pipeline-file.ts";
import { table } from "../show/table.ts";

export interface RouteFlags extends RunOptions {
  explain?: boolean | undefined;
  step?: string | undefined;
}

interface Line {
  step: AgentStep;
  routed: Routed;
  complexity: Complexity;
}

/** `stepfall route FILE`: to whom the first attempt at each step would go if it began now, and why. Starts nothing and writes nothing down. */
export async function route(cli: Cli, file: string, flags: RouteFlags): Promise<number> {
  const project = await openProject(cli.cwd, { env: cli.env });
  const settings = await loadSettings(cli, { project, at: project.head, flags: configFlags(flags) });
  const pipeline = withTiers(await requirePipeline(cli, file, settings.tiers), settings.tiers);
  const config = await withFound(cli, settings, { pipeline });
  const learnt = await learntHere(cli, project);
  const routing = routingFor(config, learnt);
  const agents = buildRegistry(config, new Map()).list();
  const lines = promptsIn(pipeline, flags.step).map((step): Line => ({
    step,
    routed: routeStep(step, agents, routing("", step.path)),
    complexity: complexityOf(step, learnt),
  }));
  if (cli.json) cli.out.json({ version: 1, file, steps: lines.map(asData) });
  else cli.out.data(lines.length === 0 ? "No step of it has a prompt." : flags.explain ? lines.map(explain).join("\n\n") : overview(lines));
  return lines.every(({ routed }) => routed.ok) ? Exit.ok : Exit.usage;
}

/** Nothing is made for a look. */
async function learntHere(cli: Cli, project: Project): Promise<Learnt> {
  if (!existsSync(join(homeOf(cli), "stepfall.db"))) return nothingLearnt();
  return withStore(cli, (store) => learn(store, project.top, { holder: thisHolder(), clock: cli.clock }));
}

function promptsIn(pipeline: Pipeline, only: string | undefined): AgentStep[] {
  const steps = [...workSteps(pipeline.steps)].filter((s) => s.kind === "agent");
  if (only === undefined) return steps;
  const found = steps.filter((s) => s.path === only);
  if (found.length > 0) return found;
  throw new RequestError("STEP_UNKNOWN", `no step ${only} has a prompt`, `There are: ${steps.map((s) => s.path).join(", ") || "none"}.`);
}

function asData({ step, routed, complexity }: Line): Record<string, unknown> {
  const common = { step: step.path, complexity: complexity.score, factors: complexity.factors };
  if (!routed.ok) return { ...common, problem: routed.problem, hint: routed.hint };
  const { tier, candidates, type, reasons, later } = routed.route;
  return { ...common, type, tier, agents: candidates, reasons, escalatesTo: later };
}

function overview(lines: readonly Line[]): string {
  const rows = lines.map(({ step, routed, complexity }) => {
    if (!routed.ok) return [step.path, "", String(complexity.score), "", "", `${routed.problem}. ${routed.hint}`];
    const { tier, candidates, type = "", reasons } = routed.route;
    return [step.path, type, String(complexity.score), tier, candidates.join(", "), reasons[0] ?? ""];
  });
  const title = (text: string) => ({ title: text });
  return table([title("STEP"), title("TYPE"), { title: "1-10", align: "right" }, title("TIER"), title("AGENT"), title("WHY")], rows);
}

function explain({ step, routed, complexity }: Line): string {
  const factors = complexity.factors.map((f) => [
    `  ${f.name}`,
    f.value,
    f.points >= 0 ? `+${f.points.toFixed(1)}` : f.points.toFixed(1),
    f.because,
  ]);
  const head = routed.ok
    ? `${step.path}: tier ${routed.route.tier}, ${routed.route.candidates.join(" or ")}`
    : `${step.path}: nobody. ${routed.problem}. ${routed.hint}`;
  const columns = [{ title: "  FACTOR" }, { title: "VALUE" }, { title: "POINTS", align: "right" as const }, { title: "" }];
  const why = routed.ok ? routed.route.reasons.map((reason) => `  ${reason}`) : [];
  const next = routed.ok && routed.route.later.length > 0 ? [`  after refused results: ${routed.route.later.join(", ")}`] : [];
  return [head, `  complexity ${complexity.score} of 10: 1 and`, table(columns, factors), ...why, ...next].join("\n");
}
