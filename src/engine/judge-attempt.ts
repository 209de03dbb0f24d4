import type { RunEvent, Usage } from "../domain/index.ts";
import { judge, protectedPaths } from "../quality/index.ts";
import type { Workspace } from "../workspace/index.ts";
import type { AttemptWork } from "./attempt.ts";
import type { EngineDeps } from "./contract.ts";
import { GateGround } from "./gate-run.ts";
import { JudgeBench, workBetween } from "./judge-gate.ts";
import type { Preparation } from "./ground.ts";
import { Outcome, type Exhausted } from "./outcome.ts";

/** Takes what an agent left as one commit, and has the gates judge that. `said`: the agent's own word. */
export async function judgeAttempt(
  deps: EngineDeps,
  work: AttemptWork,
  preparation: Preparation,
  workspace: Workspace,
  { said, usage }: { said: string; usage: Usage | undefined },
): Promise<{ event: RunEvent; exhausted?: Exhausted | undefined }> {
  const { workspaces, from, step, agent } = work;
  const outcome = new Outcome(deps, work);
  // Judged against the files it started from: earlier steps' accepted work is not this attempt's doing.
  // They matter only for what gates read; a git process saved is time saved where many attempts end at once.
  const filesBefore =
    !step.protected && step.gates.some((g) => ["command", "regression", "schema"].includes(g.kind)) ? await workspaces.list(from) : [];
  const snapshot = await workspaces.snapshot({
    workspace,
    title: `${step.path}: ${firstLine(said) || "work of " + agent}`,
    protected: protectedPaths(step, deps.protected, filesBefore),
    base: from,
    at: deps.clock.now(),
    trailers: { "Stepfall-Agent": agent },
  });
  const tree = snapshot.commit ?? from;
  const absent = await workspaces.missing(tree, step.outputs.files);
  const bench = new JudgeBench(deps, work, async () => ({
    prompt: step.kind === "agent" ? step.prompt : `The command \`${step.command}\` was run.`,
    ...(await workBetween(workspaces, { from, to: tree, changes: await ground.run.changes() })),
  }));
  await using ground = new GateGround(preparation, workspaces, { phase: "attempt", tree, from, judge: (gate) => bench.rule(gate) });
  const judged = await judge({
    step,
    commit: snapshot.commit,
    changed: snapshot.changed,
    dropped: snapshot.dropped,
    refused: snapshot.refused,
    ignored: absent.length > 0 ? await workspaces.ignored(workspace, absent) : [],
    gates: ground.run,
  });
  const summary = deps.mask(said).slice(0, 4000);
  const common = {
    ...outcome.of,
    ...(summary ? { summary } : {}),
    ...(usage ? { usage } : {}),
    // What a readonly step leaves is its structured output at most: recorded, and not merged.
    ...(snapshot.commit && !(step.readonly && judged.verdict === "accepted") ? { commit: snapshot.commit } : {}),
  };
  switch (judged.verdict) {
    case "accepted":
      return {
        event: {
          type: "AttemptAccepted",
          data: {
            ...common,
            gates: judged.gates,
            ...(judged.output === undefined ? {} : { output: judged.output }),
            ...(snapshot.dropped.length > 0 ? { dropped: [...snapshot.dropped] } : {}),
          },
        },
      };
    case "rejected":
      return {
        event: { type: "AttemptRejected", data: { ...common, gates: judged.gates, findings: judged.findings } },
        exhausted: bench.exhausted,
      };
    case "aborted":
      return { event: outcome.interrupted(usage) };
    default:
      return judged satisfies never;
  }
}

const firstLine = (text: string): string => (text.trim().split("\n")[0] ?? "").slice(0, 72);
