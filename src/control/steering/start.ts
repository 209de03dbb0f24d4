import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ulid } from "ulid";
import type { Clock } from "../../domain/index.ts";
import { parseHolder } from "../../fleet/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { isDead, isOfThisMachine } from "../../setup/identity.ts";
import type { Store } from "../../store/index.ts";
import type { Actor, DoTasks, Launcher, StartRun } from "../contract.ts";
import { ControlError } from "../errors.ts";

/** Where what started processes print is kept. */
const FOLDER = "launched";
const LOOK_MS = 50;
/** The agents it needs are started once, and a gateway, before a run begins. */
const BEGIN_MS = 300_000;

export interface Starting {
  store: Store;
  clock: Clock;
  home: string;
  launcher: Launcher;
}

export async function startRun(starting: Starting, actor: Actor, request: StartRun): Promise<{ runId: string }> {
  const { project, pipeline, inputs = {}, budget, includeDirty } = request;
  const top = folderOf(project);
  const output = newOutput(starting);
  const file = "yaml" in pipeline ? writeYaml(output, pipeline.yaml) : fileIn(top, pipeline.file);
  const flags = [
    ...Object.entries(inputs).map(([name, value]) => `--with=${name}=${value}`),
    ...budgetFlag(budget),
    ...(includeDirty === true ? ["--include-dirty"] : []),
  ];
  return begin(starting, ["run", ...flags, "--wait", "--", file], { cwd: top, output, actor });
}

export async function startTasks(starting: Starting, actor: Actor, request: DoTasks): Promise<{ runId: string }> {
  const { project, tasks, gates = [], noGates, agent, budget } = request;
  const flags = [
    ...gates.map((gate) => `--gate=${gate}`),
    ...(noGates === true ? ["--no-gates"] : []),
    ...(agent === undefined ? [] : [`--agent=${agent}`]),
    ...budgetFlag(budget),
  ];
  return begin(starting, ["do", ...flags, "--wait", "--", ...tasks], { cwd: folderOf(project), output: newOutput(starting), actor });
}

/** A sample project and a run on it that asks a person something. */
export async function startSample(starting: Starting, actor: Actor): Promise<{ runId: string }> {
  return begin(starting, ["demo", "--approve", "--wait"], { cwd: starting.home, output: newOutput(starting), actor });
}

/** The same as a run that is over did, from what is committed now. */
export async function startAgain(
  starting: Starting,
  actor: Actor,
  { runId, project }: { runId: string; project: string },
): Promise<{ runId: string }> {
  return begin(starting, ["run", `--again=${runId}`, "--wait"], { cwd: folderOf(project), output: newOutput(starting), actor });
}

/** A process goes on with a run that nobody drives. Resolves when it drives it, or has said that there is nothing to do. */
export async function resumeRun(starting: Starting, actor: Actor, run: { runId: string; project: string }): Promise<void> {
  const cwd = existsSync(run.project) ? run.project : starting.home;
  await begin(starting, ["resume", "--wait", "--", run.runId], { cwd, output: newOutput(starting), actor });
}

/** A process ends what is left of a cancelled run that nobody drives. Resolves when it is done. */
export async function endCancelled(starting: Starting, actor: Actor, run: { runId: string; project: string }): Promise<void> {
  const cwd = existsSync(run.project) ? run.project : starting.home;
  const output = newOutput(starting);
  const { ended } = await starting.launcher.launch(wordsOf(starting, ["cancel", "--", run.runId]), { cwd, output, actor });
  await ended;
}

/** Runs a command to its end and answers the last object that it printed. */
export async function askProgram(starting: Starting, actor: Actor, words: readonly string[], cwd: string): Promise<unknown> {
  const output = newOutput(starting);
  const { ended } = await starting.launcher.launch(wordsOf(starting, words), { cwd, output, actor });
  const code = await ended;
  const last = printed(output).at(-1);
  if (last === undefined || last["type"] === "error") throw refused(words, output, code);
  return last;
}

const wordsOf = ({ home }: Starting, words: readonly string[]): string[] => ["--json", "--no-input", `--home=${home}`, ...words];

async function begin(
  starting: Starting,
  words: readonly string[],
  at: { cwd: string; output: string; actor: Actor },
): Promise<{ runId: string }> {
  const { store, clock, launcher } = starting;
  const { pid, ended } = await launcher.launch(wordsOf(starting, words), at);
  let code: number | undefined;
  void ended.then((c) => (code = c));
  for (const until = clock.now() + BEGIN_MS; clock.now() < until; await sleep(LOOK_MS)) {
    // Asked before the output is read, so that nothing it printed at its end is missed.
    const isOver = code !== undefined;
    const runId = (await drivenBy(store, pid)) ?? printed(at.output).find((line) => typeof line["runId"] === "string")?.["runId"];
    if (typeof runId === "string") return { runId };
    if (isOver) throw refused(words, at.output, code);
  }
  throw new ControlError(
    "START_SLOW",
    `${words[0]} has begun nothing in ${BEGIN_MS / 1000} s`,
    `Process ${pid} goes on; what it says is in ${at.output}.err.`,
  );
}

/** A lease that a dead process left may name the same pid. */
async function drivenBy(store: Store, pid: number): Promise<string | undefined> {
  const lease = (await store.leases("run:")).find(
    ({ holder }) => parseHolder(holder)?.pid === pid && isOfThisMachine(holder) && !isDead(holder),
  );
  return lease?.key.slice("run:".length);
}

function printed(output: string): Record<string, unknown>[] {
  return readFileSync(output, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Record<string, unknown>];
      } catch {
        return [];
      }
    });
}

interface Fault {
  message?: string;
  hint?: string;
  file?: string;
}

/** A pipeline that was only text has no file that its author knows. */
const named =
  (output: string) =>
  (fault: Fault): Fault =>
    fault.file === yamlOf(output) ? { ...fault, file: "pipeline" } : fault;

/** What the process said went wrong, in its own words. */
function refused(words: readonly string[], output: string, code: number | undefined): ControlError {
  const error = printed(output).findLast((line) => line["type"] === "error");
  const text = (key: string): string | undefined => (typeof error?.[key] === "string" ? error[key] : undefined);
  const problems = Array.isArray(error?.["problems"]) ? (error["problems"] as readonly Fault[]).map(named(output)) : undefined;
  const said = readFileSync(`${output}.err`, "utf8").trim().split("\n").slice(-5).join("\n");
  return new ControlError(
    text("code") ?? "START_FAILED",
    problems?.[0]?.message ?? text("message") ?? (said === "" ? `${words[0]} ended with exit code ${code}` : said),
    problems?.[0]?.hint ?? text("hint") ?? `All that it said is in ${output}.err.`,
    problems ? { problems } : {},
  );
}

function newOutput({ home, clock }: Starting): string {
  const folder = join(home, FOLDER);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, `${ulid(clock.now()).toLowerCase()}.ndjson`);
}

const yamlOf = (output: string): string => output.replace(/\.ndjson$/, ".yaml");

function writeYaml(output: string, yaml: string): string {
  const file = yamlOf(output);
  writeFileSync(file, yaml, { mode: 0o600 });
  return file;
}

function folderOf(project: string): string {
  if (isAbsolute(project) && existsSync(project)) return realpathSync(project);
  throw new RequestError("USAGE", `there is no folder ${project}`, "Give the whole path of a folder in a project.");
}

/** A file of the project, wherever links lead. */
function fileIn(top: string, file: string): string {
  const path = resolve(top, file);
  const real = existsSync(path) ? realpathSync(path) : path;
  const from = relative(top, real);
  if (from === "" || from === ".." || from.startsWith(`..${sep}`) || isAbsolute(from))
    throw new RequestError("USAGE", `${file} is not in the project ${top}`, "Give the path of a pipeline in the project.");
  return real;
}

const budgetFlag = (budget: number | undefined): string[] =>
  budget === undefined ? [] : [`--budget=${budget.toFixed(6).replace(/\.?0+$/, "")}`];
