import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ScriptFunction } from "../../src/models/index.ts";
import { keptBy } from "./run-journal.testkit.ts";
import { scriptedScene, type ScriptedScene } from "./scripted-scene.testkit.ts";

/** USD per million tokens: a token costs 0, 1 or 10 micro-dollars, in and out. */
const prices = "{ small: { input: 0, output: 0 }, middle: { input: 1, output: 1 }, large: { input: 10, output: 10 } }";
const key = "sk-upstream-waterfall-4Gt8Lm2";

/** Three agents on three models of one provider, registered dearest first: the order of the file is not the order of tiers. */
const sceneWith = (script: ScriptFunction, more = ""): Promise<ScriptedScene> =>
  scriptedScene(script, key, (url) => ({
    "stepfall.yaml": `agents:
  large: { executor: chat, model: fake/large, tier: premium }
  middle: { executor: chat, model: fake/middle, tier: mid }
  small: { executor: chat, model: fake/small, tier: free }
providers: { fake: { url: "${url}", key-env: UPSTREAM_KEY, prices: ${prices} } }
${more}`,
    "sum.test.mjs": "process.exit((await import('./sum.mjs')).sum(2, 3) === 5 ? 0 : 1);\n",
    "p.yaml": `steps:
  fix:
    prompt: Write sum.mjs
    outputs: [sum.mjs]
    gates: ["node sum.test.mjs", { name: no-var, command: "! grep -q var sum.mjs" }]
`,
  }));
const run = { env: { UPSTREAM_KEY: key } };

const writes = (content: string, turn: number) =>
  turn === 0 ? { text: "I write.", toolCalls: [{ name: "write_file", arguments: { path: "sum.mjs", content } }] } : { text: "It is done." };

/** The small model is wrong, the middle one breaks a gate, the large one is right. */
const byModel: ScriptFunction = ({ model, turn }) => {
  if (model === "small") return writes("export const sum = (a, b) => a - b;\n", turn);
  if (model === "middle") return writes("export var sum = (a, b) => a + b;\n", turn);
  return writes("export const sum = (a, b) => a + b;\n", turn);
};

test("a free model that answers wrong, a mid one that breaks a gate, a premium one that passes: three attempts, findings handed on, and the right bill", async () => {
  await using at = await sceneWith(byModel);
  const { scene, model } = at;
  const ended = await scene.run(["run", "p.yaml"], run);
  expect(ended.code, ended.stderr).toBe(0);
  const kept = await keptBy(scene);
  expect(kept.of("AttemptRouted").map(({ data }) => [data.n, data.tier, data.candidates, data.escalatedFrom])).toEqual([
    [1, "free", ["small"], undefined],
    [2, "mid", ["middle"], "free"],
    [3, "premium", ["large"], "mid"],
  ]);
  expect(kept.of("AttemptRejected").map(({ data }) => data.findings.map((f) => f.gate))).toEqual([["node sum.test.mjs"], ["no-var"]]);
  const prompts = model.served().map((call) => JSON.stringify(call.request));
  expect(prompts.filter((p) => p.includes("node sum.test.mjs") && p.includes("exits 1")).length).toBeGreaterThan(0);

  const served = model.served();
  const tokens = (name: string): number =>
    served.filter((c) => c.model === name).reduce((n, c) => n + c.promptTokens + c.completionTokens, 0);
  const { values } = await scene.json("cost");
  const bill = values[0] as unknown as {
    rows: { attempt: string; tier: string; microUsd: number }[];
    total: { microUsd: number; calls: number };
  };
  expect(bill.rows.map((r) => [r.attempt.split("/")[1], r.tier, r.microUsd])).toEqual([
    ["fix#1", "free", 0],
    ["fix#2", "mid", tokens("middle")],
    ["fix#3", "premium", 10 * tokens("large")],
  ]);
  expect(bill.total).toMatchObject({ calls: served.length, microUsd: tokens("middle") + 10 * tokens("large") });
});

test("an agent of a higher tier that cannot work is left out with its reason, and the run does without it", async () => {
  await using at = await sceneWith(byModel, "");
  const { scene } = at;
  const settings = readFileSync(join(scene.project, "stepfall.yaml"), "utf8")
    .replace("model: fake/large", "model: nowhere/large")
    .replace("providers: {", "providers: { nowhere: { url: http://127.0.0.1:9/v1, key-env: NO_SUCH_KEY },");
  scene.write({ "stepfall.yaml": settings });
  scene.git("commit", "-qam", "a provider without a key");
  const ended = await scene.run(["run", "p.yaml"], run);
  expect(ended.code, ended.stderr).toBe(1);
  expect(ended.stderr).toContain("large (premium) is left out: agent large: The provider nowhere has no key: NO_SUCH_KEY is not set");
  const kept = await keptBy(scene);
  expect(kept.of("AttemptRouted").map(({ data }) => data.tier)).toEqual(["free", "mid", "mid"]);
});

test("two policies side by side: each step follows one for all its attempts, the journal names it, and the bill tells what came of both", async () => {
  const right: ScriptFunction = ({ turn, messages }) => {
    const path = /f\d\.txt/.exec(JSON.stringify(messages))?.[0] ?? "f0.txt";
    return turn === 0 ? { text: "I write.", toolCalls: [{ name: "write_file", arguments: { path, content: "x\n" } }] } : { text: "Done." };
  };
  await using at = await sceneWith(right, "routing: { split: { name: dear, share: 0.5, entry: premium } }\n");
  const { scene, model } = at;
  const steps = Array.from({ length: 6 }, (_, i) => `  s${i}: { prompt: Write f${i}.txt, outputs: [f${i}.txt] }\n`).join("");
  scene.write({ "split.yaml": `steps:\n${steps}` });
  const ended = await scene.run(["run", "split.yaml"], run);
  expect(ended.code, ended.stderr).toBe(0);
  const routed = (await keptBy(scene)).of("AttemptRouted").map(({ data }) => data);
  expect(routed).toHaveLength(6);
  for (const { policy, tier } of routed) expect([policy, tier]).toEqual(policy === "dear" ? ["dear", "premium"] : ["default", "free"]);
  const { values } = await scene.json("cost", "--by", "policy");
  const { rows } = values[0] as unknown as { rows: { name: string; attempts: number; accepted: number; microUsd: number }[] };
  const count = (policy: string): number => routed.filter((r) => r.policy === policy).length;
  const spent = model.served().reduce((n, c) => n + (c.model === "large" ? 10 * (c.promptTokens + c.completionTokens) : 0), 0);
  for (const name of ["default", "dear"]) {
    const row = rows.find((r) => r.name === name);
    expect(row?.attempts ?? 0).toBe(count(name));
    expect(row?.accepted ?? 0).toBe(count(name));
    if (row) expect(row.microUsd).toBe(name === "dear" ? spent : 0);
  }
});
