import { expect, test } from "vitest";
import type { ScriptFunction } from "../../src/models/index.ts";
import { keptBy } from "./run-journal.testkit.ts";
import { scriptedScene, type ScriptedScene } from "./scripted-scene.testkit.ts";

const key = "sk-upstream-best-of-5Tr9Kp3";
/** USD per million tokens: a token costs so many micro-dollars, in and out. */
const prices =
  "{ short: { input: 1, output: 1 }, long: { input: 1, output: 1 }, wrong: { input: 1, output: 1 }, critic: { input: 3, output: 3 } }";

/** Three agents that do the work, one of them never well, and one that judges. */
const sceneWith = (script: ScriptFunction, bestOf: string, more = "retry: 1"): Promise<ScriptedScene> =>
  scriptedScene(script, key, (url) => ({
    "stepfall.yaml": `agents:
  short: { executor: chat, model: fake/short, tier: mid }
  long: { executor: chat, model: fake/long, tier: mid }
  wrong: { executor: chat, model: fake/wrong, tier: mid }
  critic: { executor: chat, model: fake/critic, tier: premium }
providers: { fake: { url: "${url}", key-env: UPSTREAM_KEY, prices: ${prices} } }
`,
    "sum.test.mjs": "process.exit((await import('./sum.mjs')).sum(2, 3) === 5 ? 0 : 1);\n",
    "p.yaml": `steps:
  fix:
    prompt: Write sum.mjs
    best-of: ${bestOf}
    outputs: [sum.mjs]
    gates: [node sum.test.mjs]
    ${more}
    touches: [sum.mjs]
  after: { needs: fix, command: 'cat sum.mjs; test \${{ steps.fix.summary }} = "It is done."', readonly: true }
`,
  }));
const run = { env: { UPSTREAM_KEY: key } };

const code: Readonly<Record<string, string>> = {
  short: "export const sum = (a, b) => a + b;\n",
  long: "// Adds.\n// Numbers only.\nexport const sum = (a, b) => a + b;\n",
  wrong: "export const sum = (a, b) => a * b;\n",
};
type Asked = Parameters<ScriptFunction>[0];
const works = ({ model, turn }: Asked) =>
  turn === 0
    ? { toolCalls: [{ name: "write_file", arguments: { path: "sum.mjs", content: code[model] ?? "" } }] }
    : { text: "It is done." };
/** Prefers the one with the comment, wherever it stands. */
const judges = ({ messages }: Asked) => {
  const text = messages.map(({ content }) => content).join("\n");
  const isFirst = text.slice(0, text.indexOf("Candidate 2:")).includes("// Numbers only");
  return { text: JSON.stringify({ reason: "it says what it is for", better: isFirst ? "1" : "2" }) };
};

test(
  "of three candidates one fails its gates, and the judge picks the better of the other two: the branch holds that one alone, and its cost is on the bill",
  { timeout: 240_000 },
  async () => {
    await using at = await sceneWith(
      (asked) => (asked.model === "critic" ? judges(asked) : works(asked)),
      "{ agents: [wrong, short, long], judges: critic, rubric: It can be read }",
    );
    const { scene, model } = at;
    const ended = await scene.run(["run", "p.yaml"], run);
    expect(ended.code, ended.stderr).toBe(0);
    const kept = await keptBy(scene);
    expect(kept.of("AttemptRejected").map(({ data }) => data.step)).toEqual(["fix/1"]);
    const [picked, ...more] = kept.of("CandidatePicked");
    expect(more).toEqual([]);
    const ids = (step: string): string => `${kept.runId}/${step}#1`;
    expect(picked?.data).toMatchObject({
      step: "fix",
      attempt: ids("fix/3"),
      because: "judges hold it for the best of 2",
      scores: { [ids("fix/3")]: 1, [ids("fix/2")]: 0 },
      evidence: expect.stringContaining("it says what it is for"),
    });
    expect(kept.of("ResultMerged").map(({ data }) => data.attempt)).toEqual([ids("fix/3")]);
    expect(kept.of("StepSkipped").map(({ data }) => [data.step, data.because])).toEqual([["fix/2", "another candidate was picked"]]);
    const branch = `stepfall/${kept.runId}`;
    expect(scene.git("show", `${branch}:sum.mjs`)).toBe(code["long"]?.trim());
    expect(scene.git("log", "--format=%s", `main..${branch}`)).not.toContain("fix/2");

    // Both orders, asked once each: under an attempt of the group, by the judge's name.
    const asked = model.served().filter((c) => c.model === "critic");
    expect(asked).toHaveLength(2);
    const cost = asked.reduce((n, c) => n + 3 * (c.promptTokens + c.completionTokens), 0);
    expect(picked?.data.microUsd).toBe(cost);
    const judging = kept.calls.filter((c) => c.agent === "critic");
    expect(judging.map((c) => c.attempt)).toEqual([ids("fix"), ids("fix")]);
    const { values } = await scene.json("cost");
    const bill = values[0] as unknown as { rows: { attempt: string; tier: string; microUsd: number }[]; total: { calls: number } };
    expect(bill.rows.find((r) => r.attempt === ids("fix"))).toMatchObject({ tier: "premium", microUsd: cost });
    expect(bill.total.calls).toBe(model.served().length);

    const shown = await scene.run(["show"]);
    expect(shown.stdout).toContain("fix/2 (agent) skipped: another candidate was picked");
    expect(shown.stdout).toContain("fix/3 is picked: judges hold it for the best of 2");
  },
);

test("nobody is named to judge: the smallest change of those that pass, and it says so", { timeout: 180_000 }, async () => {
  await using at = await sceneWith(works, "{ agents: [long, short] }");
  const ended = await at.scene.run(["run", "p.yaml"], run);
  expect(ended.code, ended.stderr).toBe(0);
  const kept = await keptBy(at.scene);
  expect(kept.of("CandidatePicked")[0]?.data).toEqual({
    step: "fix",
    attempt: `${kept.runId}/fix/2#1`,
    because: "nobody is named to judge, and of the 2 that were accepted it changes least (1 line)",
  });
  expect(at.model.served().some((c) => c.model === "critic")).toBe(false);
});

test("the engine is killed while the judge is asked: resumed, it asks again, picks, and merges one", { timeout: 240_000 }, async () => {
  const isAsked = Promise.withResolvers<void>();
  let isKilled = false;
  await using at = await sceneWith(async (asked) => {
    if (asked.model !== "critic") return works(asked);
    isAsked.resolve();
    while (!isKilled) await new Promise((resolve) => setTimeout(resolve, 50));
    return judges(asked);
  }, "{ agents: [short, long], judges: critic }");
  const { scene } = at;
  const running = scene.start(["run", "p.yaml"], run);
  await isAsked.promise;
  running.child.kill("SIGKILL");
  await running.ended;
  isKilled = true;
  const before = await keptBy(scene);
  expect(before.of("AttemptAccepted")).toHaveLength(2);
  expect([before.of("CandidatePicked"), before.of("ResultMerged")]).toEqual([[], []]);
  const ended = await scene.run(["resume", before.runId], run);
  expect(ended.code, ended.stderr).toBe(0);
  const kept = await keptBy(scene);
  expect(
    kept
      .of("AttemptStarted")
      .map(({ data }) => data.step)
      .sort(),
  ).toEqual(["after", "fix/1", "fix/2"]);
  expect(kept.of("CandidatePicked").map(({ data }) => data.attempt)).toEqual([`${kept.runId}/fix/2#1`]);
  expect(kept.of("ResultMerged")).toHaveLength(1);
  expect(scene.git("show", `stepfall/${kept.runId}:sum.mjs`)).toBe(code["long"]?.trim());
});

test(
  "a budget that does not carry what the judge asks pauses the step; raised, it is asked, and one is picked",
  { timeout: 240_000 },
  async () => {
    await using at = await sceneWith(
      (asked) => (asked.model === "critic" ? judges(asked) : works(asked)),
      "{ agents: [short, long], judges: critic }",
      // The work costs 0.007 and reserves less than 0.01 at a time; the judge may answer with 4,000 tokens, which reserves 0.014.
      "budget: 0.017",
    );
    const { scene } = at;
    // One after the other, so that one's reservation is over before the other's is made.
    const env = { ...run.env, STEPFALL_SLOTS: "1" };
    const paused = await scene.run(["run", "p.yaml"], { env });
    const before = await keptBy(scene);
    expect(before.of("AttemptAccepted"), paused.stderr).toHaveLength(2);
    expect(before.of("CandidatePicked")).toEqual([]);
    const [exhausted] = before.of("BudgetExhausted");
    expect(exhausted?.data).toMatchObject({ scope: "step", step: "fix" });
    const [item] = before.of("InboxOpened");
    const answered = await scene.run(["answer", item?.data.item ?? "", "raise 1"], { env });
    expect(answered.code, answered.stderr).toBe(0);
    const ended = await scene.run(["resume", before.runId], { env });
    expect(ended.code, ended.stderr).toBe(0);
    const kept = await keptBy(scene);
    expect(kept.of("CandidatePicked").map(({ data }) => data.attempt)).toEqual([`${kept.runId}/fix/2#1`]);
  },
);
