import { expect, test } from "vitest";
import { runStream, type AgentStep, type EventData, type EventType, type RunEvent } from "../../domain/index.ts";
import { agentStepOf } from "../../domain/simulate.testkit.ts";
import type { Store } from "../../store/index.ts";
import { importOutcomes } from "./index.ts";
import { openStore } from "./store.testkit.ts";

const usage = { calls: 1, inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, microUsd: 70, provenance: "reported" as const };
const passed = { name: "test", kind: "command", verdict: "passed" as const, durationMs: 1 };
const refused = { ...passed, verdict: "refused" as const };

/** Writes a run's events, a second apart. */
class Journal {
  readonly store: Store;
  readonly runId: string;
  #version = 0;
  constructor(store: Store, runId: string) {
    this.store = store;
    this.runId = runId;
  }
  async add<T extends EventType>(type: T, data: EventData<T>): Promise<void> {
    const at = 1000 * (this.#version + 1);
    const event = { type, data } as RunEvent;
    await this.store.commit({
      appends: [{ stream: runStream(this.runId), expected: this.#version, events: [{ event, at, actor: "test" }] }],
    });
    this.#version += 1;
  }
  start(...steps: AgentStep[]): Promise<void> {
    const { runId } = this;
    const pipeline = { name: "p", steps };
    return this.add("RunStarted", {
      runId,
      pipeline,
      project: "/p",
      base: "c0",
      branch: `stepfall/${runId}`,
      agents: [],
      includeDirty: false,
    });
  }
  async begin(path: string, n: number, tier: string, from = "c0"): Promise<string> {
    const attempt = `${this.runId}/${path}#${n}`;
    await this.add("AttemptRouted", {
      attempt,
      step: path,
      n,
      tier,
      candidates: [`${tier}-agent`],
      reasons: [],
      type: "fix",
      complexity: 3,
    });
    await this.add("AttemptStarted", { attempt, step: path, agent: `${tier}-agent`, node: "n", epoch: 1, queuedMs: 0, from });
    return attempt;
  }
  async merge(attempt: string, path: string, onto: string, commit: string): Promise<void> {
    await this.add("AttemptAccepted", { attempt, step: path, commit: `w-${commit}`, gates: [passed], usage });
    await this.add("MergeIntended", { attempt, step: path, onto, commit });
    await this.add("ResultMerged", { attempt, step: path, commit });
    await this.add("StepCompleted", { step: path, attempt });
  }
}
const imported = async (store: Store, runId: string) => {
  await importOutcomes({ store, holder: "h:1:1", now: 5_000_000 });
  return (await store.outcomes({ runId })).map((o) => ({ ...o, truth: o.truth && `${o.truth.verdict}: ${o.truth.because}` }));
};

test("what became of each attempt is learnt from the journal, also when it is read in two parts", async () => {
  const store = await openStore();
  const j = new Journal(store, "r1");
  await j.start(agentStepOf("a"));
  const first = await j.begin("a", 1, "free");
  await j.add("AttemptRejected", { attempt: first, step: "a", gates: [refused], findings: [{ gate: "test", message: "no" }], usage });
  const second = await j.begin("a", 2, "mid");
  expect(await imported(store, "r1")).toMatchObject([
    { attempt: first, agent: "free-agent", tier: "free", type: "fix", complexity: 3, verdict: "refused", microUsd: 70, ms: 1000 },
    { attempt: second, verdict: "open" },
  ]);
  await j.merge(second, "a", "c0", "c1");
  const rows = await imported(store, "r1");
  expect(rows).toMatchObject([{ verdict: "refused" }, { verdict: "accepted", gates: [{ name: "test", verdict: "passed" }] }]);
  expect(rows[1]?.truth).toBeUndefined();
  expect(await importOutcomes({ store, holder: "h:1:1", now: 6_000_000 })).toBe(0);
});

test("what no gateway saw, or what has no price, is not taken for free; a call that cost nothing is", async () => {
  const store = await openStore();
  const j = new Journal(store, "r4");
  await j.start(agentStepOf("a"), agentStepOf("b"), agentStepOf("c"));
  const unknown = { ...usage, microUsd: 0, provenance: "unknown" as const };
  for (const [path, used] of [
    ["a", {}],
    ["b", { usage: unknown }],
    ["c", { usage: { ...usage, microUsd: 0 } }],
  ] as const)
    await j.add("AttemptAccepted", { attempt: await j.begin(path, 1, "free"), step: path, gates: [passed], ...used });
  expect((await imported(store, "r4")).map((o) => o.isUnpriced)).toEqual([true, true, undefined]);
});

test("a process that is asked several times at once imports one after the other: none is refused by its own lease", async () => {
  const store = await openStore();
  const run = new Journal(store, "r5");
  await run.start(agentStepOf("fix"));
  const attempt = await run.begin("fix", 1, "free");
  await run.merge(attempt, "fix", "c0", "c1");
  const imports = [1, 2, 3, 4].map(() => importOutcomes({ store, holder: "h:1:1", now: 10_000 }));
  expect(await Promise.all(imports)).toEqual([1, 0, 0, 0]);
});

test("while another process imports, nothing is written; the lease of one that died runs out", async () => {
  const store = await openStore();
  const j = new Journal(store, "r2");
  await j.start(agentStepOf("a"));
  const attempt = await j.begin("a", 1, "free");
  await j.add("AttemptFailed", { attempt, step: "a", kind: "crash", message: "gone" });
  await store.acquire({ key: "import:outcomes", holder: "other:1:1", now: 0, until: 10_000 });
  expect(await importOutcomes({ store, holder: "h:1:1", now: 9_000 })).toBe(0);
  expect(await importOutcomes({ store, holder: "h:1:1", now: 11_000 })).toBe(1);
  expect(await store.outcomes()).toMatchObject([{ verdict: "failed", failure: "crash" }]);
});

test("rework, a merge that breaks the next step, a merged run and a person's word tell later what the gates did not", async () => {
  const store = await openStore();
  const j = new Journal(store, "r3");
  await j.start(agentStepOf("a"), agentStepOf("b"), agentStepOf("c"), agentStepOf("d"));
  const [a, b] = [await j.begin("a", 1, "free"), await j.begin("b", 1, "free")];
  await j.merge(a, "a", "c0", "c1");
  await j.add("AttemptAccepted", { attempt: b, step: "b", commit: "w-b", gates: [passed], usage });
  await j.add("MergeRefused", { attempt: b, step: "b", onto: "c1", findings: [{ gate: "test", message: "no" }], gates: [refused] });
  const b2 = await j.begin("b", 2, "free", "c1");
  await j.merge(b2, "b", "c1", "c2");
  const c = await j.begin("c", 1, "mid", "c2");
  await j.merge(c, "c", "c2", "c3");
  await j.add("StepReopened", { step: "c", because: "rework", findings: [{ gate: "person", message: "shorter" }] });
  const d = await j.begin("d", 1, "mid", "c3");
  await j.merge(d, "d", "c3", "c4");
  await j.add("RunMerged", { into: "main", commit: "m" });
  await j.add("FeedbackGiven", { attempt: d, step: "d", verdict: "wrong", by: "ann", because: "it loses data" });
  const rows = await imported(store, "r3");
  const truth = Object.fromEntries(rows.map((r) => [r.attempt, r.truth]));
  expect(truth).toEqual({
    [a]: "wrong: merged, it made the gates of b fail",
    [b]: undefined,
    [b2]: "right: a person merged the run",
    [c]: "wrong: a person asked for rework",
    [d]: "wrong: it loses data",
  });
  expect(rows.find((r) => r.attempt === b)).toMatchObject({ verdict: "accepted" });
});
