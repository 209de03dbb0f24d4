import { expect, test } from "vitest";
import { ModelScript, startScriptedModel } from "../../models/index.ts";
import { Scene } from "../cli.testkit.ts";

const PIPELINE = "name: notes\nsteps:\n  notes: { prompt: Write NOTES.md, outputs: [NOTES.md], retry: 1 }\n";

interface Model {
  provider: string;
  model: string;
  tier: string | null;
  price: { inputMicroUsd: number; outputMicroUsd: number; source: string } | null;
  context?: number;
  from: string;
  ready: { ok: boolean; why?: string };
  agents: { id: string; origin: { kind: string } }[];
}

/** Stands where Ollama would. */
const localServer = () =>
  startScriptedModel({
    script: ModelScript.parse({
      models: ["coder:7b"],
      rules: [
        {
          when: { lastUser: "Write NOTES.md" },
          turns: [
            { toolCalls: [{ name: "write_file", arguments: { path: "NOTES.md", content: "By coder:7b.\n" } }] },
            { text: "NOTES.md is written." },
          ],
        },
      ],
    }),
  });

test("models shows what is known with nothing there: what each costs, and what it needs; and starts nothing", async () => {
  await using scene = new Scene();
  const { code, stdout, stderr } = await scene.run(["models"]);
  expect(code).toBe(0);
  const [head = "", ...rows] = stdout.trimEnd().split("\n");
  expect(head).toMatch(/^TIER +MODEL +IN +OUT +CONTEXT +FROM +READY +AGENTS$/);
  expect(rows.length).toBeGreaterThanOrEqual(11);
  for (const row of rows)
    expect(row).toMatch(
      /^(?:mid|premium) +(?:anthropic|openai|gemini)\/\S+ +\d+\.\d+ +\d+\.\d+ +[\d.]+[kM] +catalog +needs [A-Z]+_API_KEY$/,
    );
  expect(stderr).toContain("0 ready");
  expect(stderr).toContain("No local models of ollama");
  expect(scene.homeExists).toBe(false);
});

test("a key makes its vendor's models ready, settings add theirs, and no key is printed", async () => {
  await using scene = new Scene({
    "stepfall.yaml":
      "catalog: true\nagents: { mine: { executor: chat, model: p/big, tier: strong } }\nproviders: { p: { url: 'http://127.0.0.1:9/v1', key-env: P_KEY, prices: { big: { input: 2, output: 8 } } } }\n",
  });
  const env = { ANTHROPIC_API_KEY: "a-key-of-anthropic" };
  const { stdout } = await scene.run(["models", "--json"], { env });
  const { models, tiers } = JSON.parse(stdout) as { models: Model[]; tiers: string[] };
  expect(tiers).toEqual(["free", "mid", "premium"]);
  const by = new Map(models.map((m) => [`${m.provider}/${m.model}`, m]));
  expect(by.get("anthropic/claude-haiku-4-5")).toMatchObject({
    tier: "mid",
    context: 200_000,
    price: { source: "bundled" },
    from: "catalog",
    ready: { ok: true },
    agents: [{ id: "claude-haiku-4-5", origin: { kind: "found", by: "key", name: "ANTHROPIC_API_KEY" } }],
  });
  expect(by.get("openai/gpt-6-sol")).toMatchObject({ ready: { ok: false, why: "needs OPENAI_API_KEY" }, agents: [] });
  expect(by.get("p/big")).toMatchObject({
    tier: "premium",
    price: { inputMicroUsd: 2_000_000, outputMicroUsd: 8_000_000, source: "configured" },
    from: "settings",
    ready: { ok: false, why: "needs P_KEY" },
    agents: [{ id: "mine" }],
  });
  expect(stdout).not.toContain("a-key-of-anthropic");
});

test("a local server is enough: its model is found, does a step without any settings, and costs nothing", async () => {
  await using server = await localServer();
  await using scene = new Scene({ "pipeline.yaml": PIPELINE });
  const env = { OLLAMA_HOST: server.origin };
  const listed = JSON.parse((await scene.run(["models", "--json"], { env })).stdout) as { models: Model[] };
  expect(listed.models[0]).toMatchObject({
    provider: "ollama",
    model: "coder:7b",
    tier: "free",
    price: { inputMicroUsd: 0, source: "local" },
    from: "server",
    agents: [{ id: "ollama-coder-7b" }],
  });

  const ended = await scene.run(["run", "pipeline.yaml", "--json"], { env });
  expect(ended.code, ended.stderr).toBe(0);
  const result = JSON.parse(ended.stdout.trim().split("\n").at(-1) ?? "") as { branch: string; steps: { attempts: { agent: string }[] }[] };
  expect(result.steps[0]?.attempts).toMatchObject([{ agent: "ollama-coder-7b", tier: "free" }]);
  expect(scene.git("show", `${result.branch}:NOTES.md`)).toBe("By coder:7b.");

  scene.write({ "stepfall.yaml": "catalog: false\n" });
  scene.git("add", "--all");
  scene.git("commit", "--quiet", "--message", "no catalog");
  expect((await scene.run(["run", "pipeline.yaml"], { env })).stderr).toMatch(/STEP_NOT_ROUTABLE: no agent is registered/);
}, 60_000);

test("what is asked for and is not there is refused with what it needs", async () => {
  await using scene = new Scene({
    "stepfall.yaml":
      "catalog: true\ntiers: [local, tiny, small, large, frontier]\nagents: { mine: { executor: shell, command: cat, tier: tiny } }\n",
    "key.yaml": "steps: { a: { prompt: x, readonly: true, agent: gpt-6-sol } }\n",
    "tier.yaml": "steps: { a: { prompt: x, readonly: true, agent: { tier: larg } } }\n",
  });
  const key = await scene.run(["run", "key.yaml"]);
  expect(key.code).toBe(2);
  expect(key.stderr).toMatch(/agent gpt-6-sol, which is not registered[^]*needs OPENAI_API_KEY/);
  const tier = await scene.run(["run", "tier.yaml"]);
  expect(tier.code).toBe(2);
  expect(tier.stderr).toMatch(
    /tier\.yaml:1:57 UNKNOWN_TIER: There is no tier `larg`[^]*Did you mean `large`\? Tiers: local, tiny, small, large, frontier/,
  );
});
