import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Scene } from "../../src/cli/cli.testkit.ts";
import type { ScriptedModel, ScriptFunction } from "../../src/models/index.ts";
import { keptBy } from "./run-journal.testkit.ts";
import { scriptedScene, type ScriptedScene } from "./scripted-scene.testkit.ts";

/** Real runs with real agent processes; only what the model says is scripted. Loaded machines need their time. */
const LONG = 240_000;
const env = { UPSTREAM_KEY: "sk-upstream-3kQz8vTn5WpX", USER: "ann" };

/** A token of input is one micro-dollar and one of output two; of `small` a tenth of that. A call reserves some 900 of input and 2,000 of output. */
const settings = (url: string, more = ""): string => `slots: 2
default-agent: coder
catalog: false
agents:
  coder: { executor: chat, model: fake/big, tier: mid, maxOutputTokens: 2000 }
  junior: { executor: chat, model: fake/small, tier: free, maxOutputTokens: 2000 }
providers:
  fake: { url: "${url}", key-env: UPSTREAM_KEY, prices: { big: { input: 1, output: 2 }, small: { input: 0.1, output: 0.2 } } }
${more}`;

async function sceneWith(script: ScriptFunction, files: { pipeline: string; project?: string; user?: string }): Promise<ScriptedScene> {
  const run = await scriptedScene(script, env.UPSTREAM_KEY, (url) => ({
    "stepfall.yaml": settings(url, files.project),
    "p.yaml": files.pipeline,
  }));
  if (files.user !== undefined) {
    mkdirSync(run.scene.home, { recursive: true, mode: 0o700 });
    writeFileSync(join(run.scene.home, "config.yaml"), files.user);
  }
  return run;
}

/** What the endpoint counted, at its prices. */
const servedFor = (model: ScriptedModel): number =>
  model.served().reduce((sum, { request, promptTokens, completionTokens }) => {
    const cost = promptTokens + 2 * completionTokens;
    return sum + (request["model"] === "small" ? Math.round(cost / 10) : cost);
  }, 0);

async function costOf(scene: Scene): Promise<{ microUsd: number; refused: number }> {
  const { values } = await scene.json("cost");
  return (values[0] as unknown as { total: { microUsd: number; refused: number } }).total;
}

interface Item {
  item: string;
  kind: string;
  step: string;
  title: string;
  choices: string[];
}
async function inboxOf(scene: Scene): Promise<Item[]> {
  return ((await scene.json("inbox")).values[0] as unknown as { items: Item[] }).items;
}

/** Writes 41, is refused, writes 42. */
const wrongThenRight: ScriptFunction = ({ messages, turn }) => {
  const refused = messages.findLast((m) => m.role === "user")?.content.includes("was refused");
  const content = refused ? "42\n" : "41\n";
  return turn === 0
    ? { text: "I write.", toolCalls: [{ name: "write_file", arguments: { path: "answer.txt", content } }] }
    : { text: "It is done." };
};
const answerStep = 'prompt: Write the number, agent: coder, outputs: [answer.txt], gates: ["grep -q 42 answer.txt"], retry: 3';

test(
  "a run that hits its budget pauses and asks, waits, and goes on as soon as another process answers, to the right bill",
  async () => {
    // The project would allow more than its user does.
    await using run = await sceneWith(wrongThenRight, {
      pipeline: `steps: { fix: { ${answerStep} } }\n`,
      project: "budget: { run: 100 }\n",
      user: "budget: { run: 0.0064 }\n",
    });
    const { scene, model } = run;
    const running = scene.start(["run", "p.yaml", "--wait"], { env });
    await running.said(/the budget of the run cannot carry the next call/);
    await running.said(/fix waits for somebody/);
    const before = servedFor(model);
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThanOrEqual(6_400);
    const [item, ...more] = await inboxOf(scene);
    expect(more).toEqual([]);
    expect(item).toMatchObject({ kind: "budget", step: "fix", choices: [expect.stringMatching(/^raise 0\.0\d+$/), "cheaper", "stop"] });
    expect((await scene.run(["show"], { env })).stdout).toMatch(/paused by\s+the budget of the run: \$0\.00\d+ of \$0\.0064 is spent/);
    const nonsense = await scene.run(["answer", "fix", "more"], { env });
    expect(nonsense).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/the answer is "raise", "raise 2\.50", "cheaper" or "stop"/) as string,
    });
    expect(servedFor(model)).toBe(before);

    const answered = await scene.run(["answer", "fix", "raise 0.02"], { env });
    expect(answered, answered.stderr).toMatchObject({ code: 0, stderr: expect.stringContaining("The run goes on.") as string });
    const ended = await running.ended;
    expect(ended.code, ended.stderr).toBe(0);
    expect(scene.git("show", `stepfall/${(await keptBy(scene)).runId}:answer.txt`)).toBe("42");
    expect(await costOf(scene)).toMatchObject({ microUsd: servedFor(model), refused: 1 });
    const kept = await keptBy(scene);
    expect(kept.of("BudgetExhausted").map((e) => e.data)).toMatchObject([{ scope: "run", limit: 6_400, step: "fix" }]);
    expect(kept.of("BudgetRaised").map((e) => e.data)).toMatchObject([{ scope: "run", from: 6_400, limit: 26_400, by: "ann" }]);
    expect(kept.events.find((e) => e.event.type === "BudgetRaised")?.actor).toBe("cli:ann");
    expect(kept.calls.every((c) => c.outcome === "refused" || c.microUsd <= c.reservedMicroUsd)).toBe(true);
    expect(await inboxOf(scene)).toEqual([]);
  },
  LONG,
);

test(
  "steps that hit their own budgets pause alone: one goes on with a cheaper tier, one is stopped, and others are done meanwhile",
  async () => {
    const writes: ScriptFunction = ({ messages, turn }) => {
      const path = messages.some((m) => m.content.includes("the first")) ? "first.txt" : "second.txt";
      return turn === 0 ? { toolCalls: [{ name: "write_file", arguments: { path, content: "42\n" } }] } : { text: "It is done." };
    };
    await using run = await sceneWith(writes, {
      pipeline: `steps:
  cheap: { prompt: Write the first, agent: coder, outputs: [first.txt], budget: 0.003 }
  gone: { prompt: Write the second, agent: coder, outputs: [second.txt], budget: 0.003 }
  other: { command: "echo other > other.txt", outputs: [other.txt] }
`,
    });
    const { scene, model } = run;
    const stopped = await scene.run(["run", "p.yaml"], { env });
    expect(stopped.code, stopped.stderr).toBe(4);
    expect(stopped.stdout).toMatch(/stopped: the budget of step (?:cheap|gone) cannot carry the next call/);
    // Nothing went out: not even the first call fits.
    expect(model.served()).toEqual([]);
    expect((await scene.run(["ps"], { env })).stdout).toMatch(/ budget /);
    const items = await inboxOf(scene);
    expect(items.map((i) => [i.kind, i.step]).toSorted()).toEqual([
      ["budget", "cheap"],
      ["budget", "gone"],
    ]);
    expect(items.every((i) => i.choices.includes("cheaper"))).toBe(true);
    const status = async (): Promise<Record<string, string>> => {
      const { steps } = (await scene.json("show")).values[0] as unknown as { steps: { id: string; status: string }[] };
      return Object.fromEntries(steps.map((s) => [s.id, s.status]));
    };
    expect(await status()).toMatchObject({ other: "completed" });

    expect((await scene.run(["answer", "cheap!", "cheaper"], { env })).code).toBe(0);
    expect((await scene.run(["answer", "gone!", "stop"], { env })).stderr).toMatch(/Go on with: .*resume/);
    const ended = await scene.run(["resume"], { env });
    expect(ended.code, ended.stderr).toBe(1);
    expect(await status()).toMatchObject({ cheap: "completed", gone: "failed", other: "completed" });
    expect(ended.stdout).toMatch(/its budget of \$0\.0030 is spent .*ann said stop/);
    const kept = await keptBy(scene);
    expect(kept.of("AttemptStarted").findLast((e) => e.data.step === "cheap")?.data.agent).toBe("junior");
    expect(model.served().every((c) => c.request["model"] === "small")).toBe(true);
    expect((await costOf(scene)).microUsd).toBe(servedFor(model));
    expect(await inboxOf(scene)).toEqual([]);
  },
  LONG,
);

test(
  "all runs of a home share the fleet's budget: where nothing is left none begins an attempt, and one raise lets all go on",
  async () => {
    // Tells of so much input that one call uses the limit up.
    const script: ScriptFunction = ({ turn }) =>
      turn === 0
        ? {
            toolCalls: [{ name: "write_file", arguments: { path: "answer.txt", content: "42\n" } }],
            usage: { promptTokens: 60_000, completionTokens: 10 },
          }
        : { text: "It is done." };
    await using run = await sceneWith(script, {
      pipeline: `steps: { fix: { ${answerStep} } }\n`,
      user: "budget: { fleet: { usd: 0.05, per: month }, attempt: 1 }\n",
    });
    const { scene, model } = run;
    const first = await scene.run(["run", "p.yaml"], { env });
    expect(first.code, first.stderr).toBe(4);
    expect(first.stderr).toMatch(/the budget of all runs for this month cannot carry the next call: \$0\.0600 of \$0\.0500 spent/);
    expect(model.served()).toHaveLength(1);

    // Another run of the same home: its attempt is not even begun.
    const second = await scene.run(["run", "p.yaml"], { env });
    expect(second.code, second.stderr).toBe(4);
    expect(model.served()).toHaveLength(1);
    const begun = await keptBy(scene);
    expect(begun.of("AttemptStarted")).toEqual([]);
    expect(begun.of("BudgetExhausted").map((e) => e.data)).toMatchObject([{ scope: "fleet", limit: 50_000, spent: 60_020 }]);
    expect(await inboxOf(scene)).toHaveLength(2);
    // Resumed without an answer it only finds out the same.
    expect((await scene.run(["resume"], { env })).code).toBe(4);
    expect(model.served()).toHaveLength(1);

    expect((await scene.run(["answer", begun.runId, "raise 0.5"], { env })).code).toBe(0);
    expect(await inboxOf(scene)).toEqual([]);
    const { values } = await scene.json("ps");
    const ids = (values[0] as unknown as { runs: { runId: string }[] }).runs.map((r) => r.runId);
    for (const id of ids) {
      const ended = await scene.run(["resume", id], { env });
      expect(ended.code, ended.stderr).toBe(0);
    }
    expect(ids).toHaveLength(2);
  },
  LONG,
);

test(
  "what attempts may spend is set aside before they begin: with room for one of them they follow each other, and nothing is asked",
  async () => {
    const writes: ScriptFunction = ({ messages, turn }) => {
      const path = messages.some((m) => m.content.includes("the first")) ? "first.txt" : "second.txt";
      const answer =
        turn === 0 ? { toolCalls: [{ name: "write_file", arguments: { path, content: "42\n" } }] } : { text: "It is done. ".repeat(20) };
      return { ...answer, chunkDelayMs: 100 };
    };
    await using run = await sceneWith(writes, {
      pipeline: `budget: 0.0155
steps:
  one: { prompt: Write the first, agent: coder, outputs: [first.txt] }
  two: { prompt: Write the second, agent: coder, outputs: [second.txt] }
`,
      project: "budget: { attempt: 0.009 }\n",
    });
    const { scene, model } = run;
    const ended = await scene.run(["run", "p.yaml"], { env });
    expect(ended.code, ended.stderr).toBe(0);
    const kept = await keptBy(scene);
    expect(kept.of("BudgetExhausted")).toEqual([]);
    const steps = model.served().map(({ request }) => (JSON.stringify(request).includes("the first") ? "one" : "two"));
    expect(steps).toHaveLength(4);
    // Neither called while the other did. (Whoever waits for more than two seconds is told for what.)
    expect(steps[0]).toBe(steps[1]);
    expect(kept.calls.every((c) => c.outcome === "ok")).toBe(true);
    expect(await costOf(scene)).toMatchObject({ microUsd: servedFor(model), refused: 0 });
  },
  LONG,
);
