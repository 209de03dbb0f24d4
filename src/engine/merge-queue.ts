import type { Finding, GateResult, RunEvent } from "../domain/index.ts";
import { currentAttempt } from "../domain/index.ts";
import { runGates } from "../quality/index.ts";
import type { RunBranch, Workspaces } from "../workspace/index.ts";
import { mayMerge } from "./ask-veto.ts";
import type { EngineDeps } from "./contract.ts";
import { GateGround } from "./gate-run.ts";
import type { RunLog } from "./run-log.ts";

/** A merge commit that is ready to land. */
interface Merge {
  of: { attempt: string; step: string };
  onto: string;
  commit: string;
}

/** What ends at the same time lands together, so many at most: nobody waits long for the others. */
const LONGEST_ROW = 16;

/**
 * Brings accepted work into the run's branch, one attempt after the other; what is waiting together lands together.
 *
 * The order of writes makes a crash harmless at every point: MergeIntended names the merge commits, which are deterministic; then the
 * branch moves over all of them by one compare-and-swap; then ResultMerged. A restart that finds the commit in the branch records ResultMerged, one
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
  #hasFailed = false;

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

  /** Nothing is being merged, and nothing waits for it. */
  get isIdle(): boolean {
    return !this.#working && this.#queued.size === 0;
  }

  /** Adding an attempt that is queued already changes nothing. */
  add(attempt: string, step: string): void {
    this.#queued.set(attempt, step);
    if (!this.#working && !this.#hasFailed) void this.#work();
  }

  /** The next merges need not wait until the journal has the last ones' ResultMerged; an attempt stays in the queue until it has. */
  async #work(): Promise<void> {
    this.#working = true;
    const taken = new Set<string>();
    const recording: Promise<void>[] = [];
    try {
      for (;;) {
        const row = await this.#makeRow(taken);
        if (row.length > 0) recording.push(...(await this.#land(row, taken)));
        if (this.#signal.aborted || [...this.#queued.keys()].every((attempt) => taken.has(attempt))) break;
      }
      await Promise.all(recording);
    } catch (error) {
      // The run's driver gives up; what is queued stands in the journal for the next one.
      this.#hasFailed = true;
      if (!this.#signal.aborted) this.#onFailure(error);
    } finally {
      for (const attempt of taken) this.#queued.delete(attempt);
      this.#working = false;
      const isOver = this.#hasFailed || this.#signal.aborted;
      // What was added while the last one was finishing.
      if (this.#queued.size > 0 && !isOver) void this.#work();
      else if (!isOver) this.#log().poke();
    }
  }

  /**
   * Merge commits for what is queued, each on top of the one before it: they land together. A row ends where the queue does, and before work
   * that must be judged again first, which may take long.
   */
  async #makeRow(taken: Set<string>): Promise<Merge[]> {
    const row: Merge[] = [];
    let onto = (this.#tip ??= await this.#workspaces.tip(this.#branch));
    for (const [attempt, step] of this.#queued) {
      if (taken.has(attempt)) continue;
      if (this.#signal.aborted || row.length >= LONGEST_ROW) break;
      const merge = await this.#prepare(attempt, step, onto, row.length > 0);
      if (merge === "later") break;
      taken.add(attempt);
      if (!merge) continue;
      row.push(merge);
      onto = merge.commit;
    }
    return row;
  }

  /** A merge commit on `onto`; `undefined` when there is nothing to merge, with the reason on record; `later`: not in this row. */
  async #prepare(attempt: string, path: string, onto: string, inRow: boolean): Promise<Merge | "later" | undefined> {
    const log = this.#log();
    const s = log.state.steps.get(path);
    const a = s && currentAttempt(s);
    if (!s || !a || a.id !== attempt || !a.commit || (a.phase !== "accepted" && a.phase !== "merging")) return undefined;
    const of = { attempt, step: path };
    // Intended once and not seen: it may be in the branch, by a driver before this one.
    if (a.phase === "merging" && (await this.#workspaces.contains(onto, a.commit))) {
      await log.submit({ events: [{ type: "ResultMerged", data: { ...of, commit: a.mergeCommit ?? onto } }], cause: attempt });
      return undefined;
    }
    const merge = await this.#workspaces.prepareMerge({
      branch: this.#branch,
      attempt,
      commit: a.commit,
      onto,
      at: this.#deps.clock.now(),
      title: `Merge ${path}`,
    });
    const isJudged = merge.kind === "merged" && (merge.clean || (s.step.gates.length === 0 && s.step.outputs.files.length === 0));
    if (isJudged) return this.#unlessBarred({ of, onto, commit: merge.commit });
    if (inRow && (merge.kind === "conflict" || s.step.gates.some((g) => g.kind === "command" || g.kind === "regression"))) return "later";
    if (merge.kind === "conflict") {
      const finding: Finding = {
        gate: "merge",
        message: `the change conflicts with work merged meanwhile in ${merge.paths.join(", ")}; do the step again on the files as they are now`,
        evidence: this.#deps.mask(merge.evidence).slice(0, 4000),
      };
      await this.#refuse(of, onto, [finding], []);
      return undefined;
    }
    const again = await this.#judgeMerged(path, attempt, merge.commit, onto);
    if (again === "aborted") return undefined;
    if (again.findings.length === 0) return this.#unlessBarred({ of, onto, commit: merge.commit });
    if (inRow) return "later";
    const findings = again.findings.map((f) => ({ ...f, message: `together with work merged meanwhile: ${f.message}` }));
    await this.#refuse(of, onto, findings, again.gates);
    return undefined;
  }

  /** The merge, unless a hook of the user's refuses it. */
  async #unlessBarred(merge: Merge): Promise<Merge | undefined> {
    if (!this.#deps.veto) return merge;
    const { of, onto, commit } = merge;
    const log = this.#log();
    const { events, finding } = await mayMerge(this.#deps, { ...of, state: log.state }, { onto, commit }, this.#signal);
    if (this.#signal.aborted) return undefined;
    const refused: RunEvent[] = finding ? [{ type: "MergeRefused", data: { ...of, onto, findings: [finding], gates: [] } }] : [];
    if (events.length > 0) await log.submit({ events: [...events, ...refused], cause: of.attempt });
    return finding ? undefined : merge;
  }

  async #refuse(of: Merge["of"], onto: string, findings: Finding[], gates: GateResult[]): Promise<void> {
    await this.#log().submit({ events: [{ type: "MergeRefused", data: { ...of, onto, findings, gates } }], cause: of.attempt });
  }

  /**
   * Moves the branch over a whole row by one compare-and-swap. Answers what is still being written about it. When somebody has moved the branch,
   * perhaps with this very work, the row goes back into the queue.
   */
  async #land(row: readonly Merge[], taken: Set<string>): Promise<Promise<void>[]> {
    const log = this.#log();
    const first = row[0];
    const last = row.at(-1);
    if (!first || !last) return [];
    await Promise.all(
      row.map(({ of, onto, commit }) =>
        log.submit({ events: [{ type: "MergeIntended", data: { ...of, onto, commit } }], cause: of.attempt }),
      ),
    );
    const advanced = await this.#workspaces.advance(this.#branch, first.onto, last.commit);
    this.#tip = advanced.tip;
    if (!advanced.moved) {
      for (const { of } of row) taken.delete(of.attempt);
      return [];
    }
    const recording = row.map(({ of, commit }) =>
      log.submit({ events: [{ type: "ResultMerged", data: { ...of, commit } }], cause: of.attempt }),
    );
    // Looked at by the caller, when the others are through.
    for (const record of recording) record.catch(() => undefined);
    return recording;
  }

  /** Outputs and gates on the merged tree, compared with the tip it is merged on. */
  async #judgeMerged(
    path: string,
    attempt: string,
    commit: string,
    onto: string,
  ): Promise<{ findings: Finding[]; gates: GateResult[] } | "aborted"> {
    const { state } = this.#log();
    const step = state.steps.get(path)?.step;
    if (!step) return { findings: [], gates: [] };
    const findings: Finding[] = (await this.#workspaces.missing(commit, step.outputs.files)).map((glob) => ({
      gate: "contract",
      message: `declared output ${glob} does not exist`,
    }));
    const preparation = { deps: this.#deps, runId: state.runId, attempt, step, signal: this.#signal };
    await using ground = new GateGround(preparation, this.#workspaces, { phase: "merge", tree: commit, from: onto });
    const run = await runGates(step, ground.run);
    if (run.aborted) return "aborted";
    return { findings: [...findings, ...run.findings], gates: run.gates };
  }
}
