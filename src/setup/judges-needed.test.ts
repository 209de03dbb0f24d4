import { describe, expect, test } from "vitest";
import { loadConfig } from "../config/index.ts";
import { parsePipeline } from "../pipeline/index.ts";
import { RequestError } from "./failure.ts";
import { buildRegistry } from "./registry.ts";
import { checkRequirements } from "./requirements.ts";
import { routingFor } from "./routing.ts";

const projectText = `catalog: false
default-agent: coder
agents:
  coder: { executor: chat, model: local/a, tier: mid }
  small: { executor: chat, model: local/b, tier: free }
  large: { executor: chat, model: local/c, tier: premium }
  priceless: { executor: chat, model: far/d, tier: premium }
providers: { local: { url: "http://127.0.0.1:9/v1", local: true }, far: { url: "http://127.0.0.1:9/v1" } }
`;

/** The agents a pipeline needs, or why it cannot be run. */
function needs(steps: string, settings = projectText): unknown {
  const parsed = parsePipeline(`steps:\n${steps}`, "p.yaml");
  const loaded = loadConfig({ env: {}, home: "/nowhere", projectDir: "/nowhere", projectText: settings });
  if (!parsed.ok || !loaded.ok) throw new TypeError(JSON.stringify([parsed, loaded]));
  try {
    const deps = { registry: buildRegistry(loaded.config, new Map()), routing: routingFor(loaded.config) };
    const { first, later } = checkRequirements(parsed.pipeline, loaded.config, deps);
    return { first, later };
  } catch (error) {
    if (error instanceof RequestError) return `${error.code} ${error.message}`;
    throw error;
  }
}
const gate = (judge: string): string => `  a: { prompt: x, agent: coder, gates: [{ judge: ${judge} }] }\n`;

describe("agents that judge are needed agents", () => {
  test("those that are named must work; those that are chosen may be left out", () => {
    expect(needs(gate("{ rubric: x, judges: small, stronger: large }"))).toEqual({ first: ["coder", "small", "large"], later: [] });
    expect(needs(gate("It is right"))).toMatchObject({ first: ["coder"], later: ["small", expect.any(String)] });
    expect(needs(gate("{ rubric: x, judges: free }"))).toMatchObject({ first: ["coder"], later: ["small", expect.any(String)] });
    expect(needs("  a: { prompt: x, gates: [y], best-of: { agents: [coder, small], judges: large } }\n")).toEqual({
      first: ["coder", "small", "large"],
      later: ["priceless"],
    });
  });

  test("a best-of step needs all its candidates, and their prices where its budget is to hold them", () => {
    expect(needs("  a: { prompt: x, gates: [y], best-of: { agents: [coder, ghost] } }\n")).toContain("STEP_NOT_ROUTABLE");
    expect(needs("  a: { prompt: x, gates: [y], budget: 1, best-of: { agents: [coder, priceless] } }\n")).toContain("STEP_WITHOUT_PRICE");
  });

  test("nobody who could judge is told before anything starts, with the step and the gate", () => {
    expect(needs(gate("{ rubric: x, judges: ghost }"))).toBe(
      "STEP_NOT_ROUTABLE step a, gate judge: there is no agent or tier ghost that could judge",
    );
    expect(needs("  a: { prompt: x, gates: [y], best-of: { n: 2, judges: ghost } }\n")).toBe(
      "STEP_NOT_ROUTABLE step a: there is no agent or tier ghost that could judge",
    );
    const alone = `catalog: false\nagents: { coder: { executor: chat, model: local/a, tier: mid } }\nproviders: { local: { url: "http://127.0.0.1:9/v1", local: true } }\n`;
    expect(needs(gate("It is right"), alone)).toContain("no agent is there to judge");
  });
});
