import type { CommandEnd } from "../quality/index.ts";
import type { Checkout, Workspaces } from "../workspace/index.ts";
import type { Step } from "../domain/index.ts";
import { fillSecrets } from "../pipeline/index.ts";
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

/** The environment of everything that runs for an attempt: what the machine must give and the step's own, with the secrets it names and no others. */
export function attemptEnv({ deps, runId, step }: Preparation, place: { home: string; tmp: string } | undefined): Record<string, string> {
  const own = fillSecrets(step.env, (name) => deps.secret?.(name));
  return {
    ...deps.baseEnv,
    ...(place ? { HOME: place.home, TMPDIR: place.tmp } : {}),
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

/** Runs the project's setup commands, then the step's. Answers the end of the one that failed. */
export async function runSetup(
  p: Preparation,
  place: { tree: string; home: string; tmp: string },
  role: string,
): Promise<{ command: string; end: CommandEnd } | undefined> {
  const env = attemptEnv(p, place);
  for (const command of [...p.deps.setup, ...p.step.setup]) {
    const end = await runCommand(p.deps.host, command, {
      attempt: p.attempt,
      role,
      cwd: place.tree,
      env,
      timeoutMs: p.step.timeoutMs,
      transcript: transcriptPath(p.deps.home, p.attempt, role),
      signal: p.signal,
    });
    if (end.kind !== "exited" || end.code !== 0) return { command, end };
  }
  return undefined;
}

/** "setup `npm ci` exits 1" with the end of its output. */
export const describeSetup = ({ command, end }: { command: string; end: CommandEnd }): string =>
  `setup \`${command}\` ${end.kind === "exited" ? `exits ${end.code}` : end.kind}\n${end.tail}`.trimEnd();

/** A checkout for gates: made when the first command asks for it, prepared by setup, removed at the end. */
export class CleanCheckout implements AsyncDisposable {
  readonly #p: Preparation;
  readonly #workspaces: Workspaces;
  readonly #commit: string;
  readonly #purpose: string;
  #made: Promise<{ checkout: Checkout; failed: { command: string; end: CommandEnd } | undefined }> | undefined;
  #count = 0;

  constructor(p: Preparation, workspaces: Workspaces, commit: string, purpose: string) {
    this.#p = p;
    this.#workspaces = workspaces;
    this.#commit = commit;
    this.#purpose = purpose;
  }

  async run(command: string, options: { name: string; timeoutMs: number }): Promise<CommandEnd> {
    this.#made ??= this.#make();
    const { checkout, failed } = await this.#made;
    if (failed)
      return failed.end.kind === "aborted"
        ? failed.end
        : { kind: "unstartable", durationMs: failed.end.durationMs, tail: describeSetup(failed) };
    this.#count += 1;
    const role = `${this.#purpose}-${this.#count}`;
    return runCommand(this.#p.deps.host, command, {
      attempt: this.#p.attempt,
      role,
      cwd: checkout.tree,
      env: attemptEnv(this.#p, checkout),
      timeoutMs: options.timeoutMs,
      transcript: transcriptPath(this.#p.deps.home, this.#p.attempt, role),
      signal: this.#p.signal,
    });
  }

  async #make(): Promise<{ checkout: Checkout; failed: { command: string; end: CommandEnd } | undefined }> {
    const { runId, attempt } = this.#p;
    const checkout = await this.#workspaces.checkout({ runId, attempt, commit: this.#commit, purpose: this.#purpose });
    return { checkout, failed: await runSetup(this.#p, checkout, `${this.#purpose}-setup`) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const made = await this.#made?.catch(() => undefined);
    await made?.checkout[Symbol.asyncDispose]();
  }
}
