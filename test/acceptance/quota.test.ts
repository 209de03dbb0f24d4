import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fakeAgent } from "../../src/agents/acp/fake-agent.testkit.ts";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { startScriptedModel, type ScriptedModel, type ScriptFunction } from "../../src/models/index.ts";
import { programOf, realAgent } from "../agents/catalogue.ts";
import { keptBy, type Kept } from "./run-journal.testkit.ts";

/** An endpoint whose quota is used up until `until`, epoch ms, and whose model writes the file that its step asks for. */
async function limited(until: () => number): Promise<ScriptedModel> {
  const script: ScriptFunction = ({ tools, messages, toolResults }) => {
    const leftMs = until() - Date.now();
    if (leftMs > 0) return { fault: { kind: "status", status: 429, message: "used up", retryAfterSeconds: leftMs / 1000 } };
    if (tools.length === 0) return { text: "ok" };
    if (toolResults > 0) return { text: "Written." };
    const file = messages.map((m) => /Write (\S+\.txt)/.exec(m.content)?.[1]).find((name) => name !== undefined);
    const name = tools.includes("run_shell_command") ? "run_shell_command" : "run_command";
    return { toolCalls: [{ name, arguments: { command: `echo hello > ${file}`, description: "write", is_background: false } }] };
  };
  const model = await startScriptedModel({ script });
  onTestFinished(() => model.close());
  return model;
}

const provider = (model: ScriptedModel): string =>
  `{ url: "${model.baseUrl}", protocol: [chat, gemini], prices: { m: { input: 1, output: 2 } } }`;

/** What the ledger says and what the endpoint counted. */
function expectRightBill(kept: Kept, model: ScriptedModel): void {
  const served = model.served().filter((call) => call.outcome === "completed");
  const good = kept.calls.filter((call) => call.outcome === "ok");
  const sum = (calls: readonly number[]): number => calls.reduce((all, n) => all + n, 0);
  expect([good.length, sum(good.map((c) => c.inputTokens)), sum(good.map((c) => c.outputTokens))]).toEqual([
    served.length,
    sum(served.map((c) => c.promptTokens)),
    sum(served.map((c) => c.completionTokens)),
  ]);
  expect(sum(kept.calls.map((c) => c.microUsd))).toBe(sum(good.map((c) => c.inputTokens + 2 * c.outputTokens)));
}

test("agents that meet a quota wait for it and go on by themselves; it is no try of theirs, and only answers are billed", async () => {
  // From the first question on: how long a busy machine takes to ask it is nobody's matter.
  let until = 0;
  const model = await limited(() => (until ||= Date.now() + 6_000));
  const gemini = JSON.stringify([programOf(realAgent("gemini")), "--acp"]);
  await using scene = new Scene({
    "stepfall.yaml": `slots: 2
quota: { hold: 1s }
agents:
  chat: { executor: chat, model: made-up/m }
  gem: { executor: acp, preset: gemini, command: ${gemini}, model: made-up/m }
providers: { made-up: ${provider(model)} }
`,
    "p.yaml": `defaults: { retry: 1 }
steps:
  a: { prompt: Write a.txt, agent: chat, outputs: [a.txt] }
  b: { prompt: Write b.txt, agent: gem, outputs: [b.txt] }
`,
  });
  const { code, stdout, stderr } = await scene.run(["run", "p.yaml", "--merge"]);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  for (const name of ["a", "b"]) expect(readFileSync(join(scene.project, `${name}.txt`), "utf8")).toBe("hello\n");
  expect(stderr).toMatch(/a#1 met a limit; a waits for made-up's quota until \d\d:\d\d:\d\d \(in \d/);
  const kept = await keptBy(scene);
  const [failed] = kept.of("AttemptFailed");
  expect(failed?.data).toMatchObject({
    kind: "quota",
    quota: { provider: "made-up" },
    message: expect.stringContaining("quota of made-up") as string,
  });
  expect(Math.abs((failed?.data.quota?.retryAt ?? 0) - until)).toBeLessThan(1_500);
  for (const { data } of kept.of("AttemptFailed")) expect(data.kind).toBe("quota");
  for (const { at, data } of kept.of("AttemptStarted")) if (!data.attempt.endsWith("#1")) expect(at).toBeGreaterThanOrEqual(until - 50);
  expectRightBill(kept, model);
}, 120_000);

test("a run that waits for a quota says so and until when; killed while it waits, it is resumed and goes on then", async () => {
  let until = 0;
  const model = await limited(() => (until ||= Date.now() + 20_000));
  await using scene = new Scene({
    "stepfall.yaml": `quota: { hold: 0, on-limit: wait }
default-agent: chat
agents: { chat: { executor: chat, model: made-up/m } }
providers: { made-up: ${provider(model)} }
`,
    "p.yaml": `defaults: { retry: 1 }
steps:
  a: { prompt: Write a.txt, outputs: [a.txt] }
  after: { command: cat a.txt, needs: [a], readonly: true }
`,
  });
  const run = scene.start(["run", "p.yaml"]);
  await run.said("a waits for made-up's quota until");
  const [ps, show] = await Promise.all([scene.run(["ps"]), scene.run(["show"])]);
  run.child.kill("SIGKILL");
  await run.ended;
  expect(ps.stdout).toMatch(/running, waits for made-up's quota until \d\d:\d\d:\d\d \(in /);
  expect(show.stdout).toMatch(/a \(agent\) waiting_quota: waits for made-up's quota until/);
  const asked = model.served().length;
  const resumed = await scene.run(["resume"]);
  expect(resumed.code, `${resumed.stdout}\n${resumed.stderr}`).toBe(0);
  expect(resumed.stdout).toMatch(/2 of 2 steps completed/);
  const kept = await keptBy(scene);
  expect(kept.of("AttemptFailed").map(({ data }) => data.kind)).toEqual(["quota"]);
  const second = kept.of("AttemptStarted").find(({ data }) => data.attempt.endsWith("a#2"));
  expect(second?.at).toBeGreaterThanOrEqual(until - 50);
  expect(asked).toBe(1);
  expectRightBill(kept, model);
}, 120_000);

test("where another model may be asked nobody waits; with quota: off a limit is a failure like others", async () => {
  const [used, free] = await Promise.all([limited(() => Date.now() + 3_600_000), limited(() => 0)]);
  const files = (settings: string): Record<string, string> => ({
    "stepfall.yaml": `${settings}
default-agent: chat
agents: { chat: { executor: chat, model: used/m, fallback: [free/m] } }
providers:
  used: ${provider(used)}
  free: ${provider(free)}
`,
    "p.yaml": "steps:\n  a: { prompt: Write a.txt, outputs: [a.txt], retry: 1 }\n",
  });
  await using over = new Scene(files("quota: { on-limit: failover }"));
  await using off = new Scene(files("quota: off"));
  const [went, failed] = await Promise.all([over.run(["run", "p.yaml"]), off.run(["run", "p.yaml"])]);
  expect(went.code, `${went.stdout}\n${went.stderr}`).toBe(0);
  const kept = await keptBy(over);
  expect(kept.of("AttemptFailed")).toEqual([]);
  expect(kept.calls.map((c) => `${c.provider} ${c.outcome}`)).toEqual(["used failed", "free ok", "free ok"]);
  expectRightBill(kept, free);
  expect(failed.code).toBe(1);
  expect((await keptBy(off)).of("AttemptFailed").map(({ data }) => data.kind)).toEqual(["provider"]);
}, 120_000);

test("an agent on its own login, without the gateway, tells of its limit in words: its step waits as well", async () => {
  await using scene = new Scene();
  const limit = { code: -32_603, message: "You've hit your usage limit. Please try again in 4 seconds." };
  const refused = fakeAgent(join(scene.folder, "refused.json"), { prompt: [], promptError: limit });
  const willing = fakeAgent(join(scene.folder, "willing.json"), { prompt: [{ do: "write", path: "a.txt", content: "hello\n" }] });
  const words = (command: readonly string[]): string => command.map((word) => `'${word}'`).join(" ");
  const first = `if mkdir '${scene.folder}/asked'; then exec ${words(refused)}; else exec ${words(willing)}; fi`;
  // The program is started once before the run.
  const command = JSON.stringify(["sh", "-c", `if mkdir '${scene.folder}/tried'; then exec ${words(willing)}; fi; ${first}`]);
  scene.write({
    "stepfall.yaml": `default-agent: own\nagents: { own: { executor: acp, credentials: direct, command: ${command} } }\n`,
    "p.yaml": "steps:\n  a: { prompt: Write a.txt, outputs: [a.txt], retry: 1 }\n",
  });
  scene.git("add", "--all");
  scene.git("commit", "--quiet", "--message", "settings");
  const { code, stdout, stderr } = await scene.run(["run", "p.yaml"]);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  const kept = await keptBy(scene);
  const [failed] = kept.of("AttemptFailed");
  expect(failed?.data).toMatchObject({ kind: "quota", quota: { provider: "the login of own" } });
  const again = kept.of("AttemptStarted").find(({ data }) => data.attempt.endsWith("#2"));
  expect((again?.at ?? 0) - (failed?.at ?? 0)).toBeGreaterThan(3_000);
}, 120_000);
