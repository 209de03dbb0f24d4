import type { Finding, GateResult, RunState } from "../domain/index.ts";
import { currentAttempt } from "../domain/index.ts";
import { anyMatch, runGates } from "../quality/index.ts";
import type { RunBranch, Workspaces } from "../workspace/index.ts";
import { CleanCheckout } from "./clean-checkout.ts";
import type { EngineDeps } from "./contract.ts";
import type { RunLog } from "./run-log.ts";

/**
 * Brings accepted work into the run's branch, one attempt after the other.
 *
 * The order of writes makes a crash harmless at every point: MergeIntended names the merge commit, which is deterministic; then the
 * branch moves by compare-and-swap; then ResultMerged. A restart that finds the commit in the branch records ResultMerged, one
 * that does not finds the work accepted and merges it.
 *
 * Work that was judged on an older tip than it is merged on is judged again, on the merged tree: two changes that each pass alone may
 * break together.
 */
export class MergeQueue {
  readonly #deps: EngineDeps;
  readonly #workspaces: Workspaces;
  readonly #log: () => RunLog;
  readonly #branch: RunBranch;
  readonly #signal: AbortSignal;
  readonly #onFailure: (error: unknown) => void;
  readonly #queued = new Map<string, string>();
  /** Where the branch stood after this driver's last merge. The compare-and-swap tells when somebody has moved it since. */
  #tip: string | undefined;
  #working = false;

  constructor(options: {
    deps: EngineDeps;
    workspaces: Workspaces;
    log: () => RunLog;
    branch: RunBranch;
    signal: AbortSignal;
    onFailure: (error: unknown) => void;
  }) {
    this.#deps = options.deps;
    this.#workspaces = options.workspaces;
    this.#log = options.log;
    this.#branch = options.branch;
    this.#signal = options.signal;
    this.#onFailure = options.onFailure;
  }

  get isIdle(): boolean {
    return !this.#working && this.#queued.size === 0;
  }

  /** Adding an attempt that is queued already changes nothing. */
  add(attempt: string, step: string): void {
    this.#queued.set(attempt, step);
    if (!this.#working) void this.#work();
  }

  /** The next merge need not wait until the journal has the last one's ResultMerged; an attempt stays in the queue until it has. */
  async #work(): Promise<void> {
    this.#working = true;
    const recording: Promise<void>[] = [];
    try {
      for (const [attempt, step] of this.#queued) {
        if (this.#signal.aborted) break;
        let record: Promise<void> | undefined;
        try {
          record = (await this.#merge(attempt, step))?.record;
        } finally {
          const done = (): void => void this.#queued.delete(attempt);
          if (record) recording.push(record.finally(done));
          else done();
          // Looked at below, when the others are through.
          recording.at(-1)?.catch(() => undefined);
        }
      }
      await Promise.all(recording);
    } catch (error) {
      if (!this.#signal.aborted) this.#onFailure(error);
    } finally {
      this.#working = false;
      // What was added while the last one was finishing.
      if (this.#queued.size > 0 && !this.#signal.aborted) void this.#work();
      else this.#log().poke();
    }
  }

  /** Resolves when the branch has moved (or will not), with what is still being written about it; wrapped, so that it is not awaited. */
  async #merge(attempt: string, path: string): Promise<{ record: Promise<void> } | undefined> {
    const log = this.#log();
    const of = { attempt, step: path };
    const state: RunState = log.state;
    const s = state.steps.get(path);
    const a = s && currentAttempt(s);
    if (!s || !a || a.id !== attempt || !a.commit || (a.phase !== "accepted" && a.phase !== "merging")) return undefined;
    let tip = (this.#tip ??= await this.#workspaces.tip(this.#branch));
    let mayBeThere = a.phase === "merging";
    for (;;) {
      if (mayBeThere && (await this.#workspaces.contains(tip, a.commit))) {
        return {
          record: log.submit({ events: [{ type: "ResultMerged", data: { ...of, commit: a.mergeCommit ?? tip } }], cause: attempt }),
        };
      }
      const at = this.#deps.clock.now();
      const merge = await this.#workspaces.prepareMerge({
        branch: this.#branch,
        attempt,
        commit: a.commit,
        onto: tip,
        at,
        title: `Merge ${path}`,
      });
      if (merge.kind === "conflict") {
        const finding: Finding = {
          gate: "merge",
          message: `the change conflicts with work merged meanwhile in ${merge.paths.join(", ")}; do the step again on the files as they are now`,
          evidence: this.#deps.mask(merge.evidence).slice(0, 4000),
        };
        await log.submit({
          events: [{ type: "MergeRefused", data: { ...of, onto: tip, findings: [finding], gates: [] } }],
          cause: attempt,
        });
        return undefined;
      }
      if (!merge.clean) {
        const again = await this.#judgeMerged(path, attempt, merge.commit);
        if (again === "aborted") return undefined;
        if (again.findings.length > 0) {
          const findings = again.findings.map((f) => ({ ...f, message: `together with work merged meanwhile: ${f.message}` }));
          await log.submit({
            events: [{ type: "MergeRefused", data: { ...of, onto: tip, findings, gates: again.gates } }],
            cause: attempt,
          });
          return undefined;
        }
      }
      await log.submit({ events: [{ type: "MergeIntended", data: { ...of, onto: tip, commit: merge.commit } }], cause: attempt });
      const advanced = await this.#workspaces.advance(this.#branch, tip, merge.commit);
      if (advanced.moved) {
        this.#tip = merge.commit;
        return { record: log.submit({ events: [{ type: "ResultMerged", data: { ...of, commit: merge.commit } }], cause: attempt }) };
      }
      // Somebody moved the branch, perhaps with this very work: look again where it stands now.
      tip = this.#tip = advanced.tip;
      mayBeThere = true;
    }
  }

  async #judgeMerged(path: string, attempt: string, commit: string): Promise<{ findings: Finding[]; gates: GateResult[] } | "aborted"> {
    const { state } = this.#log();
    const step = state.steps.get(path)?.step;
    if (!step) return { findings: [], gates: [] };
    const looksAtFiles = step.outputs.files.length > 0 || step.gates.some((g) => g.kind === "files");
    const files = looksAtFiles ? await this.#workspaces.list(commit) : [];
    const missing = step.outputs.files.filter((glob) => !anyMatch(glob, files));
    const findings: Finding[] = missing.map((glob) => ({ gate: "contract", message: `declared output ${glob} does not exist` }));
    await using clean = new CleanCheckout(
      { deps: this.#deps, runId: state.runId, attempt, step, signal: this.#signal },
      this.#workspaces,
      commit,
      "merge",
    );
    const run = await runGates(step.gates, { files, command: (command, options) => clean.run(command, options) });
    if (run.aborted) return "aborted";
    return { findings: [...findings, ...run.findings], gates: run.gates };
  }
}
