import { z } from "zod";
import { gist } from "../bounded.ts";
import { defineTool, looks } from "../tool.ts";
import { findStep } from "./look.ts";
import { knownProject, projectArgument } from "./project.ts";
import { runArgument } from "./run-words.ts";

export const cancel = defineTool({
  name: "cancel",
  title: "Cancel a run",
  description: "Ends a run for good: its agents are stopped, nothing new starts. What was merged into its branch stays.",
  input: z.strictObject({ run: runArgument, reason: z.string().max(1000).optional().describe("Why, for the record") }),
  output: z.object({ runId: z.string(), status: z.string(), by: z.string(), next: z.string() }),
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  needs: "steer",
  act: async ({ run, reason }, { control, caller }) => {
    const { runId } = await control.run(run);
    const { outcome } = await control.cancel(caller.agent, runId, reason);
    const status = outcome ?? "running";
    const next =
      outcome === "cancelled"
        ? "It is over."
        : outcome
          ? `It was over already: it ${outcome}.`
          : "It was asked to end and has not yet: get_run tells.";
    return { data: { runId, status, by: caller.agent, next } };
  },
});

export const submitFeedback = defineTool({
  name: "submit_feedback",
  title: "Say what a result was worth",
  description:
    "Puts on record that a step's result turned out right or wrong, whatever its gates said. It changes nothing of the run: gates are measured by it, and routing learns from it which agents and tiers to begin with.",
  input: z.strictObject({
    run: runArgument,
    step: z.string().min(1).max(500),
    verdict: z.enum(["right", "wrong"]),
    attempt: z.int().min(1).optional().describe("Number of the attempt; without it the last that was judged"),
    because: z.string().max(4000).optional().describe("What shows it"),
  }),
  output: z.object({
    runId: z.string(),
    attempt: z.string(),
    verdict: z.string(),
    by: z.string(),
    gates: z.enum(["accepted", "refused"]),
    gatesWereWrong: z.boolean(),
    known: z
      .object({ wrong: z.number(), wrongAccepted: z.number(), right: z.number(), rightRefused: z.number() })
      .describe("Judged results of this project whose worth is known by now, and how many of them its gates judged wrongly"),
    next: z.string(),
  }),
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  needs: "steer",
  act: async ({ run, step, verdict, attempt, because }, { control, caller }) => {
    const report = await control.run(run);
    const about = {
      step: findStep(report, step).id,
      verdict,
      ...(attempt === undefined ? {} : { attempt }),
      ...(because === undefined ? {} : { because }),
    };
    const done = await control.feedback(caller.agent, report.runId, about);
    const { counts } = (await control.gates({ project: report.project })).together;
    return {
      data: {
        runId: report.runId,
        attempt: done.attempt,
        verdict,
        by: caller.agent,
        gates: done.gates,
        gatesWereWrong: (done.gates === "accepted") === (verdict === "wrong"),
        known: { wrong: counts.wrong, wrongAccepted: counts.wrongAccepted, right: counts.right, rightRefused: counts.rightRefused },
        next: "`stepfall gates` shows how good the gates are by now, `stepfall route FILE --explain` where steps begin.",
      },
    };
  },
});

const MOST_AGENTS = 60;

export const listAgents = defineTool({
  name: "list_agents",
  title: "List agents",
  description:
    "The agents that can be given work: id, tier, model, how many attempts they have now, trouble of their provider; and the queue.",
  input: z.strictObject({ project: projectArgument.describe("Of this project's settings: its folder") }),
  output: z.object({
    agents: z.array(
      z.object({
        id: z.string(),
        tier: z.string(),
        executor: z.string(),
        model: z.string().optional(),
        capabilities: z.array(z.string()),
        slots: z.number().optional().describe("Most attempts of its account at a time"),
        busy: z.number(),
        trouble: z.string().optional(),
      }),
    ),
    agentsLeftOut: z.number(),
    running: z.number(),
    queued: z.number(),
    slots: z.object({ busy: z.number(), total: z.number() }),
    problem: z.string().optional(),
    next: z.string(),
  }),
  hints: looks,
  act: async ({ project: given }, call) => {
    const view = await call.control.agents((await knownProject(given, call)) ?? call.project);
    const agents = view.agents.slice(0, MOST_AGENTS).map((a) => {
      const { breaker, lastFailure } = a.providerState ?? { breaker: "closed" as const };
      const trouble = breaker === "closed" ? undefined : gist(`its provider is not asked for now${lastFailure ? `: ${lastFailure}` : ""}`);
      return {
        id: a.id,
        tier: a.tier,
        executor: a.executor,
        ...(a.model === undefined ? {} : { model: a.model }),
        capabilities: [...a.capabilities].slice(0, 30),
        ...(a.slots === undefined ? {} : { slots: a.slots }),
        busy: a.busy,
        ...(trouble === undefined ? {} : { trouble }),
      };
    });
    return {
      data: {
        agents,
        agentsLeftOut: view.agents.length - agents.length,
        running: view.queue.running,
        queued: view.queue.queued,
        slots: view.slots,
        ...(view.problem === undefined ? {} : { problem: gist(view.problem, 500) }),
        next: view.agents.some((a) => a.executor !== "shell")
          ? "`do` takes an id as `agent`; without one the cheapest that can do the work is tried first."
          : "No agent can be given prompts: `stepfall doctor` tells a person why, `stepfall init` sets one up.",
      },
    };
  },
});
