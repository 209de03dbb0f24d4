import { basename } from "node:path";
import { shown, type Config } from "../../config/index.ts";
import { fold, runStream, type Recorded, type RunState } from "../../domain/index.ts";
import { runFolder } from "../../engine/index.ts";
import type { Log } from "../../logs/index.ts";
import { billOf, troubledProviders, viewBy } from "../../models/index.ts";
import { importLeftBill } from "../../setup/bill.ts";
import { RequestError } from "../../setup/failure.ts";
import { driverOf, findRun, loadRun, projectHere, shownStatus } from "../../setup/find-run.ts";
import { openedProjects } from "../../setup/opened-projects.ts";
import type { Surroundings } from "../../setup/surroundings.ts";
import type { RunRow, Store } from "../../store/index.ts";
import { openProject, openWorkspaces } from "../../workspace/index.ts";
import { busyOf, leasedAttempts, viewAgents } from "./agents-view.ts";
import type { Control, InboxEntry, KnownProject, Launcher, LedgerPart, RunsWanted } from "../contract.ts";
import { readDiff } from "./diff.ts";
import { economicsOf } from "../ledger/economics.ts";
import { ControlError } from "../errors.ts";
import { findStep } from "../find-step.ts";
import { readGates } from "../ledger/gates.ts";
import { readLedger, type Ledger } from "../ledger/read-ledger.ts";
import { liveChanges } from "./live-changes.ts";
import { readLogPage } from "./log-pages.ts";
import { maskData } from "../mask-data.ts";
import { keeping, type Masks } from "../masks.ts";
import { reportHere } from "./open-report.ts";
import { readPromptOf } from "./prompt.ts";
import { queueDepths } from "./queue-depth.ts";
import { saidIn } from "./report.ts";
import { phasesOf } from "../run-report/phases.ts";
import { readRunReport } from "../run-report/write.ts";
import { toldSavings } from "../ledger/savings.ts";
import { shownSettings } from "./settings.ts";
import { askProgram } from "../steering/start.ts";
import { summarizeRuns } from "./summary.ts";
import { zoneOf } from "../ledger/time-zone.ts";
import { unblocks } from "./unblocks.ts";

/** What looking and steering stand on. */
export interface Desk {
  cli: Surroundings;
  store: Store;
  home: string;
  launcher: Launcher;
  now: () => number;
  masks: Masks;
  log: Log;
  /** Nobody asks any more. */
  closing: AbortSignal;
  settingsOf(project: string | undefined): Promise<{ config: Config } | { problem: string }>;
}

type Looking = Pick<
  Control,
  | "overview"
  | "projects"
  | "runs"
  | "run"
  | "report"
  | "state"
  | "events"
  | "lastSeq"
  | "follow"
  | "live"
  | "logs"
  | "diff"
  | "prompt"
  | "inbox"
  | "bill"
  | "cost"
  | "gates"
  | "agents"
  | "settings"
  | "doctor"
>;

const RUNS = 100;
const LINES = 1_000;
const MOST_LINES = 10_000;
const EVENTS = 1_000;
const MOST_EVENTS = 5_000;

export function lookAt({ cli, store, home, launcher, now, masks, settingsOf }: Desk): Looking {
  const zone = zoneOf();
  const rowOf = (given: string): Promise<RunRow> => findRun(cli, store, given);
  const load = async (given: string): Promise<RunState> => loadRun(store, (await rowOf(given)).runId);
  const maskOf = ({ project, pipeline }: RunState) => masks.of(project, pipeline.secrets);
  const masked = async <T>(value: T): Promise<T> => maskData(value, await masks.own());

  const projectsOnce = keeping<KnownProject[]>(cli.clock);
  /** Only a run that is new brings a project that is new: of many runs all are read once. */
  const projects = async (): Promise<KnownProject[]> => {
    const here = await projectHere(cli);
    const [newest] = await store.runs({ limit: 1 });
    const opened = openedProjects(home);
    return projectsOnce([here?.top, newest?.runId, ...opened].join("\n"), async () => {
      const paths = new Set([...(here ? [here.top] : []), ...opened, ...(await store.runs()).map((row) => row.project)]);
      return [...paths].filter((path) => !path.startsWith("workload:")).map((path) => ({ path, name: basename(path) || path }));
    });
  };
  /** Only of projects that are known: what else lies on the machine is nobody's business here. */
  const known = async (project: string | undefined): Promise<string | undefined> => {
    if (project === undefined || (await projects()).some(({ path }) => path === project)) return project;
    throw new RequestError(
      "PROJECT_UNKNOWN",
      `nothing was run in ${project} yet`,
      "Start a run there first; `stepfall ps --all` lists the others.",
    );
  };

  const wantedRows = async ({ project, status, limit = RUNS, before }: RunsWanted): Promise<RunRow[]> => {
    const rows = await store.runs(project === undefined ? {} : { project });
    const isWanted = async (row: RunRow): Promise<boolean> => {
      if (before !== undefined && row.runId >= before) return false;
      if (status === undefined) return true;
      const driver = row.status === "running" ? await driverOf(store, row.runId, now()) : undefined;
      return shownStatus(row, driver) === status;
    };
    const found: RunRow[] = [];
    for (const row of rows) {
      if (found.length >= limit) break;
      if (await isWanted(row)) found.push(row);
    }
    return found;
  };

  const inbox = async (): Promise<InboxEntry[]> => {
    const items = await store.listInbox();
    const states = new Map<string, RunState>();
    for (const { runId } of items) if (!states.has(runId)) states.set(runId, await loadRun(store, runId));
    const entries = items.flatMap((row): InboxEntry[] => {
      const state = states.get(row.runId);
      if (!state) return [];
      const { project, pipeline } = state;
      return [{ ...row, unblocks: unblocks(state, row), waitedMs: Math.max(0, now() - row.openedAt), project, pipeline: pipeline.name }];
    });
    return masked(entries.toSorted((a, b) => b.unblocks - a.unblocks || a.openedAt - b.openedAt));
  };

  const ledgerOf = async (part: LedgerPart): Promise<{ ledger: Ledger; mask: (text: string) => string }> => {
    const project = await known(part.project);
    const mask = await (project === undefined ? masks.own() : masks.of(project));
    return { ledger: await readLedger(cli, store, part), mask };
  };

  return {
    projects,
    inbox,

    async overview() {
      const all = (await store.runs()).filter((row) => !row.project.startsWith("workload:"));
      // What still goes on, or waits for people, is told however old it is.
      const rows = all.filter((row, i) => i < RUNS || row.endedAt === undefined);
      const { runs, queue } = await summarizeRuns({ store, home, now: now() }, rows);
      const settings = await settingsOf(undefined);
      return masked({
        runs,
        queue,
        waiting: (await store.listInbox()).length,
        spentToday: await store.spent({ since: new Date(now()).setHours(0, 0, 0, 0) }),
        slots: {
          busy: busyOf(await leasedAttempts(store, home, now())),
          total: "config" in settings ? settings.config.slots : 0,
        },
        projects: await projects(),
        providers: troubledProviders(home, now()),
      });
    },

    runs: async (filter = {}) => masked((await summarizeRuns({ store, home, now: now() }, await wantedRows(filter))).runs),

    async run(given) {
      const row = await rowOf(given);
      await importLeftBill(cli, store);
      const state = await loadRun(store, row.runId);
      const driver = row.status === "running" ? await driverOf(store, row.runId, now()) : undefined;
      const report = await reportHere(cli, store, state, shownStatus(row, driver));
      const depthOf = await queueDepths(store, now());
      const queue = { run: await depthOf(row.runId), all: await depthOf() };
      return maskData({ ...report, queue }, await maskOf(state));
    },

    async report(given, phase) {
      const state = await load(given);
      const { runId, project } = state;
      const mask = await maskOf(state);
      const settings = await settingsOf(project);
      const ledger = await readLedger(cli, store, { project });
      const savings = toldSavings(await economicsOf(cli, store, ledger, "config" in settings ? settings.config : undefined));
      const opened = await openProject(project, { env: cli.env }).catch(() => undefined);
      const workspaces = opened && openWorkspaces({ project: opened, home });
      try {
        const text = await readRunReport({ store, home, mask, workspaces, savings }, runId, phase);
        if (text !== undefined) return text;
      } finally {
        await workspaces?.close();
      }
      const names = phasesOf(state).map(({ name }) => name);
      throw new RequestError(
        "PHASE_UNKNOWN",
        `run ${runId} has no phase ${shown(phase ?? "", 40)}`,
        `Its phases: ${names.join(", ") || "none"}.`,
      );
    },

    async state(given) {
      const state = await load(given);
      return fold(maskData(await store.read(runStream(state.runId)), await maskOf(state)));
    },

    async events(given, { after = 0, limit = EVENTS } = {}) {
      const { runId } = await rowOf(given);
      return masked(await store.read(runStream(runId), { after, limit: Math.min(limit, MOST_EVENTS) }));
    },

    // Nothing is written, and the store answers where its journal stands.
    lastSeq: async () => (await store.commit({})).globalSeq,

    async *follow(after, signal): AsyncGenerator<Recorded, void> {
      const mask = await masks.own();
      for await (const event of store.followAll({ after, signal })) yield maskData(event, mask);
    },

    live: (signal) => liveChanges({ store, home, now }, signal),

    async logs(given, { step, attempt, role, after, limit = LINES } = {}) {
      const state = await load(given);
      const { runId } = state;
      const path = step === undefined ? undefined : findStep(state, step).step.path;
      // Asked before reading: what was written before the run ended is then all read.
      const isOver = state.status === "finished";
      const over = new Set([...state.steps.values()].flatMap((s) => s.attempts.flatMap((a) => (a.endedAt === undefined ? [] : [a.id]))));
      const page = await readLogPage(runFolder(home, runId), runId, {
        part: { step: path, attempt, role },
        after,
        limit: Math.min(limit, MOST_LINES),
        now: now(),
        isOver: (id) => over.has(id),
      });
      return { lines: maskData(page.lines, await maskOf(state)), next: page.next, isOver: isOver && page.lines.length === 0 };
    },

    async diff(given, of = {}) {
      const state = await load(given);
      const mask = await maskOf(state);
      return maskData(await readDiff(cli, state, of, mask), mask);
    },

    async prompt(given, attempt) {
      const state = await load(given);
      const mask = await maskOf(state);
      return maskData(await readPromptOf({ store, home, mask }, state, attempt), mask);
    },

    async bill(given) {
      const state = await load(given);
      await importLeftBill(cli, store);
      return billOf(store, state.runId, saidIn(state));
    },

    async cost(by, part = {}) {
      const { ledger, mask } = await ledgerOf(part);
      const settings = await settingsOf(part.project);
      const config = "config" in settings ? settings.config : undefined;
      const view = viewBy(by, ledger, zone.dayOf);
      const savings = toldSavings(await economicsOf(cli, store, ledger, config));
      const problem = "problem" in settings ? { problem: settings.problem } : {};
      return maskData({ ...part, runs: ledger.runCount, timeZone: zone.name, ...view, savings, ...problem }, mask);
    },

    async gates(part = {}) {
      const { ledger, mask } = await ledgerOf(part);
      return maskData({ ...part, runs: ledger.runCount, ...(await readGates(store, ledger)) }, mask);
    },

    async agents(project) {
      const view = await viewAgents({ store, home, now: now() }, await settingsOf(await known(project)));
      return masked({ ...(project === undefined ? {} : { project }), ...view });
    },

    async settings(project) {
      const found = await settingsOf(await known(project));
      if ("config" in found) return shownSettings(found.config, project);
      throw new ControlError("SETTINGS_BAD", found.problem, "`stepfall doctor` tells where, and what to do.");
    },

    async doctor(project) {
      const cwd = (await known(project)) ?? (await projectHere(cli))?.top ?? home;
      return masked(await askProgram({ store, clock: cli.clock, home, launcher }, "cli:doctor", ["doctor"], cwd));
    },
  };
}
