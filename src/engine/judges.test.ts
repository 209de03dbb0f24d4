import { describe, expect, test } from "vitest";
import type { Executor } from "../agents/index.ts";
import { Registry, type RegisteredAgent } from "../fleet/index.ts";
import type { AgentExecution } from "./contract.ts";
import { chooseJudges, type JudgeWish } from "./judges.ts";

const tiers = ["free", "mid", "premium"];
type How = { tier: string; price?: number; mode?: "direct" | "pass-through"; model?: false };

function agent(id: string, { tier, price, mode, model }: How): RegisteredAgent<AgentExecution> {
  const cost = price === undefined ? {} : { price: { input: price, cachedInput: price, output: price, source: "configured" as const } };
  const upstreams = [{ provider: "p", baseUrl: "http://127.0.0.1:9/v1", model: id, ...cost }] as const;
  return {
    id,
    tier,
    capabilities: [],
    takesPrompts: true,
    executorKind: "chat",
    account: "p",
    // Judges are asked without it.
    executor: {
      executor: {} as Executor,
      maxOutputTokens: 1000,
      ...(mode ? { credentials: mode } : {}),
      ...(model === false ? {} : { upstreams }),
    },
  };
}
const registryOf = (agents: Readonly<Record<string, How>>): Registry<AgentExecution> => {
  const registry = new Registry<AgentExecution>();
  for (const [id, how] of Object.entries(agents)) registry.register(agent(id, how));
  return registry;
};
const several = {
  large: { tier: "premium", price: 30 },
  cheap: { tier: "mid", price: 1 },
  dear: { tier: "mid", price: 9 },
  unpriced: { tier: "mid" },
  local: { tier: "free", price: 0 },
  login: { tier: "free", mode: "direct" },
  shell: { tier: "free", model: false },
} satisfies Readonly<Record<string, How>>;
const chosen = (wish: JudgeWish, own: string[] = ["local"], agents: Readonly<Record<string, How>> = several): unknown => {
  const found = chooseJudges(registryOf(agents), tiers, wish, new Set(own));
  return found.ok ? [found.judges.map(({ id }) => id), found.stronger?.id] : found.problem;
};

describe("who judges", () => {
  test("nobody is named: the cheapest that did not do the work, and the dearest other as the stronger one", () => {
    expect(chosen({ judges: [] })).toEqual([["cheap"], "large"]);
    expect(chosen({ judges: [] }, ["cheap"])).toEqual([["local"], "large"]);
    expect(chosen({ judges: [] }, ["large"])).toEqual([["local"], "unpriced"]);
  });

  test("ids are taken as they stand, also of whoever did the work; of a tier all others, three at most, the cheapest first", () => {
    expect(chosen({ judges: ["dear", "local"], stronger: "cheap" })).toEqual([["dear", "local"], "cheap"]);
    expect(chosen({ judges: ["mid"] }, ["cheap"])).toEqual([["dear", "unpriced"], "large"]);
    expect(chosen({ judges: ["mid", "cheap"], stronger: "strong" })).toEqual([["cheap", "dear", "unpriced"], "large"]);
    expect(chosen({ judges: ["weak"] }, ["cheap"])).toEqual([["local"], "large"]);
  });

  test("the judges are the dearest there is: no stronger one", () => {
    expect(chosen({ judges: ["large"] })).toEqual([["large"], undefined]);
    expect(chosen({ judges: [] }, ["a"], { a: { tier: "mid" }, b: { tier: "mid" } })).toEqual([["b"], undefined]);
  });

  test("who cannot judge is told by name and reason", () => {
    expect(chosen({ judges: ["login"] })).toContain("login cannot judge: it has no model that Stepfall can ask");
    expect(chosen({ judges: ["shell"] })).toContain("shell cannot judge");
    expect(chosen({ judges: ["ghost"] })).toBe("there is no agent or tier ghost that could judge");
    expect(chosen({ judges: ["premium"] }, ["large"])).toBe("there is no agent or tier premium that could judge");
    expect(chosen({ judges: ["dear"], stronger: "dear" })).toBe("dear is among the judges already");
    expect(chosen({ judges: [] }, ["a"], { a: { tier: "mid" }, shell: { tier: "free", model: false } })).toContain(
      "no agent is there to judge",
    );
  });

  test("one that is left out, since it was found not to work, is not asked", () => {
    const registry = registryOf(several);
    registry.setAside("cheap", "it does not start");
    const found = chooseJudges(registry, tiers, { judges: [] }, new Set(["local"]));
    expect(found.ok && found.judges.map(({ id }) => id)).toEqual(["dear"]);
  });
});
