import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { startScriptedModel } from "../../src/models/index.ts";

const key = "sk-upstream-ledger-7Hq3Zt9";
/** USD per million tokens: a token costs 1 or 10 micro-dollars. */
const prices = "{ small: { input: 1, output: 1 }, large: { input: 10, output: 10 } }";

interface Sums {
  rows: { name: string; microUsd: number; calls: number; attempts: number; accepted: number }[];
  total: { microUsd: number; calls: number; attempts: number; accepted: number };
}

test(
  "from an estimate over the run to the views of the ledger: the sums are what the endpoint counted, and feedback tells on the gate",
  { timeout: 240_000 },
  async () => {
    const content = (model: string): string => `export const sum = (a, b) => a ${model === "small" ? "-" : "+"} b;\n`;
    const script = ({ model: name, turn }: { model: string; turn: number }) =>
      turn === 0
        ? { text: "I write.", toolCalls: [{ name: "write_file", arguments: { path: "sum.mjs", content: content(name) } }] }
        : { text: "It is done." };
    const model = await startScriptedModel({ script, apiKey: key });
    await using scene = new Scene({
      "stepfall.yaml": `agents:
  small: { executor: chat, model: fake/small, tier: free }
  large: { executor: chat, model: fake/large, tier: premium }
providers: { fake: { url: "${model.baseUrl}", key-env: UPSTREAM_KEY, prices: ${prices} } }
`,
      "p.yaml": `steps: { fix: { prompt: Write sum.mjs, outputs: [sum.mjs], gates: [{ name: adds, command: "grep -q + sum.mjs" }], escalate: { entry: free } } }\n`,
    });
    const run = { env: { UPSTREAM_KEY: key } };
    try {
      const before = await scene.run(["run", "p.yaml", "--estimate"], run);
      expect(before.code, before.stderr).toBe(0);
      expect(before.stdout).toMatch(/^fix +free +small, then large +\w+ +\d+ +\d\.\d +\$\d\S+ +price list only$/m);
      expect(model.served()).toEqual([]);
      expect(existsSync(join(scene.home, "stepfall.db"))).toBe(false);

      const ended = await scene.run(["run", "p.yaml"], run);
      expect(ended.code, ended.stderr).toBe(0);
      const served = model.served();
      const cost = (name: string, each: number): number =>
        served.filter((c) => c.model === name).reduce((n, c) => n + each * (c.promptTokens + c.completionTokens), 0);
      const [small, large] = [cost("small", 1), cost("large", 10)];

      const sums = (await scene.json("cost", "--by", "tier")).values[0] as unknown as Sums;
      expect(sums.rows.map((r) => [r.name, r.microUsd, r.attempts, r.accepted])).toEqual([
        ["premium", large, 1, 1],
        ["free", small, 1, 0],
      ]);
      expect(sums.total).toMatchObject({ microUsd: small + large, calls: served.length, attempts: 2, accepted: 1 });

      expect((await scene.run(["feedback", "fix", "wrong"])).code).toBe(0);
      const gates = await scene.run(["gates"]);
      expect(gates.stdout, gates.stderr).toMatch(
        /^adds +command +1 +1 +0 +1 \(\+1 taken for wrong\) +1 of 2: too little known +0 of 0: too little known/m,
      );
      const advice = await scene.run(["cost", "--advise"]);
      expect(advice.code, advice.stderr).toBe(0);
      expect(advice.stdout).toMatch(/^Too little data: 2 judged attempts at 1 step; at least 18 more attempts needed\.$/m);
      const after = await scene.run(["run", "p.yaml", "--estimate"], run);
      expect(after.stdout, after.stderr).toMatch(/learnt from 1 attempt, 1 of type \w+$/m);
    } finally {
      await model.close();
    }
  },
);
