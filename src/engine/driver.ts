import { currentAttempt, isOver, parseAttemptId, runStream, type RunEvent, type RunState } from "../domain/index.ts";
import { routeStep, type Assignment } from "../models/index.ts";
import { StoreError, type LeaseRef, type QueueEntry } from "../store/index.ts";
import type { AttemptSignals, AttemptWork } from "./attempt.ts";
import { AgentRequests } from "./agent-requests.ts";
import { mayAttempt } from "./ask-veto.ts";
import { liftedPauses, setAside, type SetAside } from "./budgets.ts";
import type { DriveEnd, DriveOptions, EngineDeps } from "./contract.ts";
import { finishedIn, removeLive, type FinishedAttempt } from "../fleet/index.ts";
import type { Assigned, Dispatcher, DispatchedRun } from "./dispatcher.ts";
import { finishedInEarlierRuns } from "./earlier-runs.ts";
import { lastMerged, loadRun } from "./load.ts";
import { MergeQueue } from "./merge-queue.ts";
import { MessageDesk } from "./messages.ts";
import { PermissionDesk } from "./permissions.ts";
import { PickDesk } from "./pick.ts";
import { prepareWork, type Abandoned } from "./prepare-work.ts";
import { endLeftChecks, findOrphans } from "./recover.ts";
import { RunLog, type Effect, type RouteDecision } from "./run-log.ts";

/** Timers of Node's go by a clock that stands still while the machine sleeps, and that no jump of the wall clock moves: look in between. */
const LONGEST_TIMER_MS = 5000;

/** One run while this process drives it: binds the log, the dispatcher and the merge queue together, and says when it is over. */
export class Driver implements DispatchedRun {
  readonly runId: string;
  readonly #deps: EngineDeps;
  readonly #dispatcher: Dispatcher;
  readonly #lease: LeaseRef;
  readonly #options: DriveOptions;
  readonly #over = Promise.withResolvers<DriveEnd>();
  readonly #abort = new AbortController();
  #log!: RunLog;
  #merges!: MergeQueue;
  #picks!: PickDesk;
  readonly #permissions: PermissionDesk;
  readonly #messages = new MessageDesk(() => this.#log);
  readonly #requests: AgentRequests;
  #finishedBefore: readonly FinishedAttempt[] = [];
  #halt: Extract<Effect, { kind: "halt" }> | undefined;
  #wake: NodeJS.Timeout | undefined;
  #draining = false;
  /** Looks under way at limits that may have become others. */
  #lifting = 0;
  #ended = false;

  constructor(deps: EngineDeps, dispatcher: Dispatcher, runId: string, lease: LeaseRef, options: DriveOptions) {
    this.#deps = deps;
    this.#dispatcher = dispatcher;
    this.runId = runId;
    this.#lease = lease;
    this.#options = options;
    this.#permissions = new PermissionDesk(() => this.#log, deps.mask);
    this.#requests = new AgentRequests(() => this.#log, this.#permissions, deps);
  }

  async run(): Promise<DriveEnd> {
    const { drain, stop } = this.#options;
    // Read after the lease is held: from here on nobody else decides.
    const state = await loadRun(this.#deps.store, this.runId);
    if (state.status === "finished") return { kind: "finished", outcome: state.outcome ?? "failed" };
    const branch = { runId: this.runId, name: state.branch };
    this.#log = new RunLog({
      store: this.#deps.store,
      clock: this.#deps.clock,
      runId: this.runId,
      state,
      runLease: this.#lease,
      shown: (await this.#deps.store.listInbox({ runId: this.runId })).map((row) => row.item),
      route: this.#route,
      onRound: (effects, recorded) => this.#onRound(effects, recorded),
      onLost: (error) => this.#onLost(error),
      ...(this.#deps.log ? { log: this.#deps.log } : {}),
    });
    this.#merges = new MergeQueue({
      deps: this.#deps,
      workspaces: this.#options.workspaces,
      log: () => this.#log,
      branch,
      signal: this.#abort.signal,
      onFailure: (error) => this.fail(error),
    });
    this.#picks = new PickDesk({
      deps: this.#deps,
      workspaces: this.#options.workspaces,
      log: () => this.#log,
      signal: this.#abort.signal,
      onFailure: (error) => this.fail(error),
    });
    await this.#options.workspaces.createRunBranch(branch, lastMerged(state));
    const onDrain = (): void => this.#drain();
    const onStop = (): void => this.#stop();
    drain?.addEventListener("abort", onDrain, { once: true });
    stop?.addEventListener("abort", onStop, { once: true });
    this.#dispatcher.leases.keep(this.#lease, () => this.#end({ kind: "taken-over" }));
    const following = this.#follow(state.version);
    try {
      const leases = await this.#deps.store.leases(`${this.runId}/`);
      const { interrupted, alive } = await findOrphans(this.#deps, this.#options.workspaces, state, leases);
      await endLeftChecks(this.#deps, state);
      // Workspaces of the interrupted are of no use to anybody, unless an attempt of this run lives elsewhere.
      if (leases.length <= interrupted.length + alive.length)
        await this.#clean(alive.map(({ attempt }) => attempt.resumes?.folder ?? attempt.id));
      await Promise.all(
        interrupted.map(async ({ attempt, fact }) => {
          await this.#log.submit(fact);
          await this.#deps.keepers?.forget(attempt);
        }),
      );
      if (drain?.aborted) this.#drain();
      if (stop?.aborted) this.#stop();
      void finishedInEarlierRuns(this.#deps.store, state).then((found) => (this.#finishedBefore = found));
      this.#dispatcher.prepare(state.ready.size + state.queued.size);
      this.#dispatcher.add(this);
      await Promise.all(alive.map(({ attempt, agent, lease }) => this.#dispatcher.takeUp(this, { id: attempt.id, agent }, lease)));
      await this.#liftPauses();
      this.#log.poke();
      const end = await this.#over.promise;
      if (end.kind === "finished") {
        this.#forgetLive();
        await this.#clean();
        await this.#releaseMerged();
      }
      return end;
    } finally {
      drain?.removeEventListener("abort", onDrain);
      stop?.removeEventListener("abort", onStop);
      clearTimeout(this.#wake);
      this.#abort.abort();
      this.#dispatcher.leases.drop(this.#lease);
      this.#dispatcher.remove(this.runId);
      await following;
    }
  }

  /** A folder that cannot be removed now is left to `stepfall clean`. Those of conversations that may be taken up stay while the run goes on. */
  async #clean(inUse: readonly string[] = []): Promise<void> {
    if (this.#deps.keepWorkspaces) return;
    const { state } = this.#log;
    const open = state.status === "finished" ? [] : [...state.steps.values()].filter((s) => !isOver(s));
    const keep = [...inUse, ...open.flatMap((s) => s.session?.folder ?? [])];
    await this.#options.workspaces.cleanRun(this.runId, { keep }).catch(() => undefined);
  }

  /** Those that engines which died have left. */
  #forgetLive(): void {
    for (const s of this.#log.state.steps.values()) for (const a of s.attempts) removeLive(this.#deps.home, a.id);
  }

  /** What is merged needs no snapshot of its own; refused work keeps its, for people, until `stepfall clean`. */
  async #releaseMerged(): Promise<void> {
    const attempts = [...this.#log.state.steps.values()].flatMap((s) => s.attempts);
    const merged = attempts.filter((a) => a.phase === "merged").map((a) => a.id);
    if (merged.length > 0) await this.#options.workspaces.releaseSnapshots(this.runId, merged).catch(() => undefined);
  }

  /** Other processes append requests to the stream (cancel, a raised budget): take them in at once. */
  async #follow(after: number): Promise<void> {
    try {
      for await (const e of this.#deps.store.follow(runStream(this.runId), { after, signal: this.#abort.signal, own: false })) {
        if (e.actor !== "engine") this.#log.absorb();
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#onLost(error);
    }
  }

  submit(fact: Parameters<RunLog["submit"]>[0]): Promise<void> {
    return this.#log.submit(fact);
  }

  async work(assigned: Assigned, signals: AttemptSignals): Promise<AttemptWork | Abandoned | undefined> {
    const barred = await this.#barred(assigned, signals.signal);
    if (barred) return { abandoned: barred };
    const money = await this.#setAside(assigned, signals.signal);
    if (money.kind === "not-begun") return { abandoned: money.events };
    const release = money.kind === "held" ? money.release : undefined;
    const preparing = prepareWork(this.#deps, this.#options.workspaces, this.#log.state, assigned);
    const work = await preparing.catch(async (error: unknown) => {
      await release?.();
      throw error;
    });
    if (!work || "abandoned" in work) {
      await release?.();
      return work;
    }
    const desk = this.#permissions;
    return {
      ...work,
      ...signals,
      ...(release ? { releaseMoney: release } : {}),
      workspaces: this.#options.workspaces,
      permit: (...request) => desk.ask(...request),
      messages: this.#messages.of(work.step.path, work.attempt),
      requests: this.#requests,
      ask: (...question) => desk.question(...question),
      finished: () => [...this.#finishedBefore, ...finishedIn(this.#log.state)],
    };
  }

  /** What is recorded instead of an attempt that nobody has begun, where a hook refuses it. */
  async #barred({ id, agent, lease, enqueuedAt }: Assigned, over: AbortSignal): Promise<readonly RunEvent[] | undefined> {
    const { state } = this.#log;
    const { clock, node, veto } = this.#deps;
    const step = parseAttemptId(id)?.stepPath ?? "";
    const s = state.steps.get(step);
    const a = s && currentAttempt(s);
    if (!veto || a?.id !== id || a.phase !== "queued") return undefined;
    const queuedMs = Math.max(0, clock.now() - (enqueuedAt ?? clock.now()));
    const started = { attempt: id, step, agent, node, epoch: lease.epoch, queuedMs };
    const { first, instead } = await mayAttempt(this.#deps, { attempt: id, step, state }, started, over);
    if (instead) return instead;
    if (first.length > 0) await this.#log.submit({ events: first, fence: lease, cause: id });
    return undefined;
  }

  /** Money for an attempt that nobody has begun. One that is taken up has its own. */
  async #setAside({ id, agent }: Assigned, over: AbortSignal): Promise<SetAside> {
    const { state } = this.#log;
    const s = state.steps.get(parseAttemptId(id)?.stepPath ?? "");
    const a = s && currentAttempt(s);
    if (!s || a?.id !== id || a.phase !== "queued" || (s.step.kind !== "agent" && s.step.kind !== "command")) return { kind: "none" };
    return setAside(this.#deps, { attempt: id, step: s.step, state }, this.#deps.registry.get(agent).executor, over);
  }

  /** A limit may have been raised for another run, or in the settings, since this one was paused by it. */
  async #liftPauses(): Promise<void> {
    this.#lifting += 1;
    try {
      const events = await liftedPauses(this.#deps, this.#log.state);
      if (events.length > 0) await this.#log.submit({ events });
    } finally {
      this.#lifting -= 1;
    }
    this.#checkEnd();
  }

  onIdle(): void {
    this.#checkEnd();
  }

  readonly #route: RouteDecision = (decision, state, now) => {
    const step = state.steps.get(decision.step)?.step;
    if (step?.kind !== "agent" && step?.kind !== "command") throw new TypeError(`${decision.step} is no step for an agent`);
    const routing = this.#deps.routing(this.runId, step.path);
    const routed = routeStep(step, this.#deps.registry.list(), routing, wishesFor(state, decision.step));
    if (!routed.ok) return { event: { type: "StepFailed", data: { step: decision.step, because: `${routed.problem}. ${routed.hint}` } } };
    const { tier, candidates, reasons, type, complexity, escalatedFrom } = routed.route;
    const more = {
      ...(type === undefined ? {} : { type }),
      ...(complexity === undefined ? {} : { complexity }),
      ...(escalatedFrom === undefined ? {} : { escalatedFrom }),
      ...(routing.policyName === undefined ? {} : { policy: routing.policyName }),
    };
    const entry: QueueEntry = {
      id: decision.attempt,
      runId: this.runId,
      agents: candidates,
      priority: step.priority,
      rank: decision.rank,
      affinity: step.affinity,
      enqueuedAt: now,
    };
    return {
      event: {
        type: "AttemptRouted",
        data: { attempt: decision.attempt, step: decision.step, n: decision.n, tier, candidates, reasons, ...more },
      },
      entry,
    };
  };

  #onRound(effects: Effect[], recorded: readonly { version: number; at: number; event: RunEvent }[]): void {
    const feed = this.#deps.onFeed;
    if (feed) for (const e of recorded) feed({ kind: "event", ...e });
    this.#permissions.look(this.#log.state);
    this.#messages.look(this.#log.state);
    this.#halt = undefined;
    clearTimeout(this.#wake);
    for (const effect of effects) {
      switch (effect.kind) {
        case "merge":
          this.#merges.add(effect.attempt, effect.step);
          break;
        case "pick":
          // Whoever drives the run next decides it again.
          if (!this.#draining) this.#picks.add(effect);
          break;
        case "stop":
          this.#dispatcher.stop(effect.attempt, effect.because);
          break;
        case "withdraw":
          break;
        case "wake":
          this.#wakeAt(effect.at);
          break;
        case "halt":
          this.#halt = effect;
          break;
        default:
          effect satisfies never;
      }
    }
    if (recorded.some((e) => e.event.type === "AttemptRouted")) this.#dispatcher.kick();
    if (recorded.some((e) => e.event.type === "BudgetExhausted")) this.#liftPauses().catch((error: unknown) => this.#onLost(error));
    this.#checkEnd();
  }

  /** Waking too early only means looking once more. */
  #wakeAt(at: number): void {
    clearTimeout(this.#wake);
    this.#wake = setTimeout(() => this.#log.poke(), Math.min(Math.max(0, at - this.#deps.clock.now()), LONGEST_TIMER_MS));
  }

  get #isBusy(): boolean {
    return this.#dispatcher.inFlight(this.runId) > 0 || !this.#merges.isIdle || !this.#picks.isIdle;
  }

  #checkEnd(): void {
    if (this.#ended || this.#lifting > 0 || this.#isBusy) return;
    const { state } = this.#log;
    if (state.status === "finished") this.#end({ kind: "finished", outcome: state.outcome ?? "failed" });
    else if (this.#halt?.because === "budget" && !this.#options.waitForBudget) this.#endFor(this.#halt);
    else if (this.#halt?.because === "people" && !this.#options.waitForPeople) this.#end({ kind: "people", items: this.#halt.items });
    else if (this.#draining) queueMicrotask(() => this.#endDrained());
  }

  #endFor({ id, limit, spent }: Extract<Effect, { kind: "halt"; because: "budget" }>): void {
    this.#end({ kind: "budget", id, limit, spent });
  }

  /** Draining is over when nothing is in flight and nothing waits to be written or merged. */
  #endDrained(): void {
    if (this.#ended || this.#isBusy) return;
    if (this.#log.isQuiet) this.#end({ kind: "stopped" });
    // Asked in the middle of a round: when it is the last one, nobody asks again.
    else setTimeout(() => this.#endDrained(), 1);
  }

  #drain(): void {
    this.#draining = true;
    this.#dispatcher.drain(this.runId);
    this.#log.poke();
  }

  #stop(): void {
    this.#drain();
    this.#dispatcher.stopAll(this.runId, "stopped by the user");
  }

  #onLost(error: unknown): void {
    if (error instanceof StoreError && error.code === "STORE_STALE_LEASE") this.#end({ kind: "taken-over" });
    else this.fail(error);
  }

  #end(end: DriveEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    if (end.kind === "taken-over") this.#dispatcher.letGo(this.runId, "another process drives the run now");
    this.#over.resolve(end);
  }

  fail(error: unknown): void {
    this.#ended = true;
    // Their agents work on: whoever resumes the run goes on with them.
    this.#dispatcher.letGo(this.runId, "the run's driver failed");
    this.#over.reject(error);
  }
}

/** What has been found out about who should do a step, beside what the step says itself. */
function wishesFor(state: RunState, path: string): Assignment {
  const s = state.steps.get(path);
  return {
    not: [],
    ...s?.assigned,
    ...(s?.above === undefined ? {} : { above: s.above }),
    ...(s?.below === undefined ? {} : { below: s.below }),
    ...(s?.reached === undefined ? {} : { reached: s.reached }),
  };
}
