import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { processStartTime } from "../../src/agents/index.ts";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { startScriptedModel, type ScriptedAnswer, type ScriptFunction } from "../../src/models/index.ts";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import { keptAgents, type KeptAgent } from "../crash/processes.ts";
import { programOf, realAgent } from "./catalogue.ts";

const five = [0, 1, 2, 3, 4];
/** Steps whose agent is in the middle of a model's answer when the engine is killed; the others run a tool. */
const listening = new Set([1, 4]);
const usage = { promptTokens: 11, completionTokens: 7 };

const scriptOf =
  (folder: string): ScriptFunction =>
  (request): ScriptedAnswer => {
    const step = Number(/Write file-(\d)\.txt/.exec(request.messages.map((m) => m.content).join("\n"))?.[1] ?? Number.NaN);
    // What an agent asks on the side offers no tools.
    if (Number.isNaN(step) || !request.tools.includes("run_shell_command")) return { text: "{}", usage };
    if (request.toolResults > 0) {
      const text = `I wrote file-${step}.txt, and I tell it in so many words that somebody can fall over in the middle of them, one after the other.`;
      return { text, usage, ...(listening.has(step) ? { chunkDelayMs: 250 } : {}) };
    }
    const wait = listening.has(step) ? "" : `touch ${folder}/begun-${step}; while [ ! -e ${folder}/go ]; do sleep 0.1; done; `;
    const command = `${wait}echo ${step} > file-${step}.txt`;
    return { toolCalls: [{ name: "run_shell_command", arguments: { command, description: "work", is_background: false } }], usage };
  };

const lives = (process: KeptAgent["agent"]): boolean => process !== undefined && processStartTime(process.pid) === process.startTime;

test("the engine is killed while five real agents work, three in a tool and two in the middle of an answer: the same five finish, and each call is billed once", async () => {
  let script: ScriptFunction = () => undefined;
  await using model = await startScriptedModel({ script: (request) => script(request) });
  const agent = (preset: "gemini" | "qwen"): string =>
    `{ executor: acp, preset: ${preset}, command: [${JSON.stringify(programOf(realAgent(preset)))}, --acp], model: made-up/m, account: ${preset} }`;
  const prices = "prices: { m: { input: 1, output: 2 } }";
  await using scene = new Scene({
    "stepfall.yaml": `slots: 5\nagents:\n  gem: ${agent("gemini")}\n  qwen: ${agent("qwen")}\nproviders: { made-up: { url: "${model.baseUrl}", protocol: [chat, gemini], ${prices} } }\n`,
    "p.yaml": `steps:\n${five.map((i) => `  s${i}: { prompt: Write file-${i}.txt, agent: ${i % 2 === 0 ? "gem" : "qwen"}, outputs: [file-${i}.txt], timeout: 2m }\n`).join("")}`,
  });
  script = scriptOf(scene.folder);

  const engine = scene.start(["run", "p.yaml", "--slots", "5"]);
  const isSpeaking = () => model.served().filter((c) => c.outcome === "open" && c.sentChunks >= 3).length === listening.size;
  const areBusy = () => five.every((i) => listening.has(i) || existsSync(join(scene.folder, `begun-${i}`)));
  let isOver = false;
  void engine.ended.then(() => (isOver = true));
  while (!isOver && !(areBusy() && isSpeaking())) await sleep(20);
  expect(isOver, JSON.stringify(isOver ? await engine.ended : "")).toBe(false);
  engine.child.kill("SIGKILL");
  const { runId } = await keptBy(scene);
  const before = keptAgents(scene.home, runId);
  expect(before).toHaveLength(5);
  await sleep(500);
  expect(before.filter(({ agent: process }) => !lives(process))).toEqual([]);

  // Nobody drives the run. The agents go on by themselves: two of them come to their end.
  writeFileSync(join(scene.folder, "go"), "");
  const resumed = scene.start(["resume", runId]);
  const seen = new Map<string, Set<number>>();
  let isDone = false;
  void resumed.ended.then(() => (isDone = true));
  while (!isDone) {
    for (const { attempt, agent: process } of keptAgents(scene.home, runId))
      if (process) seen.set(attempt, (seen.get(attempt) ?? new Set()).add(process.pid));
    await sleep(20);
  }
  const { code, stdout, stderr } = await resumed.ended;
  expect(code, `${stdout}\n${stderr}`).toBe(0);

  const kept = await keptBy(scene);
  expect(kept.of("RunFinished")).toMatchObject([{ data: { outcome: "succeeded" } }]);
  expect(kept.of("AttemptStarted").map((e) => e.data.attempt)).toHaveLength(5);
  expect(kept.of("AttemptInterrupted")).toEqual([]);
  expect(
    kept
      .of("AttemptReattached")
      .map((e) => e.data.attempt)
      .toSorted(),
  ).toEqual(before.map((k) => k.attempt).toSorted());
  for (const { attempt, agent: process } of before) expect([...(seen.get(attempt) ?? [])]).toEqual([process?.pid]);
  expect(before.filter(({ agent: process }) => lives(process))).toEqual([]);
  const files = scene.git("ls-tree", "-r", "--name-only", `stepfall/${runId}`).split("\n");
  expect(five.filter((i) => !files.includes(`file-${i}.txt`))).toEqual([]);

  const served = model.served();
  expect(served.filter((c) => c.outcome !== "completed")).toEqual([]);
  expect(kept.calls.filter((c) => c.provenance !== "reported")).toEqual([]);
  expect(kept.calls).toHaveLength(served.length);
  expect(kept.calls.reduce((sum, c) => sum + c.microUsd, 0)).toBe(served.length * (usage.promptTokens + 2 * usage.completionTokens));
}, 120_000);
