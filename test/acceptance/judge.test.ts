import { expect, test } from "vitest";
import type { ScriptFunction } from "../../src/models/index.ts";
import { keptBy } from "./run-journal.testkit.ts";
import { scriptedScene, type ScriptedScene } from "./scripted-scene.testkit.ts";

const key = "sk-upstream-judge-8Qw2Zx1";
/** USD per million tokens: a token costs so many micro-dollars, in and out. */
const prices = "{ maker: { input: 1, output: 1 }, critic: { input: 2, output: 2 }, wise: { input: 10, output: 10 } }";

const sceneWith = (script: ScriptFunction, gates: string, settings = ""): Promise<ScriptedScene> =>
  scriptedScene(script, key, (url) => ({
    "stepfall.yaml": `agents:
  maker: { executor: chat, model: fake/maker, tier: mid }
  critic: { executor: chat, model: fake/critic, tier: free }
  wise: { executor: chat, model: fake/wise, tier: premium }
providers: { fake: { url: "${url}", key-env: UPSTREAM_KEY, prices: ${prices} } }
${settings}`,
    "p.yaml": `steps:
  greet:
    prompt: Write greeting.md
    agent: maker
    outputs: [greeting.md]
    gates:
${gates}
`,
  }));
const run = { env: { UPSTREAM_KEY: key } };

type Asked = Parameters<ScriptFunction>[0];
const textOf = ({ messages }: Asked): string => messages.map(({ content }) => content).join("\n");
const writes = (text: string, turn: number) =>
  turn === 0 ? { toolCalls: [{ name: "write_file", arguments: { path: "greeting.md", content: text } }] } : { text: "It is done." };
/** What the maker writes: without a name at first, with one when it was told. */
const maker = (asked: Asked) => writes(textOf(asked).includes("was refused") ? "Hello Ada\n" : "Hello\n", asked.turn);
const scores = (all: Record<string, number>, reason: string) => ({
  text: JSON.stringify({ scores: Object.entries(all).map(([criterion, score]) => ({ criterion, reason, score })) }),
});

test(
  "a judge that refuses hands its finding to the next attempt, which passes; both judgings are on the bill under the judge's name",
  { timeout: 180_000 },
  async () => {
    const told: string[] = [];
    await using at = await sceneWith(
      (asked) => {
        if (asked.model === "critic")
          return textOf(asked).includes("+Hello Ada")
            ? scores({ polite: 9, "2": 9 }, "names Ada")
            : scores({ polite: 2, "2": 9 }, "greets nobody by name");
        if (textOf(asked).includes("was refused")) told.push(textOf(asked));
        return maker(asked);
      },
      `      - grep -q Hello greeting.md
      - { judge: { rubric: [{ id: polite, text: It greets somebody by name }, It is short], judges: critic }, name: taste }`,
    );
    const { scene, model } = at;
    const ended = await scene.run(["run", "p.yaml"], run);
    expect(ended.code, ended.stderr).toBe(0);
    const kept = await keptBy(scene);
    const [rejected] = kept.of("AttemptRejected");
    expect(rejected?.data.gates.map((g) => [g.name, g.verdict])).toEqual([
      ["grep -q Hello greeting.md", "passed"],
      ["taste", "refused"],
    ]);
    expect(rejected?.data.findings).toEqual([
      {
        gate: "taste",
        message: "polite: 2 of 10, 7 needed (It greets somebody by name)",
        evidence: expect.stringContaining("critic: greets nobody by name"),
      },
    ]);
    expect(told[0]).toContain("greets nobody by name");
    const [accepted] = kept.of("AttemptAccepted");
    expect(accepted?.data.gates[1]).toMatchObject({ name: "taste", kind: "judge", verdict: "passed" });
    expect(scene.git("show", `stepfall/${kept.runId}:greeting.md`)).toBe("Hello Ada");

    // Two questions each, one in either order of the criteria; nobody needed the stronger one.
    const asked = model.served().filter((c) => c.model === "critic");
    expect(asked).toHaveLength(4);
    expect(model.served().some((c) => c.model === "wise")).toBe(false);
    const cost = (calls: typeof asked): number => calls.reduce((n, c) => n + 2 * (c.promptTokens + c.completionTokens), 0);
    expect(accepted?.data.gates[1]?.microUsd).toBe(cost(asked.slice(2)));
    const judging = kept.calls.filter((c) => c.agent === "critic");
    expect(judging.map((c) => [c.attempt.split("/")[1], c.tier])).toEqual([
      ["greet#1", "free"],
      ["greet#1", "free"],
      ["greet#2", "free"],
      ["greet#2", "free"],
    ]);
    expect(judging.reduce((n, c) => n + c.microUsd, 0)).toBe(cost(asked));
    const { values } = await scene.json("cost");
    const bill = values[0] as unknown as { total: { microUsd: number; calls: number } };
    expect(bill.total).toMatchObject({ calls: model.served().length, microUsd: kept.calls.reduce((n, c) => n + c.microUsd, 0) });
  },
);

test(
  "a judge that says another thing when the criteria are turned round is not believed: the stronger one is asked, and its word counts",
  { timeout: 180_000 },
  async () => {
    await using at = await sceneWith((asked) => {
      const text = textOf(asked);
      if (asked.model === "critic")
        return text.indexOf('"polite"') < text.indexOf('"brief"')
          ? scores({ polite: 9, brief: 9 }, "good")
          : scores({ polite: 1, brief: 1 }, "bad");
      if (asked.model === "wise") return scores({ polite: 8, brief: 9 }, "good enough");
      return maker(asked);
    }, `      - judge: { rubric: [{ id: polite, text: It greets }, { id: brief, text: It is short }] }`);
    const ended = await at.scene.run(["run", "p.yaml"], run);
    expect(ended.code, ended.stderr).toBe(0);
    const kept = await keptBy(at.scene);
    const [gate] = kept.of("AttemptAccepted")[0]?.data.gates ?? [];
    expect(gate).toMatchObject({
      verdict: "passed",
      evidence: expect.stringContaining("wise (stronger): polite 8 and 8, accept: good enough"),
    });
    expect(gate?.evidence).toContain("critic: polite 9 and 1, undecided");
    // Nobody was named: the cheapest that did not do the work, then the dearest.
    expect(["critic", "wise"].map((id) => kept.calls.filter((c) => c.agent === id).length)).toEqual([2, 2]);
    expect(kept.calls.filter((c) => c.agent === "wise").map((c) => c.tier)).toEqual(["premium", "premium"]);
  },
);

test(
  "judges that cannot be heard accept nothing: what they answer is no score, or a budget does not carry them",
  { timeout: 240_000 },
  async () => {
    await using at = await sceneWith(
      (asked) => (asked.model === "maker" ? maker(asked) : { text: "I like it." }),
      `      - judge: { rubric: It greets, judges: critic, stronger: wise }
    retry: 1`,
    );
    const ended = await at.scene.run(["run", "p.yaml"], run);
    expect(ended.code).toBe(1);
    const kept = await keptBy(at.scene);
    expect(kept.of("AttemptRejected")[0]?.data.gates).toMatchObject([{ name: "judge", verdict: "errored" }]);
    expect(kept.of("AttemptRejected")[0]?.data.findings[0]?.message).toContain("critic: its answer could not be used, twice");

    // Enough for the maker, nothing for a judge whose largest answer costs more than all of it.
    at.scene.write({
      "q.yaml":
        "steps:\n  greet:\n    prompt: Write greeting.md\n    agent: maker\n    outputs: [greeting.md]\n    budget: 0.03\n    gates: [{ judge: { rubric: It greets, judges: wise } }]\n",
    });
    const paused = await at.scene.run(["run", "q.yaml"], run);
    expect(paused.code, paused.stderr).not.toBe(0);
    const second = await keptBy(at.scene);
    expect(second.of("AttemptAccepted")).toEqual([]);
    expect(second.of("AttemptFailed")[0]?.data).toMatchObject({
      kind: "budget",
      message: expect.stringContaining("cannot carry what its judges ask"),
    });
    expect(second.of("BudgetExhausted")).toHaveLength(1);
  },
);

test("a judge that is not there is told before anything starts, as is a step that nobody could judge", { timeout: 120_000 }, async () => {
  await using at = await sceneWith((asked) => maker(asked), `      - judge: { rubric: It greets, judges: nobody }`);
  const ended = await at.scene.run(["run", "p.yaml"], run);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain("step greet, gate judge: there is no agent or tier nobody that could judge");
});

test("judges that do not answer in time accept nothing, and the step is not held up by them", { timeout: 120_000 }, async () => {
  const isOver = Promise.withResolvers<void>();
  await using at = await sceneWith(
    async (asked) => {
      if (asked.model === "critic") await isOver.promise;
      return maker(asked);
    },
    `      - { judge: { rubric: It greets, judges: critic }, timeout: 1s }
    retry: 1`,
  );
  const ended = await at.scene.run(["run", "p.yaml"], run);
  isOver.resolve();
  expect(ended.code).toBe(1);
  const kept = await keptBy(at.scene);
  expect(kept.of("AttemptRejected")[0]?.data).toMatchObject({
    gates: [{ name: "judge", verdict: "errored" }],
    findings: [{ message: "the judges did not answer within 1 s" }],
  });
  // What was under way is on the bill, as far as it can be known.
  expect(kept.calls.some((c) => c.agent === "critic")).toBe(true);
});
