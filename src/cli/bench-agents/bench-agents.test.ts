import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startScriptedModel, type ScriptFunction } from "../../models/index.ts";
import { Scene } from "../cli.testkit.ts";
import { exampleAnswers } from "./example-answers.testdata.ts";

const example = fileURLToPath(new URL("../../../examples/workload/workload.yaml", import.meta.url));
const TIMEOUT = 300_000;

/** Writes what the task asks for at its first turn, the model `good` what is right; then says that all is well, whichever it is. */
const pupil: ScriptFunction = ({ model, turn, messages }) => {
  if (turn > 0) return { text: "It is done, and all checks pass." };
  const asked = messages.find((m) => m.role === "user")?.content ?? "";
  const answers = Object.values(exampleAnswers).find(({ says }) => asked.includes(says));
  const files = Object.entries((model === "good" ? answers?.right : answers?.wrong) ?? {});
  return { text: "I write it.", toolCalls: files.map(([path, content]) => ({ name: "write_file", arguments: { path, content } })) };
};

const settings = (url: string): string => `agents:
  diligent: { executor: chat, model: fake/good, tier: mid }
  careless: { executor: chat, model: fake/bad, tier: free }
setup: ["echo the project's own setup is not for these tasks; false"]
rules: [{ when: { type: fix }, use: { agent: diligent } }]
providers: { fake: { url: "${url}", prices: { good: { input: 2, output: 10 }, bad: { input: 1.3, output: 6.5 } } } }
`;

interface Line {
  agent: string;
  type?: string;
  runs: number;
  accuracy: { hits: number; of: number; low: number; high: number };
  reliability: { share: number };
  medianMs: number;
  microUsdPerRun: number;
  microUsdPerAccepted?: number;
}

test(
  "the example tells a diligent agent from a careless one, whatever both say; nothing is done twice, and routing has learnt it",
  { timeout: TIMEOUT },
  async () => {
    const model = await startScriptedModel({ script: pupil });
    await using scene = new Scene({
      "stepfall.yaml": settings(model.baseUrl),
      "p.yaml": "steps:\n  one: { prompt: Write the class Queue, type: feature, outputs: [q.js] }\n",
    });
    try {
      const priors = join(scene.folder, "priors.json");
      const { code, values } = await scene.json(
        "bench-agents",
        example,
        "--repeat",
        "1",
        "--slots",
        "3",
        "--budget",
        "5",
        "--priors",
        priors,
      );
      expect(code).toBe(0);
      const { lines, left, priors: taught } = values.at(-1) as { lines: Line[]; left: number; priors: { outcomes: number } };
      const of = (agent: string, type?: string): Line | undefined => lines.find((l) => l.agent === agent && l.type === type);
      expect(left).toBe(0);
      expect(of("diligent")).toMatchObject({ runs: 8, accuracy: { hits: 8, of: 8 }, reliability: { share: 1 } });
      expect(of("careless")).toMatchObject({ runs: 8, accuracy: { hits: 0, of: 8 }, reliability: { share: 1 } });
      expect(of("diligent")?.accuracy.low).toBeGreaterThan(of("careless")?.accuracy.high ?? 1);
      for (const type of ["fix", "feature", "concurrency", "plan", "research", "docs"])
        expect([type, of("diligent", type)?.accuracy.hits, of("careless", type)?.accuracy.hits]).toEqual([
          type,
          ["fix", "feature"].includes(type) ? 2 : 1,
          0,
        ]);
      expect(of("diligent")?.microUsdPerAccepted).toBeGreaterThan(0);
      expect(of("careless")?.microUsdPerAccepted).toBeUndefined();
      expect(taught.outcomes).toBe(16);
      const served = model.served().length;
      expect(served).toBe(32);

      const again = await scene.run(["bench-agents", example, "--repeat", "1"]);
      expect(again.code, again.stderr).toBe(0);
      expect(model.served().length).toBe(served);
      expect(again.stderr).toMatch(/16 runs, 16 of them done before/);
      expect(again.stdout).toMatch(/^diligent +mid +all +8\* +8\/8 100 % \(68 % to 100 %\)/m);
      expect(again.stdout).toMatch(/^careless +free +all +8\* +0\/8 0 % \(0 % to 32 %\).* none accepted +100 %$/m);
      expect(again.stdout).toMatch(/\* fewer than 20 runs/);

      // A gate's command may hold what is nobody else's business.
      const told = JSON.parse(readFileSync(priors, "utf8")) as { outcomes: { gates: { name: string; kind: string }[] }[] };
      expect(told.outcomes.flatMap(({ gates }) => gates).every(({ name, kind }) => name === kind)).toBe(true);

      // In a project that never saw these tasks, and in a home that never ran them.
      expect((await scene.json("route", "p.yaml")).values).toMatchObject([{ steps: [{ agents: ["diligent"] }] }]);
      const elsewhere = { env: { STEPFALL_HOME: join(scene.folder, "elsewhere") } };
      expect((await scene.run(["route", "p.yaml"], elsewhere)).stdout).toContain("careless");
      expect((await scene.run(["bench-agents", "--learn-from", priors], elsewhere)).stdout).toMatch(
        /16 outcomes of 2 agents from the workload starter/,
      );
      expect((await scene.run(["route", "p.yaml"], elsewhere)).stdout).toContain("diligent");
      expect(scene.git("branch", "--list", "stepfall/*")).toBe("");
    } finally {
      await model.close();
    }
  },
);

const small = (tasks: readonly string[]): string =>
  `name: small\ntasks:\n${tasks.map((id) => `  ${id}: { type: fix, complexity: 2, prompt: "Write ${id}.txt", gates: ["grep -q yes ${id}.txt"] }\n`).join("")}`;

/** Each takes a moment, so that a kill comes in between. */
const writer: ScriptFunction = ({ turn, messages }) => {
  if (turn > 0) return { text: "Done.", firstDelayMs: 500 };
  const path = /Write (\w+\.txt)/.exec(messages.find((m) => m.role === "user")?.content ?? "")?.[1];
  return { text: "I write.", toolCalls: [{ name: "write_file", arguments: { path, content: "yes\n" } }], firstDelayMs: 500 };
};

test(
  "a budget ends it in order; killed in the middle it goes on where it was: what is done stays, what was under way is taken up",
  { timeout: TIMEOUT },
  async () => {
    const model = await startScriptedModel({ script: writer });
    await using scene = new Scene({
      "stepfall.yaml": `agents: { one: { executor: chat, model: fake/m, tier: mid } }\nproviders: { fake: { url: "${model.baseUrl}", prices: { m: { input: 1000, output: 1000 } } } }\n`,
      "w.yaml": small(["a", "b", "c"]),
    });
    const results = join(scene.home, "workloads", "small", "results.ndjson");
    const tasks = (kind: string): string[] =>
      readFileSync(results, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { kind: string; task: string })
        .flatMap((line) => (line.kind === kind ? [line.task] : []));
    try {
      // Nothing can be done for a millionth of a dollar.
      const poor = await scene.run(["bench-agents", "w.yaml", "--slots", "1", "--budget", "0.000001"]);
      expect(poor.code, poor.stderr).toBe(4);
      expect(poor.stderr).toMatch(/The budget is spent/);
      expect(poor.stderr).toMatch(/3 runs left: the same command goes on with them/);
      expect([tasks("started"), tasks("ended"), model.served().length]).toEqual([["a"], [], 0]);

      const killed = scene.start(["bench-agents", "w.yaml", "--slots", "1"]);
      await killed.said(/^1\/3 a #1 by one: accepted/m);
      await expect.poll(() => model.served().length, { timeout: 60_000 }).toBeGreaterThan(2);
      killed.child.kill("SIGKILL");
      await killed.ended;
      expect([tasks("started"), tasks("ended")]).toEqual([["a", "a", "b"], ["a"]]);

      const { code, values } = await scene.json("bench-agents", "w.yaml", "--slots", "1", "--budget", "50");
      expect(code).toBe(0);
      expect(values.at(-1)).toMatchObject({ left: 0, lines: [{ type: "fix", accuracy: { hits: 3, of: 3 } }, { runs: 3 }] });
      expect([tasks("started"), tasks("ended")]).toEqual([
        ["a", "a", "b", "c"],
        ["a", "b", "c"],
      ]);
    } finally {
      await model.close();
    }
  },
);

test("what cannot be measured is refused by name before anything is made", { timeout: TIMEOUT }, async () => {
  await using scene = new Scene({ "w.yaml": small(["a"]), "bad.yaml": small(["a"]).replace("fix", "code") });
  const bad = await scene.run(["bench-agents", "bad.yaml"]);
  expect(`${bad.code} ${bad.stderr}`).toMatch(/^2 bad\.yaml:3:\d+ BAD_VALUE: tasks\.a\.type: expected one of/);
  const nobody = await scene.run(["bench-agents", "w.yaml", "--agents", "nobody"]);
  expect(`${nobody.code} ${nobody.stderr}`).toMatch(/^2 USAGE: there is no agent nobody/);
  expect(existsSync(scene.home)).toBe(false);
});
