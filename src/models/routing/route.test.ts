import { expect, test } from "vitest";
import type { AgentStep } from "../../domain/index.ts";
import { routeStep, type RoutableAgent } from "./index.ts";

const step = (agent: Partial<AgentStep["agent"]> = {}): AgentStep => ({
  kind: "agent",
  prompt: "do",
  agent: { capability: [], ...agent },
  path: "a",
  needs: [],
  readonly: false,
  outputs: { files: [] },
  gates: [],
  setup: [],
  retry: { attempts: 1, backoffMs: 0 },
  timeoutMs: 1,
  env: {},
  touches: [],
  priority: 0,
});
const agents: RoutableAgent[] = [
  { id: "shell", tier: "free", capabilities: [], takesPrompts: false },
  { id: "cheap", tier: "free", capabilities: ["edit"], takesPrompts: true },
  { id: "dear", tier: "premium", capabilities: ["edit", "web_search"], takesPrompts: true },
];
const ids = (r: ReturnType<typeof routeStep>): string[] | string => (r.ok ? r.route.candidates : r.problem);

test("a router never names an agent that is not registered", () => {
  expect(ids(routeStep(step({ id: "ghost" }), agents, "cheap"))).toBe("step a asks for agent ghost, which is not registered");
  expect(ids(routeStep(step(), agents, "ghost"))).toEqual(["cheap"]);
  expect(ids(routeStep(step(), [], undefined))).toBe("no agent is registered");
});

test("a step's wish comes before the default agent", () => {
  expect(ids(routeStep(step(), agents, "dear"))).toEqual(["dear"]);
  expect(ids(routeStep(step({ tier: "free" }), agents, "dear"))).toEqual(["cheap"]);
  expect(ids(routeStep(step({ capability: ["web_search"] }), agents, "cheap"))).toEqual(["dear"]);
  expect(ids(routeStep(step({ tier: "free", capability: ["web_search"] }), agents, "cheap"))).toContain("no registered agent has");
});

test("what a person assigned comes before what the step asks for", () => {
  expect(ids(routeStep(step({ id: "cheap" }), agents, "cheap", { agent: "dear", not: [] }))).toEqual(["dear"]);
  expect(ids(routeStep(step({ id: "cheap" }), agents, "cheap", { not: ["cheap"] }))).toEqual(["dear"]);
  expect(ids(routeStep(step({ tier: "free" }), agents, "cheap", { not: ["cheap"] }))).toBe(
    "step a asks for tier free, which no registered agent has",
  );
  expect(ids(routeStep(step(), agents, "cheap", { not: ["cheap", "dear"] }))).toBe("step a was taken from every agent that is registered");
  expect(ids(routeStep(step(), agents, "cheap", { agent: "ghost", not: [] }))).toBe("step a asks for agent ghost, which is not registered");
});

test("after an attempt that was stuck the next tier up does it, where there is one", () => {
  const middle: RoutableAgent = { id: "middle", tier: "mid", capabilities: ["edit"], takesPrompts: true };
  const all = [...agents, middle];
  const after = (above: string, s = step()) => ids(routeStep(s, all, "cheap", { not: [], above }));
  expect(after("free")).toEqual(["middle"]);
  expect(after("mid")).toEqual(["dear"]);
  expect(after("free", step({ capability: ["web_search"] }))).toEqual(["dear"]);
  expect(after("premium")).toEqual(["cheap"]);
  expect(after("free", step({ id: "cheap" }))).toEqual(["middle"]);
  expect(ids(routeStep(step(), all, "cheap", { agent: "cheap", not: [], above: "free" }))).toEqual(["cheap"]);
});
