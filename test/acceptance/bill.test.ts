import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { startScriptedModel, type ScriptedModel, type ScriptFunction } from "../../src/models/index.ts";
import { keptBy } from "./run-journal.testkit.ts";

/** Made up; long enough that it cannot be anywhere by accident. */
const upstreamKey = "sk-upstream-7Qm2xVt9LpW4sKd8RzBn3Yc6";

/** USD per million tokens, so a token of input is one micro-dollar and one of output two. */
const prices = "{ coder-1: { input: 1, output: 2 } }";

async function sceneWith(
  script: ScriptFunction,
  pipeline: string,
): Promise<{ scene: Scene; model: ScriptedModel; env: Record<string, string> } & AsyncDisposable> {
  const model = await startScriptedModel({ script, apiKey: upstreamKey });
  const scene = new Scene({
    "stepfall.yaml": `slots: 2
default-agent: coder
agents: { coder: { executor: chat, model: fake/coder-1, tier: mid, maxOutputTokens: 2000 } }
providers: { fake: { url: "${model.baseUrl}", key-env: UPSTREAM_KEY, prices: ${prices} } }
`,
    "p.yaml": pipeline,
  });
  return {
    scene,
    model,
    env: { UPSTREAM_KEY: upstreamKey },
    [Symbol.asyncDispose]: async () => {
      await scene[Symbol.asyncDispose]();
      await model.close();
    },
  };
}

interface Cost {
  rows: { attempt: string; microUsd: number; calls: number; outputTokens: number; provenance: string }[];
  total: { calls: number; inputTokens: number; outputTokens: number; microUsd: number; provenance: string; refused: number };
}

async function costOf(scene: Scene): Promise<Cost> {
  const { values } = await scene.json("cost");
  return values[0] as unknown as Cost;
}

const served = (model: ScriptedModel) => {
  const calls = model.served();
  const sum = (of: (c: (typeof calls)[number]) => number): number => calls.reduce((n, c) => n + of(c), 0);
  const inputTokens = sum((c) => c.promptTokens);
  const outputTokens = sum((c) => c.completionTokens);
  return { calls: calls.length, inputTokens, outputTokens, microUsd: inputTokens + 2 * outputTokens };
};

/** Writes 41, is refused, writes 42. */
const wrongThenRight: ScriptFunction = ({ messages, turn }) => {
  const refused = messages.findLast((m) => m.role === "user")?.content.includes("was refused");
  const content = refused ? "42\n" : "41\n";
  return turn === 0
    ? { text: "I write.", toolCalls: [{ name: "write_file", arguments: { path: "answer.txt", content } }] }
    : { text: "It is done." };
};
const answerPipeline = 'steps: { fix: { prompt: Write the number, outputs: [answer.txt], gates: ["grep -q 42 answer.txt"], retry: 3 } }\n';

test("the bill of a run with retries equals what the endpoint counted, in the total, by attempt, and in the journal", async () => {
  await using run = await sceneWith(wrongThenRight, answerPipeline);
  const { scene, model, env } = run;
  const ended = await scene.run(["run", "p.yaml"], { env });
  expect(ended.code, ended.stderr).toBe(0);
  const cost = await costOf(scene);
  expect(cost.total).toMatchObject({ ...served(model), provenance: "reported", refused: 0 });
  expect(cost.total.calls).toBe(4);
  const kept = await keptBy(scene);
  const usages = [...kept.of("AttemptRejected"), ...kept.of("AttemptAccepted")].map((e) => [e.data.attempt, e.data.usage?.microUsd]);
  expect(usages).toEqual(cost.rows.map((r) => [r.attempt, r.microUsd]));
});

test("a cancel from another process in mid-stream: what was sent up to the cut is on the bill, as an estimate", async () => {
  await using run = await sceneWith(() => ({ text: "word ".repeat(2_000), chunkDelayMs: 20 }), answerPipeline);
  const { scene, model, env } = run;
  const running = scene.start(["run", "p.yaml"], { env });
  for (const from = Date.now(); (model.served()[0]?.sentChunks ?? 0) < 20; await sleep(20))
    if (Date.now() - from > 30_000) throw new Error("no stream");
  const cancelled = await scene.run(["cancel"], { env });
  expect(cancelled.code, cancelled.stderr).toBe(0);
  const ended = await running.ended;
  expect(ended.code, ended.stderr).toBe(1);
  const [call, ...more] = model.served();
  expect(more).toEqual([]);
  expect(call?.outcome).toBe("cut");
  const cost = await costOf(scene);
  expect(cost.total).toMatchObject({ calls: 1, provenance: "estimated" });
  expect(cost.total.inputTokens).toBeGreaterThan(0);
  // Up to the chunks that were under way when the connection was cut.
  const sent = call?.sentTokens ?? 0;
  expect(cost.total.outputTokens, `the endpoint sent ${sent} tokens`).toBeGreaterThanOrEqual(sent - 5);
  expect(cost.total.outputTokens, `the endpoint sent ${sent} tokens`).toBeLessThanOrEqual(sent);
  const kept = await keptBy(scene);
  expect(kept.of("AttemptInterrupted").map((e) => e.data.usage?.microUsd)).toEqual([cost.total.microUsd]);
  expect(kept.of("RunFinished")[0]?.data.outcome).toBe("cancelled");
});

test("a budget that is used up stops further calls with a clear reason and exit code 4; with a larger one the run goes on to its end", async () => {
  await using run = await sceneWith(wrongThenRight, answerPipeline);
  const { scene, model, env } = run;
  // Carries two calls or three: each reserves some 900 tokens of input and 2,000 of output.
  const stopped = await scene.run(["run", "p.yaml", "--budget", "0.0064"], { env });
  expect(stopped.code, stopped.stderr).toBe(4);
  expect(stopped.stderr).toMatch(/the budget of the run cannot carry the next call: \$0\.00\d+ of \$0\.0064 spent/);
  const before = served(model);
  expect(before.calls).toBeGreaterThan(0);
  expect(before.microUsd).toBeLessThanOrEqual(6_400);
  expect((await costOf(scene)).total).toMatchObject(before);

  const still = await scene.run(["resume"], { env });
  expect(still.code).toBe(4);
  expect(served(model)).toEqual(before);

  const resumed = await scene.run(["resume", "--budget", "1"], { env });
  expect(resumed.code, resumed.stderr).toBe(0);
  expect((await costOf(scene)).total).toMatchObject({ ...served(model), provenance: "reported" });
  expect((await keptBy(scene)).of("BudgetExhausted")).toHaveLength(1);
});

test("the upstream key is nowhere but in the engine and the gateway: not with an agent, in a transcript, an event, a log, the spool, the store or a process list", async () => {
  // The agent looks for it wherever a command can look, and says what it saw.
  const look =
    "env; cat /proc/[0-9]*/cmdline | tr '\\0' ' '; cat /proc/self/environ /proc/$PPID/environ | tr '\\0' '\\n'; env > seen.txt; echo looked";
  const script: ScriptFunction = ({ turn, messages }) =>
    turn === 0
      ? { toolCalls: [{ name: "run_command", arguments: { command: look } }] }
      : { text: `I saw: ${messages.findLast((m) => m.role === "tool")?.content}` };
  const pipeline = `steps:
  look: { prompt: Look around, outputs: [seen.txt] }
  shell: { command: "env; env > shell.txt", outputs: [shell.txt], gates: ["env; false || true"] }
  leak: { command: "env >&2; exit 1", readonly: true, needs: [look, shell] }
`;
  await using run = await sceneWith(script, pipeline);
  const { scene, model, env } = run;
  const ended = await scene.run(["run", "p.yaml", "--json"], { env });
  expect(ended.code, ended.stderr).toBe(1);
  expect(model.served().every((c) => c.status === 200)).toBe(true);
  const said = model.served().at(-1)?.request;
  expect(JSON.stringify(said)).toContain("looked");
  expect(`${ended.stdout}${ended.stderr}${JSON.stringify(said)}`).not.toContain(upstreamKey);
  expect((await scene.run(["logs"], { env })).stdout).not.toContain(upstreamKey);

  const needle = Buffer.from(upstreamKey);
  const files = readdirSync(scene.folder, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
  const holding = files.map((e) => join(e.parentPath, e.name)).filter((file) => readFileSync(file).includes(needle));
  expect(holding).toEqual([]);
  expect(files.length).toBeGreaterThan(20);
  // Objects in git are packed: looked at as text.
  const all = scene
    .git("rev-list", "--all", "--objects")
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "");
  for (const object of all) expect(scene.git("cat-file", "-p", object)).not.toContain(upstreamKey);
  // What was written by `env` is what the agents had: no key, of any kind but their own of the gateway.
  const kept = await keptBy(scene);
  for (const file of ["seen.txt", "shell.txt"])
    expect(scene.git("show", `stepfall/${kept.runId}:${file}`)).not.toMatch(/UPSTREAM_KEY|sk-upstream/);
  expect(JSON.stringify(kept.events)).not.toContain(upstreamKey);
});
