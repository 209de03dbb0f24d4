import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ulid } from "ulid";
import type { FunctionHandler } from "../agents/index.ts";
import { stepfallHome } from "../config/index.ts";
import { runBudgetId, usd, type Clock, type Pipeline } from "../domain/index.ts";
import { resolveInputs } from "../pipeline/index.ts";
import type { InboxRow, Store } from "../store/index.ts";
import { openProject, openWorkspaces, type Project, type Workspaces } from "../workspace/index.ts";
import { LibraryError } from "./errors.ts";
import { driverOf, loadRun } from "../setup/find-run.ts";
import { describeHolder } from "../setup/identity.ts";
import { requirePreflight } from "../setup/preflight.ts";
import { allOf, checkRequirements, type NeededAgents } from "../setup/requirements.ts";
import { saveOptions } from "../setup/run-options.ts";
import { openStore } from "../setup/store.ts";
import { withinSettings } from "../setup/budgets.ts";
import { withTiers } from "../setup/tiers.ts";
import type { Surroundings } from "../setup/surroundings.ts";
import { openEngine, requireSecrets, settingsAt, type FunctionAgent, type FunctionAgentOptions, type OpenEngine } from "./open-engine.ts";
import { readPipelineSource, type PipelineSource } from "./pipeline-source.ts";
import { resultOf, type RunResult } from "./result.ts";
import { answer, request, Run, type AnswerOptions } from "./run.ts";
import { statsOf, type Stats } from "./stats.ts";
import type { InputValues, RequiredNames } from "./typed/inputs.ts";
import { yamlText } from "./typed/typed-pipeline.ts";

export interface StepfallOptions {
  /** A folder in the git repository that is worked on. */
  project: string;
  /** What runs get of the environment (PATH, LANG and the like), and where keys of providers are: mostly `process.env`. */
  env: Readonly<Record<string, string | undefined>>;
  /** Where runs are kept. Default: `STEPFALL_HOME` of `env`, else the platform's data folder. */
  home?: string;
  /** Settings as in `stepfall.yaml`. Default: the project's own, of the commit a run starts from. */
  settings?: Readonly<Record<string, unknown>>;
  /** Attempts at a time over all runs of this machine. */
  slots?: number;
  /** Secrets by name, beside those of `env`. They are hidden in all that is kept. */
  secrets?: Readonly<Record<string, string>>;
  clock?: Clock;
  /** Who answers what waits for people, unless a call says so. Default: USER of `env`. */
  as?: string;
}

export interface RunOptions<I = Readonly<Record<string, unknown>>> {
  inputs?: I;
  /** Most it may spend, USD; instead of the pipeline's own. */
  budget?: number;
  /** False: `result` answers `waiting` when only people are waited for. Default true. */
  waitForPeople?: boolean;
  /** Uncommitted changes are part of what the run starts from. */
  includeDirty?: boolean;
}

/** The inputs of a typed pipeline must be given when they have no default. */
type OptionsFor<I> = [RequiredNames<I>] extends [never]
  ? [options?: RunOptions<InputValues<I>>]
  : [options: RunOptions<InputValues<I>> & { inputs: InputValues<I> }];

/** What is there before the first run, and after the last. */
interface Base {
  project: Project;
  workspaces: Workspaces;
  store: Store;
}

interface Active {
  stop: AbortController;
  drain: AbortController;
  over: Promise<unknown>;
}

/** How long those who still read events when it is closed may take. */
const READERS_MS = 1000;

/**
 * Stepfall in a program of one's own: one project, any number of runs at a time, which share its slots. One is enough for a process: two of one
 * home would not share them. Nothing is opened before it is needed; `close` ends what goes on here, and every run that was not over can be resumed, by this program or by `stepfall resume`.
 */
export class Stepfall implements AsyncDisposable {
  readonly #options: StepfallOptions;
  readonly #home: string;
  readonly #clock: Clock;
  readonly #as: string;
  readonly #surroundings: Surroundings;
  readonly #functions = new Map<string, FunctionAgent>();
  readonly #active = new Map<string, Active>();
  readonly #readers = new Set<Promise<void>>();
  #base: Promise<Base> | undefined;
  #engine: OpenEngine | undefined;
  /** Engines are opened and replaced one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(options: StepfallOptions) {
    this.#options = options;
    const cwd = resolve(options.project);
    this.#home = options.home === undefined ? stepfallHome(options.env, cwd) : resolve(options.home);
    this.#clock = options.clock ?? { now: Date.now };
    this.#as = options.as ?? options.env["USER"] ?? "library";
    this.#surroundings = { env: options.env, cwd, clock: this.#clock, home: this.#home };
  }

  /**
   * Registers a function as an agent: steps name it with `agent: id`. It runs in this process. Register before the first run that needs it;
   * throws AGENT_ID_TAKEN.
   */
  agent(id: string, handler: FunctionHandler, options: FunctionAgentOptions = {}): this {
    if (this.#functions.has(id))
      throw new LibraryError("AGENT_ID_TAKEN", `agent ${id} is registered already`, "Give one of the two another id.");
    const agent: FunctionAgent = { ...options, id, handler };
    this.#engine?.register(agent);
    this.#functions.set(id, agent);
    return this;
  }

  /** Starts a run. Everything that can be refused is refused before anything is created. */
  run<I, O>(pipeline: Extract<PipelineSource<I, O>, object & { toYaml(): string }>, ...options: OptionsFor<I>): Promise<Run<O>>;
  run(pipeline: string | { readonly yaml: string }, options?: RunOptions): Promise<Run<Record<string, unknown>>>;
  async run(from: PipelineSource, given: RunOptions = {}): Promise<Run<never>> {
    const { workspaces } = await this.#open();
    const read = await readPipelineSource(from, this.#surroundings.cwd);
    const pipeline: Pipeline = given.budget === undefined ? read.pipeline : { ...read.pipeline, budget: usd(given.budget) };
    const inputs = resolveInputs(pipeline, given.inputs ?? {});
    if (!inputs.ok)
      throw new LibraryError("INPUT_INVALID", inputs.problems.map((p) => p.message).join(". "), inputs.problems[0]?.hint ?? "");
    // As it stands now: commits were made since the last run.
    const project = await openProject(this.#surroundings.cwd, { env: this.#options.env });
    const runId = ulid(this.#clock.now()).toLowerCase();
    const taken = given.includeDirty === true ? await workspaces.snapshotDirty({ runId, at: this.#clock.now() }) : undefined;
    const base = taken?.commit ?? project.head;
    const begun = this.#begin(runId, pipeline, base, given.waitForPeople ?? true, async ({ config, assembled }) => {
      saveOptions(this.#home, runId, { scripted: config.providers.filter((p) => p.script !== undefined).map((p) => p.id) });
      await assembled.engine.start({
        runId,
        pipeline: withTiers(given.budget === undefined ? withinSettings(pipeline, config.budgets) : pipeline, config.tiers),
        workspaces,
        project: project.top,
        base,
        ...(read.source === undefined ? {} : { source: read.source }),
        includeDirty: given.includeDirty === true,
        actor: `library:${this.#as}`,
        inputs: inputs.inputs,
      });
    });
    return begun.catch(async (error: unknown) => {
      // A snapshot, a branch: of a run that is not.
      await workspaces.cleanRun(runId, { branch: true }).catch(() => undefined);
      throw error;
    });
  }

  /** Goes on with a run that is not over, from what its journal says; `budget` (USD) raises what it may spend. */
  async resume(runId: string, given: { budget?: number; waitForPeople?: boolean } = {}): Promise<Run<Record<string, unknown>>> {
    const { store } = await this.#open();
    const { budget } = given;
    const driver = await driverOf(store, runId, this.#clock.now());
    if (driver || this.#active.has(runId))
      throw new LibraryError(
        "RUN_DRIVEN",
        `run ${runId} is driven by ${driver ? describeHolder(driver.holder) : "this Stepfall"}`,
        "Wait until it is over, or cancel it.",
      );
    if (budget !== undefined)
      await request(store, this.#clock, runId, this.#as, (isOver) =>
        isOver ? undefined : { type: "BudgetRaised", data: { scope: "run", id: runBudgetId(runId), limit: usd(budget), by: this.#as } },
      );
    const state = await loadRun(store, runId);
    if (state.halted?.scope === "run" && state.status === "running")
      throw new LibraryError("BUDGET_SPENT", `run ${runId} is stopped by its budget`, "Give it a higher one: resume(id, { budget: 2 }).");
    const over = new Set(["completed", "failed", "skipped", "cancelled"]);
    const steps = state.pipeline.steps.filter((step) => !over.has(state.steps.get(step.path)?.status ?? ""));
    return this.#begin(runId, { ...state.pipeline, steps }, state.base, given.waitForPeople ?? true, "resume");
  }

  /** What waits for people in the runs of this project, oldest first. */
  async inbox(): Promise<InboxRow[]> {
    const { store, project } = await this.#open();
    const runs = new Set((await store.runs({ project: project.top, limit: 100_000 })).map((row) => row.runId));
    return (await store.listInbox()).filter((row) => runs.has(row.runId));
  }

  /** Says something to an item of the inbox, whoever drives its run. */
  async answer(item: string, verdict: "approve" | "reject" | "rework" | "answer", options: AnswerOptions = {}): Promise<void> {
    const { store } = await this.#open();
    await answer(store, this.#clock, { item, by: options.by ?? this.#as, verdict, text: options.text });
  }

  /** What is going on, counted now. */
  async stats(): Promise<Stats> {
    const { store, project } = await this.#open();
    const slots = this.#engine?.config.slots;
    return statsOf({ store, home: this.#home, project: project.top, now: this.#clock.now(), slots });
  }

  /** Ends what goes on here and lets go of everything. `drain`: attempts that run may end first. */
  close(options: { drain?: boolean } = {}): Promise<void> {
    return (this.#closed ??= this.#close(options.drain ?? false));
  }

  async #close(drain: boolean): Promise<void> {
    await this.#turn.catch(() => undefined);
    for (const run of this.#active.values()) (drain ? run.drain : run.stop).abort();
    await Promise.allSettled([...this.#active.values()].map((run) => run.over));
    await Promise.race([Promise.all(this.#readers), sleep(READERS_MS, undefined, { ref: false })]);
    await this.#engine?.[Symbol.asyncDispose]();
    const base = await this.#base?.catch(() => undefined);
    await base?.workspaces.close();
    await base?.store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): Promise<Base> {
    if (this.#closed) throw new LibraryError("CLOSED", "this Stepfall is closed", "Make a new one.");
    return (this.#base ??= (async () => {
      const project = await openProject(this.#surroundings.cwd, { env: this.#options.env });
      // Its own, beside the engine's: what is asked for here wakes the driver like a request from elsewhere.
      const store = await openStore(this.#surroundings);
      return { project, store, workspaces: openWorkspaces({ project, home: this.#home }) };
    })());
  }

  /** Checks what the run needs, lets `start` begin it, and drives it. */
  async #begin(
    runId: string,
    pipeline: Pipeline,
    base: string,
    waitForPeople: boolean,
    start: "resume" | ((engine: OpenEngine) => Promise<void>),
  ): Promise<Run<never>> {
    const { store, workspaces } = await this.#open();
    const over = Promise.withResolvers<void>();
    const active: Active = { stop: new AbortController(), drain: new AbortController(), over: over.promise };
    const leave = (): void => {
      this.#active.delete(runId);
      over.resolve();
    };
    const turn = this.#turn.then(() => this.#ready(pipeline, base, runId, active));
    this.#turn = turn.catch(() => undefined);
    try {
      const { engine, agents } = await turn;
      const { assembled } = engine;
      await requirePreflight(assembled.deps, runId, agents, active.stop.signal);
      if (start !== "resume") await start(engine);
      const resumed = start === "resume" ? { resumed: { actor: `library:${this.#as}`, by: this.#as } } : {};
      const signals = { drain: active.drain.signal, stop: active.stop.signal };
      const result = assembled.engine
        .drive(runId, { workspaces, ...signals, waitForPeople, ...resumed })
        .then(async (end): Promise<RunResult<never>> => resultOf(end, await loadRun(store, runId), { store, workspaces }))
        .finally(leave);
      return new Run({ runId, store, clock: this.#clock, as: this.#as, result, readers: this.#readers, stop: () => active.stop.abort() });
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** An engine that can drive the run, with the models that it needs, and the agents it will use. Nothing of the run is made. */
  async #ready(pipeline: Pipeline, base: string, runId: string, active: Active): Promise<{ engine: OpenEngine; agents: NeededAgents }> {
    const engine = await this.#engineFor(pipeline, base, runId);
    const { config, assembled, scripted } = engine;
    requireSecrets(pipeline, config);
    const needed = checkRequirements(withTiers(pipeline, config.tiers), config, assembled.deps);
    const models = allOf(needed).flatMap((id) => this.#functions.get(id)?.modelOf ?? []);
    const agents: NeededAgents = { ...needed, first: [...new Set([...needed.first, ...models])] };
    // Starting one again would end the calls of other runs.
    const idle = allOf(agents).filter((id) => {
      const agent = config.agents.find((a) => a.id === id);
      return !(agent && "provider" in agent && agent.provider !== undefined && scripted.urls.has(agent.provider));
    });
    await scripted.start(config, idle);
    this.#active.set(runId, active);
    return { engine, agents };
  }

  /** The engine for runs from this commit. One whose settings are others is replaced, once nothing goes on in it. */
  async #engineFor(pipeline: Pipeline, base: string, runId: string): Promise<OpenEngine> {
    const { workspaces, project } = await this.#open();
    const { settings, slots, secrets = {}, env } = this.#options;
    const text = settings === undefined ? await settingsAt(workspaces, base) : yamlText(new Map(Object.entries(settings)));
    const names = [...new Set([...Object.keys(secrets), ...(pipeline.secrets ?? [])])];
    if (this.#engine && !this.#engine.fits(text, names)) {
      if (this.#active.size > 0)
        throw new LibraryError(
          "SETTINGS_CHANGED",
          "this run has other settings, or names other secrets, than those that go on",
          "Wait until they are over, or name all secrets in new Stepfall({ secrets }).",
        );
      await this.#engine[Symbol.asyncDispose]();
      this.#engine = undefined;
    }
    this.#engine ??= await openEngine({
      surroundings: this.#surroundings,
      home: this.#home,
      project,
      settings: text,
      slots,
      secretEnv: { ...env, ...secrets },
      secretNames: names,
      functions: this.#functions.values(),
      runId,
    });
    return this.#engine;
  }
}
