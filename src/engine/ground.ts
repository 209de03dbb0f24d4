import type { Confine } from "../agents/index.ts";
import type { Step } from "../domain/index.ts";
import { AGENT_PLACE, tearDown, type OwnPlace } from "../fleet/index.ts";
import { fillSecrets } from "../pipeline/index.ts";
import type { CommandEnd } from "../quality/index.ts";
import { leftCheckouts, leftWorkspace, removeLeftover } from "../workspace/index.ts";
import type { EngineDeps } from "./contract.ts";
import { transcriptPath } from "./paths.ts";
import { runCommand } from "./run-command.ts";

/** What preparing a place for an attempt's commands needs. */
export interface Preparation {
  deps: EngineDeps;
  runId: string;
  attempt: string;
  step: Step;
  signal: AbortSignal;
}

export interface Folders {
  tree: string;
  home: string;
  tmp: string;
}

/**
 * Where an attempt's commands and its agent run: folders, environment, ports of its own, and the sandbox around them. Disposing undoes what
 * setup did outside the folders (`teardown`), however it went, and gives the ports back.
 */
export class Ground implements AsyncDisposable {
  readonly folders: Folders | undefined;
  /** The whole environment of what runs here. */
  readonly env: Readonly<Record<string, string>>;
  readonly #p: Preparation;
  readonly #purpose: string;
  readonly #confine: Confine | undefined;
  #isLeft = false;

  private constructor(
    p: Preparation,
    purpose: string,
    folders: Folders | undefined,
    place: OwnPlace | undefined,
    confine: Confine | undefined,
  ) {
    this.#p = p;
    this.#purpose = purpose;
    this.folders = folders;
    this.env = environmentOf(p, folders, place);
    this.#confine = confine;
  }

  /** `purpose`: AGENT_PLACE, or what a clean checkout is for. */
  static async open(p: Preparation, purpose: string, folders: Folders | undefined): Promise<Ground> {
    const { isolation } = p.deps;
    const place = await isolation?.places.take(p.attempt, purpose);
    const confine = folders && (await isolation?.confine({ folders, path: p.deps.baseEnv["PATH"] ?? "" }));
    return new Ground(p, purpose, folders, place, confine);
  }

  /** Leaves everything as it is to whoever takes the attempt up. */
  leave(): void {
    this.#isLeft = true;
  }

  /** Runs one of our shell commands here. `role` names its transcript. */
  run(
    command: string,
    { role, timeoutMs, signal = this.#p.signal }: { role: string; timeoutMs: number; signal?: AbortSignal },
  ): Promise<CommandEnd> {
    const { deps, attempt } = this.#p;
    if (!this.folders) throw new TypeError(`${attempt} has no folder to run a command in`);
    return runCommand(deps.host, command, {
      attempt,
      role,
      cwd: this.folders.tree,
      env: this.env,
      timeoutMs,
      transcript: transcriptPath(deps.home, attempt, role),
      signal,
      ...(this.#confine ? { confine: this.#confine } : {}),
    });
  }

  /** Runs the project's setup commands, then the step's. Answers the end of the one that failed. */
  async setUp(role: string): Promise<FailedSetup | undefined> {
    const { deps, step } = this.#p;
    for (const command of [...deps.setup, ...step.setup]) {
      const end = await this.run(command, { role, timeoutMs: step.timeoutMs });
      if (end.kind !== "exited" || end.code !== 0) return { command, end, isConfined: this.#confine !== undefined };
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isLeft) return;
    const { deps, attempt, step } = this.#p;
    const commands = [...(step.teardown ?? []), ...(deps.isolation?.teardown ?? [])];
    const role = this.#purpose === "agent" ? "teardown" : `${this.#purpose}-teardown`;
    if (this.folders && commands.length > 0) {
      // Wanted most when the attempt was stopped: its signal has nothing to say here.
      const signal = new AbortController().signal;
      const notices = await tearDown(commands, (command, timeoutMs) => this.run(command, { role, timeoutMs, signal }));
      for (const notice of notices) {
        const text = deps.mask(notice.split("\n", 1)[0] ?? "");
        deps.onFeed?.({ kind: "progress", at: deps.clock.now(), attempt, step: step.path, text, isNotice: true });
      }
    }
    deps.isolation?.places.free(attempt, this.#purpose);
  }
}

/** What the machine must give, what the attempt has for itself, and the step's own, with the secrets it names and no others. */
function environmentOf(
  { deps, runId, step }: Preparation,
  folders: Folders | undefined,
  place: OwnPlace | undefined,
): Record<string, string> {
  const own = fillSecrets(step.env, (name) => deps.secret?.(name));
  return {
    ...deps.baseEnv,
    ...(place ? deps.isolation?.places.env(place, folders) : {}),
    ...(folders ? { HOME: folders.home, TMPDIR: folders.tmp } : {}),
    TERM: "dumb",
    // Asked for before anything starts, see `missingSecrets`.
    ...(own.ok ? own.env : {}),
    STEPFALL_RUN: runId,
    STEPFALL_STEP: step.path,
  };
}

/** Secrets that the step's `env` names and nobody has set. */
export function missingSecrets({ deps, step }: Pick<Preparation, "deps" | "step">): string[] {
  const filled = fillSecrets(step.env, (name) => deps.secret?.(name));
  return filled.ok ? [] : filled.missing;
}

export interface FailedSetup {
  command: string;
  end: CommandEnd;
  isConfined: boolean;
}

/** What programs say that cannot reach anybody. */
const unreachable =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|Could not resolve|Temporary failure in name resolution|ConnectionError|403 Forbidden by Stepfall/i;

/** "setup `npm ci` exits 1" with the end of its output. */
export function describeSetup({ command, end, isConfined }: FailedSetup): string {
  const text = `setup \`${command}\` ${end.kind === "exited" ? `exits ${end.code}` : end.kind}\n${end.tail}`.trimEnd();
  if (!isConfined || !unreachable.test(end.tail)) return text;
  return `${text}\nIt runs in a sandbox without a network: name the hosts it needs under \`sandbox: { domains: [...] }\` in stepfall.yaml.`;
}

/**
 * Runs the teardown of places that a dead engine has left, removes clean checkouts, and gives the ports back. Best effort: what is not there is
 * not undone. `agentFolder`: the attempt in whose folder the agent worked; absent when that is still in use.
 */
export async function tearDownLeft(p: Preparation, agentFolder: string | undefined): Promise<void> {
  const { deps, attempt } = p;
  const places = deps.isolation?.places;
  const found = await leftCheckouts(deps.home, attempt);
  const workspace = agentFolder === undefined ? undefined : await leftWorkspace(deps.home, agentFolder);
  if (workspace) found.set(AGENT_PLACE, workspace);
  for (const { purpose } of places?.left(attempt) ?? [])
    if (!found.has(purpose) && (purpose !== AGENT_PLACE || agentFolder !== undefined)) places?.free(attempt, purpose);
  for (const [purpose, { root, ...folders }] of found) {
    // A frozen engine may hold one, and finds it gone when it wakes.
    await (await Ground.open(p, purpose, folders))[Symbol.asyncDispose]();
    if (purpose !== AGENT_PLACE) await removeLeftover(deps.home, "workspaces", root);
  }
}
