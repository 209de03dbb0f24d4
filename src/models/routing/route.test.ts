import fc from "fast-check";
import { expect, test } from "vitest";
import type { AgentStep } from "../../domain/index.ts";
import { agentStepOf } from "../../domain/simulate.testkit.ts";
import { routeStep, type Assignment, type RoutableAgent, type RoutingContext } from "./index.ts";

const step = (agent: Partial<AgentStep["agent"]> = {}): AgentStep => ({ ...agentStepOf("a"), agent: { capability: [], ...agent } });
const agents: RoutableAgent[] = [
  { id: "shell", tier: "free", capabilities: [], takesPrompts: false },
  { id: "cheap", tier: "free", capabilities: ["edit"], takesPrompts: true },
  { id: "dear", tier: "premium", capabilities: ["edit", "web_search"], takesPrompts: true },
];
const tiers = ["free", "mid", "premium"];
const routed = (
  s: AgentStep,
  among: readonly RoutableAgent[],
  defaultAgent?: string,
  assigned?: Assignment,
  more: Partial<RoutingContext> = {},
) => routeStep(s, among, { tiers, ...(defaultAgent === undefined ? {} : { defaultAgent }), ...more }, assigned);
const ids = (r: ReturnType<typeof routeStep>): string[] | string => (r.ok ? r.route.candidates : r.problem);

test("a router never names an agent that is not registered", () => {
  expect(ids(routed(step({ id: "ghost" }), agents, "cheap"))).toBe("step a asks for agent ghost, which is not registered");
  expect(ids(routed(step(), agents, "ghost"))).toEqual(["cheap"]);
  expect(ids(routed(step(), [], undefined))).toBe("no agent is registered");
});

test("a step's wish comes before the default agent", () => {
  expect(ids(routed(step(), agents, "dear"))).toEqual(["dear"]);
  expect(ids(routed(step({ tier: "free" }), agents, "dear"))).toEqual(["cheap"]);
  expect(ids(routed(step({ capability: ["web_search"] }), agents, "cheap"))).toEqual(["dear"]);
  expect(ids(routed(step({ tier: "free", capability: ["web_search"] }), agents, "cheap"))).toContain("no registered agent has");
});

test("what a person assigned comes before what the step asks for", () => {
  expect(ids(routed(step({ id: "cheap" }), agents, "cheap", { agent: "dear", not: [] }))).toEqual(["dear"]);
  expect(ids(routed(step({ id: "cheap" }), agents, "cheap", { not: ["cheap"] }))).toEqual(["dear"]);
  expect(ids(routed(step({ tier: "free" }), agents, "cheap", { not: ["cheap"] }))).toBe(
    "step a asks for tier free, which no registered agent has",
  );
  expect(ids(routed(step(), agents, "cheap", { not: ["cheap", "dear"] }))).toBe("step a was taken from every agent that is registered");
  expect(ids(routed(step(), agents, "cheap", { agent: "ghost", not: [] }))).toBe("step a asks for agent ghost, which is not registered");
});

test("after an attempt that was stuck the next tier up does it, where there is one", () => {
  const after = (above: string, s = step()) => ids(routed(s, all, "cheap", { not: [], above }));
  expect(after("free")).toEqual(["middle"]);
  expect(after("mid")).toEqual(["dear"]);
  expect(after("free", step({ capability: ["web_search"] }))).toEqual(["dear"]);
  expect(after("premium")).toEqual(["cheap"]);
  expect(after("free", step({ id: "cheap" }))).toEqual(["middle"]);
  expect(ids(routed(step(), all, "cheap", { agent: "cheap", not: [], above: "free" }))).toEqual(["cheap"]);
});

const middle: RoutableAgent = { id: "middle", tier: "mid", capabilities: ["edit"], takesPrompts: true };
const all = [...agents, middle];
const at = (tier: string, tries: number, more: Partial<Assignment> = {}): Assignment => ({ not: [], reached: { tier, tries }, ...more });

test("a refused result takes the step one tier up, and the top stays the top", () => {
  const after = (tier: string, tries = 1, s = step()) => ids(routed(s, all, "cheap", at(tier, tries)));
  expect(after("free")).toEqual(["middle"]);
  expect(after("mid")).toEqual(["dear"]);
  expect(after("premium")).toEqual(["dear"]);
  expect(after("premium", 7)).toEqual(["dear"]);
  const up = routed(step(), all, "cheap", at("free", 1));
  expect(up).toMatchObject({ ok: true, route: { escalatedFrom: "free", reasons: ["a result of tier free was refused"], later: ["dear"] } });
});

test("a step says where it begins, where it ends, how often it tries, and that it does not climb", () => {
  const escalate = { entry: "mid", ceiling: "mid", attempts: { mid: 2 } };
  const s: AgentStep = { ...step(), escalate };
  expect(ids(routed(s, all, "cheap"))).toEqual(["middle"]);
  expect(ids(routed(s, all, "cheap", at("mid", 1)))).toEqual(["middle"]);
  expect(ids(routed(s, all, "cheap", at("mid", 5)))).toEqual(["middle"]);
  expect(ids(routed({ ...step(), escalate: false }, all, "cheap", at("free", 3)))).toEqual(["cheap"]);
  expect(ids(routed(step(), all, "cheap", at("free", 1), { policy: { escalate: false } }))).toEqual(["cheap"]);
  expect(ids(routed(step(), all, "cheap", at("free", 1), { policy: { escalate: true, attempts: 2 } }))).toEqual(["cheap"]);
  expect(ids(routed(step({ tier: "mid" }), all, "cheap", at("mid", 1)))).toEqual(["dear"]);
});

test("an agent that a step names has all its attempts, unless the step says that it may climb", () => {
  expect(ids(routed(step({ id: "cheap" }), all, undefined, at("free", 2)))).toEqual(["cheap"]);
  expect(ids(routed({ ...step({ id: "cheap" }), escalate: {} }, all, undefined, at("free", 1)))).toEqual(["middle"]);
});

test("the project's rules come before the step's own word, and the first that holds counts", () => {
  const rules = [
    { when: { type: ["research"] }, use: { capability: ["web_search"] } },
    { when: { labels: ["secret"], paths: ["src/keys/**"] }, use: { agent: "cheap" } },
    { when: { paths: ["docs/**"] }, use: { tier: "free" } },
  ];
  const by = (change: Partial<AgentStep>) => routed({ ...step(), ...change }, all, "middle", undefined, { rules });
  expect(ids(by({}))).toEqual(["middle"]);
  expect(ids(by({ type: "research" }))).toEqual(["dear"]);
  expect(by({ type: "research" })).toMatchObject({ route: { reasons: ["rule 1 of the project (type research)"] } });
  expect(ids(by({ labels: ["secret"], touches: ["src/keys/**"] }))).toEqual(["cheap"]);
  expect(ids(by({ labels: ["secret"], touches: ["src/other.ts"] }))).toEqual(["middle"]);
  expect(ids(by({ outputs: { files: ["docs/guide.md"] }, agent: { tier: "premium", capability: [] } }))).toEqual(["cheap"]);
  const ghost = routed(step(), all, undefined, undefined, { rules: [{ when: { step: ["*"] }, use: { tier: "huge" } }] });
  expect(ids(ghost)).toBe("rule 1 of the project (step a) asks for step a for tier huge, which no registered agent has");
});

test("a cheaper tier that a person chose is kept to, and the cheapest is never taken away", () => {
  const below = (tier: string, s = step()) => ids(routed(s, all, "dear", { not: [], below: tier }));
  expect(below("premium")).toEqual(["middle"]);
  expect(below("mid")).toEqual(["cheap"]);
  expect(below("free")).toEqual(["cheap"]);
  expect(below("premium", step({ id: "dear" }))).toEqual(["middle"]);
  expect(ids(routed(step(), all, "dear", at("free", 1, { below: "premium" })))).toEqual(["middle"]);
});

test("whatever has been seen and said, candidates are registered agents of one tier that can do it, and attempts never go down by themselves", () => {
  const tier = fc.constantFrom(...tiers);
  const tries = fc.integer({ min: 1, max: 4 });
  const maybe = <T>(a: fc.Arbitrary<T>) => fc.option(a, { nil: undefined });
  fc.assert(
    fc.property(
      fc.subarray(all, { minLength: 2 }),
      maybe(fc.record({ tier, tries })),
      maybe(tier),
      maybe(fc.record({ entry: maybe(tier), ceiling: maybe(tier), attempts: maybe(tries) })),
      (among, reached, defaultTier, policy) => {
        const assigned: Assignment = { not: [], ...(reached ? { reached } : {}) };
        const defaultAgent = all.find((a) => a.takesPrompts && a.tier === defaultTier)?.id;
        const r = routed(step(), among, defaultAgent, assigned, policy ? { policy: { escalate: true, ...policy } } : {});
        if (!r.ok) return expect(among.some((a) => a.takesPrompts)).toBe(false);
        const chosen = r.route.candidates.map((id) => among.find((a) => a.id === id));
        expect(chosen.length).toBeGreaterThan(0);
        for (const agent of chosen) expect(agent).toMatchObject({ tier: r.route.tier, takesPrompts: true });
        const reachable = among.filter((a) => a.takesPrompts && tiers.indexOf(a.tier) >= tiers.indexOf(reached?.tier ?? "free"));
        if (reached && !policy?.ceiling && reachable.length > 0)
          expect(tiers.indexOf(r.route.tier)).toBeGreaterThanOrEqual(tiers.indexOf(reached.tier));
      },
    ),
  );
});
