import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { fold, type Pipeline, type RunEvent, type RunState, type Step } from "../../domain/index.ts";
import { openLiveView } from "./live.ts";
import { rowsOf } from "./rows.ts";

const step = (path: string): Step => ({
  kind: "command", command: "true", path, needs: [], readonly: true, outputs: { files: [] }, gates: [], setup: [],
  retry: { attempts: 3, backoffMs: 0 }, timeoutMs: 1000, env: {}, touches: [], priority: 0,
}); // prettier-ignore

function runOf(count: number): RunState {
  const pipeline: Pipeline = { name: "p", steps: Array.from({ length: count }, (_, i) => step(`step-${i}`)) };
  return fold([
    {
      event: {
        type: "RunStarted",
        data: { runId: "r", pipeline, project: "/p", base: "b", branch: "stepfall/r", agents: [], includeDirty: false },
      },
      at: 1000,
      version: 1,
    },
  ]);
}

const routed = (path: string): RunEvent => ({
  type: "AttemptRouted",
  data: { attempt: `r/${path}#1`, step: path, n: 1, tier: "free", candidates: ["shell"], reasons: [] },
});
const began = (path: string): RunEvent => ({
  type: "AttemptStarted",
  data: { attempt: `r/${path}#1`, step: path, agent: "shell", node: "n", epoch: 1, queuedMs: 0 },
});

test("the table fits the window: what runs is shown first, what is left out is counted", () => {
  const state = runOf(100);
  fold(
    [routed("step-90"), began("step-90")].map((event, i) => ({ event, at: 2000, version: i + 2 })),
    state,
  );
  const { rows, hidden } = rowsOf(state, { progress: new Map([["step-90", "edit a.js"]]), live: new Map() }, 5000, 10);
  expect(rows).toHaveLength(10);
  expect(hidden).toBe(90);
  expect(rows.find((r) => r.id === "step-90")).toEqual({
    id: "step-90",
    symbol: "▸",
    status: "running",
    attempt: "#1",
    agent: "shell",
    elapsed: "3.0 s",
    text: "edit a.js",
  });
});

test("the live view draws in place, never switches the screen, and leaves the last state behind", async () => {
  const terminal = Object.assign(new PassThrough(), { columns: 60, rows: 12, isTTY: true });
  let drawn = "";
  terminal.setEncoding("utf8").on("data", (text: string) => (drawn += text));
  const view = openLiveView(terminal as unknown as NodeJS.WriteStream, {
    state: runOf(40),
    clock: { now: () => 3000 },
    colour: false,
    call: (...words) => words.join(" "),
  });
  view.take({ kind: "event", at: 2000, version: 2, event: routed("step-0") });
  view.take({ kind: "event", at: 2000, version: 3, event: began("step-0") });
  view.take({ kind: "progress", at: 2000, attempt: "r/step-0#1", step: "step-0", text: `edit ${"long/".repeat(40)}` });
  expect(view.running).toBe(1);
  await sleep(250);
  view.note("finishing 1 attempt");
  await view.end();
  // eslint-disable-next-line no-control-regex
  const lines = drawn.replace(/\u001b\[[0-9;?]*[a-zA-Z]/g, "").split("\n");
  expect(drawn).not.toContain("\u001b[?1049h");
  // Only what changed is drawn again, also within a line.
  expect(lines[0]).toMatch(/^p running: 0\/40 steps, 0 running, 0 queued, \$0 in at/);
  expect(lines.slice(1).some((l) => l.includes("1 running"))).toBe(true);
  expect(lines.some((l) => l.includes("edit long/") && l.trimEnd().endsWith("…"))).toBe(true);
  expect(lines.some((l) => l.includes("finishing 1 attempt"))).toBe(true);
  expect(Math.max(...lines.map((l) => l.length))).toBeLessThanOrEqual(60);
});
