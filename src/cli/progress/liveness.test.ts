import { expect, test } from "vitest";
import { fold, type RunEvent, type RunState } from "../../domain/index.ts";
import { stepOf } from "../../domain/simulate.testkit.ts";
import type { LivenessItem } from "../../fleet/index.ts";
import type { Cli } from "../cli.ts";
import { rowsOf } from "./rows.ts";
import { openView } from "./view.ts";

const step = stepOf("fix", [], { readonly: true });
const events: RunEvent[] = [
  {
    type: "RunStarted",
    data: { runId: "r", pipeline: { name: "p", steps: [step] }, project: "/p", base: "b", branch: "br", agents: [], includeDirty: false },
  },
  { type: "AttemptRouted", data: { attempt: "r/fix#1", step: "fix", n: 1, tier: "free", candidates: ["x"], reasons: [] } },
  { type: "AttemptStarted", data: { attempt: "r/fix#1", step: "fix", agent: "x", node: "n", epoch: 1, queuedMs: 0 } },
];
const running = (): RunState => fold(events.map((event, i) => ({ event, at: i, version: i + 1 })));
const item = (state: LivenessItem["state"], at: number, score = 0.25): LivenessItem => ({
  kind: "liveness",
  at,
  attempt: "r/fix#1",
  step: "fix",
  state,
  since: at - 60_000,
  evidence: [`${state} because`, "and so"],
  risk: { score, factors: [], leftOut: [] },
});

/** What a view says: notes and data. */
async function said(json: boolean, items: readonly LivenessItem[]): Promise<{ notes: string[]; values: unknown[] }> {
  const notes: string[] = [];
  const values: unknown[] = [];
  const out = { note: (text: string) => notes.push(text), json: (value: unknown) => values.push(value) };
  const view = await openView({ json, out, env: {}, clock: { now: () => 0 } } as unknown as Cli, running());
  for (const one of items) view.take(one);
  await view.end();
  return { notes, values };
}

test("off a terminal only trouble is told, once, and its end", async () => {
  const story = [item("running", 1e6), item("idle", 2e6), item("stuck", 3e6), item("stuck", 4e6), item("running", 5e6), item("idle", 6e6)];
  const { notes } = await said(false, story);
  expect(notes.map((line) => line.replace(/^\S+ /, ""))).toEqual([
    "fix is stuck for 1 min 0 s: stuck because; and so",
    "fix is running for 1 min 0 s: running because; and so",
  ]);
});

test("as JSON every new state and score is an object of its own", async () => {
  const { values } = await said(true, [item("running", 1, 0.21), item("running", 2, 0.24), item("running", 3, 0.4), item("idle", 4, 0.4)]);
  expect(values).toMatchObject([
    { version: 1, type: "liveness", runId: "r", at: 1, attempt: "r/fix#1", step: "fix", state: "running", risk: { score: 0.21 } },
    { at: 3 },
    { at: 4, state: "idle" },
  ]);
});

test("in the table a running attempt has its risk, and one in trouble its state and the first reason", () => {
  const row = (live: LivenessItem) =>
    rowsOf(running(), { progress: new Map([["fix", "edit a.js"]]), live: new Map([["fix", live]]) }, 5000, 10).rows[0];
  expect(row(item("running", 1))).toMatchObject({ status: "running", text: "risk 0.25  edit a.js" });
  expect(row(item("stuck", 1))).toMatchObject({ status: "stuck", text: "risk 0.25  stuck because" });
  // What was seen of an attempt before says nothing of this one.
  expect(row({ ...item("stuck", 1), attempt: "r/fix#0" })).toMatchObject({ status: "running", text: "edit a.js" });
});
