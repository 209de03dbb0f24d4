import fc from "fast-check";
import { expect, test } from "vitest";
import type { RunEvent } from "../../domain/index.ts";
import { stepOf } from "../../domain/simulate.testkit.ts";
import { entriesOf } from "./entries.ts";
import { firstUi, type Ui } from "./keys.ts";
import { screenOf } from "./screen.ts";
import { RUN, sceneOf, seenRun, stateOf, waits } from "./watch.testkit.ts";

const call = (...words: string[]): string => ["stepfall", ...words].join(" ");
const lines = (scene: ReturnType<typeof sceneOf>, ui: Ui = firstUi(RUN), height = 30): string[] =>
  screenOf(scene, ui, { height, width: 100, canAct: true, call }).map((l) => l.text);

const began = (step: string): RunEvent[] => [
  { type: "AttemptRouted", data: { attempt: `${RUN}/${step}#1`, step, n: 1, tier: "free", candidates: ["x"], reasons: ["it is cheap"] } },
  { type: "AttemptStarted", data: { attempt: `${RUN}/${step}#1`, step, agent: "x", node: "n", epoch: 1, queuedMs: 0 } },
];
const expanded: RunEvent = {
  type: "StepExpanded",
  data: { step: "many", round: 1, children: ["1", "2", "3"].map((n) => ({ ...stepOf(`many/${n}`), parent: "many" })) },
};

test("what failed comes first, then what runs; a group is one line with its counts until it is unfolded", () => {
  const state = stateOf(expanded, ...began("many/2"), ...began("build"), {
    type: "StepFailed",
    data: { step: "many/1", because: "it broke" },
  });
  const scene = sceneOf([], seenRun(state, { driver: "h:1:1" }));
  const rows = (ui: Ui): string[] => entriesOf(scene, RUN, ui.unfolded).map((e) => (e.kind === "step" ? e.row.id : e.key));
  expect(rows(firstUi(RUN))).toEqual(["many", "build", "test", "ok", "which"]);
  expect(lines(scene).find((l) => l.includes("many"))).toContain("0 of 3 done, 1 failed, 1 active");
  expect(rows({ ...firstUi(RUN), unfolded: new Set(["many"]) })).toEqual([
    "many",
    "many/1",
    "many/2",
    "many/3",
    "build",
    "test",
    "ok",
    "which",
  ]);
});

test("it says when nobody drives the run, what waits, and the last lines", () => {
  const run = seenRun(stateOf(...began("build")), {
    isUndriven: true,
    lines: [{ at: 0, step: "build", n: 1, text: "compiling" }],
    lastLine: new Map([["build", "compiling"]]),
  });
  const shown = lines(sceneOf([waits(1), waits(2)], run));
  expect(shown).toContain(`Nobody drives this run now. Go on with: stepfall resume ${RUN}`);
  // In a narrow window the command is broken, not cut.
  const far = (...words: string[]): string => `node /a/long/way/to/stepfall.js ${words.join(" ")}`;
  const narrow = screenOf(sceneOf([], run), firstUi(RUN), { height: 24, width: 40, canAct: true, call: far }).map((l) => l.text);
  const at = narrow.indexOf("Nobody drives this run now. Go on with:");
  expect(narrow.slice(at + 1, at + 3).join("")).toBe(far("resume", RUN));
  expect(shown.filter((l) => l.startsWith("? approval"))).toHaveLength(2);
  expect(shown.some((l) => l.endsWith("build#1 | compiling"))).toBe(true);
  expect(shown.find((l) => l.includes("build  "))).toContain("compiling");
});

test("details tell why a step is as it is, and whether what was said has reached its agent", () => {
  const said: RunEvent = { type: "MessageSent", data: { attempt: `${RUN}/build#1`, step: "build", n: 1, text: "use tabs", by: "ann" } };
  const delivered: RunEvent = { type: "MessageDelivered", data: { attempt: `${RUN}/build#1`, step: "build", n: 1 } };
  const ui: Ui = { ...firstUi(RUN), pane: "details", selected: "step build" };
  const shown = (...events: RunEvent[]): string => lines(sceneOf([], seenRun(stateOf(...began("build"), ...events))), ui).join("\n");
  expect(shown(said)).toContain("ann said (on its way): use tabs");
  expect(shown(said)).toContain("why there: it is cheap");
  expect(shown(said, delivered)).toContain("ann said: use tabs");
  const failed: RunEvent = { type: "AttemptFailed", data: { attempt: `${RUN}/build#1`, step: "build", kind: "crash", message: "gone" } };
  expect(shown(said, failed)).toContain("ann said (it ended first): use tabs");
});

test("whatever there is and however small the window, the view fits it and nothing in it moves the cursor", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "\u001b[2J", "\u001b]0;x\u0007", "\r", "\n", "\u009b31m", "é", "字") });
  fc.assert(
    fc.property(
      fc.integer({ min: 12, max: 60 }),
      fc.integer({ min: 0, max: 40 }),
      fc.array(text, { maxLength: 30 }),
      fc.constantFrom("none", "details", "logs" as const),
      fc.nat({ max: 60 }),
      fc.boolean(),
      (height, steps, texts, pane, at, isAsked) => {
        const many: RunEvent = {
          type: "StepExpanded",
          data: { step: "many", round: 1, children: Array.from({ length: steps }, (_, i) => ({ ...stepOf(`many/${i}`), parent: "many" })) },
        };
        const run = seenRun(stateOf(many), { isUndriven: true, lines: texts.map((t, i) => ({ at: i, step: "build", n: 1, text: t })) });
        const items = texts.map((title, i) => waits(i, "question", { title, detail: texts.join("\n") }));
        const ui: Ui = { ...firstUi(RUN), unfolded: new Set(["many"]), pane: pane as Ui["pane"], at, note: texts[0] ?? "" };
        if (isAsked) ui.asking = { kind: "rework", item: "i", typed: texts.join("") };
        const shown = screenOf(sceneOf(items, run), ui, { height, width: 100, canAct: true, call });
        expect(shown.length).toBeLessThan(height);
        for (const line of shown) expect(line.text).not.toMatch(/\p{Cc}/u);
        expect(new Set(shown.map((l) => l.key)).size).toBe(shown.length);
        expect(shown.some((l) => l.isSelected)).toBe(true);
      },
    ),
  );
});

test("the money in the head counts calls of attempts that still run, and never less than attempts told when they ended", () => {
  const usage = { calls: 1, inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, microUsd: 20_000, provenance: "reported" as const };
  const ended: RunEvent = { type: "AttemptAccepted", data: { attempt: `${RUN}/build#1`, step: "build", gates: [], usage } };
  const head = (spent: number, ...events: RunEvent[]): string | undefined => lines(sceneOf([], seenRun(stateOf(...events), { spent })))[0];
  expect(head(12_500, ...began("build"))).toContain("1 running, 0 queued, $0.0125");
  expect(head(0, ...began("build"), ended)).toContain("$0.02");
});

test("what was answered waits no more, though nobody goes on with it yet", () => {
  const asked: RunEvent = {
    type: "InboxOpened",
    data: { item: `${RUN}/which!1`, step: "which", kind: "question", title: "?", choices: [], who: [], count: 1 },
  };
  const said: RunEvent = { type: "InboxAnswered", data: { item: `${RUN}/which!1`, by: "ann", verdict: "answer", text: "red" } };
  const row = (...events: RunEvent[]): string | undefined =>
    lines(sceneOf([], seenRun(stateOf(...events)))).find((l) => l.includes("which"));
  expect(row(asked)).toMatch(/which +waits/);
  expect(row(asked, said)).toMatch(/which +active/);
});
