import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { spawnScriptedModel, startScriptedModel, type ScriptFunction } from "../../src/models/index.ts";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import { programOf, realAgent } from "../agents/catalogue.ts";

/** Writes the file that its step asks for, with the shell of whatever agent asks. */
const writer: ScriptFunction = ({ tools, messages, toolResults }) => {
  if (tools.length === 0) return { text: "ok" };
  if (toolResults > 0) return { text: "Written." };
  const file = messages.map((m) => /Write (\S+\.txt)/.exec(m.content)?.[1]).find((name) => name !== undefined);
  const name = tools.includes("run_shell_command") ? "run_shell_command" : "run_command";
  return { toolCalls: [{ name, arguments: { command: `echo hello > ${file}`, description: "write", is_background: false } }] };
};

test("a provider that is killed in the middle of its streams is followed by the next one, for a chat agent, gemini and qwen: all is accepted and billed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-dying-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const text = "a long thought that never comes to its end ".repeat(100);
  const usage = { promptTokens: 50, completionTokens: 900 };
  // What agents ask on the side is answered at once; their work is talked about for a minute.
  const rules = ["run_shell_command", "run_command"].map((tool) => ({
    when: { tools: [tool] },
    answer: { text, usage, chunkDelayMs: 60 },
  }));
  writeFileSync(join(folder, "dying.json"), JSON.stringify({ rules }));
  const dying = await spawnScriptedModel({ scriptFile: join(folder, "dying.json") });
  let isGone = false;
  const kill = (): void => {
    if (!isGone) process.kill(dying.pid, "SIGKILL");
    isGone = true;
  };
  onTestFinished(kill);
  const second = await startScriptedModel({ script: writer });
  onTestFinished(() => second.close());

  const real = (preset: "gemini" | "qwen"): string =>
    `executor: acp, preset: ${preset}, command: [${JSON.stringify(programOf(realAgent(preset)))}, --acp], model: dying/m`;
  const of = (url: string): string => `{ url: "${url}", protocol: [chat, gemini], prices: { m: { input: 1, output: 2 } } }`;
  await using scene = new Scene({
    "stepfall.yaml": `slots: 3
agents:
  chat: { executor: chat, model: dying/m, fallback: [second/m] }
  gem: { ${real("gemini")}, fallback: [second/m] }
  qwen: { ${real("qwen")} }
fallback: [second/m]
providers:
  dying: ${of(dying.baseUrl)}
  second: ${of(second.baseUrl)}
`,
    "p.yaml": `defaults: { retry: 2 }
steps:
  a: { prompt: Write a.txt, agent: chat, outputs: [a.txt] }
  b: { prompt: Write b.txt, agent: gem, outputs: [b.txt] }
  c: { prompt: Write c.txt, agent: qwen, outputs: [c.txt] }
`,
  });
  const run = scene.start(["run", "p.yaml", "--merge"]);
  for (;;) {
    if ((await dying.served()).filter((call) => call.sentChunks > 3).length >= 3) break;
    await sleep(100);
  }
  kill();
  const ended = await run.ended;
  expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
  for (const name of ["a", "b", "c"]) expect(readFileSync(join(scene.project, `${name}.txt`), "utf8")).toBe("hello\n");

  const kept = await keptBy(scene);
  const broken = kept.calls.filter((call) => call.provider === "dying" && call.outcome === "failed" && call.outputTokens > 0);
  expect(new Set(broken.map((call) => call.attempt.replace(/^.*\/|#.*$/g, ""))), "each had begun to answer").toEqual(
    new Set(["a", "b", "c"]),
  );
  for (const call of broken) {
    expect(call.provenance).toBe("estimated");
    expect(call.outputTokens).toBeLessThan(900);
  }
  const told = second.served().filter((call) => call.outcome === "completed");
  const good = kept.calls.filter((call) => call.provider === "second" && call.outcome === "ok");
  const sum = (of: readonly { inputTokens: number; outputTokens: number }[]): number[] => [
    of.length,
    of.reduce((all, call) => all + call.inputTokens, 0),
    of.reduce((all, call) => all + call.outputTokens, 0),
  ];
  expect(sum(good)).toEqual(sum(told.map((call) => ({ inputTokens: call.promptTokens, outputTokens: call.completionTokens }))));
  // No attempt was the agent's fault, and each ended by what happened.
  for (const { data } of kept.of("AttemptFailed")) expect(data).toMatchObject({ kind: "provider" });
  expect(kept.of("AttemptAccepted").length).toBe(3);
}, 180_000);
