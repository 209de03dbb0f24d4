import type { AttemptState, StepState } from "../../../../src/domain/index.ts";
import type { Facts } from "./facts.ts";

/** Why this agent and this tier, fact by fact, in words. The reasons of routing come as it gave them. */
export interface Why {
  tier: string;
  agent?: string | undefined;
  /** Name and value. */
  facts: { name: string; text: string }[];
  reasons: readonly string[];
}

export function whyOf(s: StepState, attempt: AttemptState, facts: Facts, version: number): Why {
  const route = facts.route(attempt.id);
  const before = s.attempts[s.attempts.indexOf(attempt) - 1];
  const rows: Why["facts"] = [];
  const say = (name: string, text: string | undefined): void => void (text !== undefined && rows.push({ name, text }));
  say("Escalated", route?.escalatedFrom && `from ${route.escalatedFrom}, whose tries were no good`);
  say("After", before && `attempt ${before.n} ${endOf(before)}`);
  say("Complexity", route?.complexity === undefined ? undefined : `${route.complexity} of 10`);
  say("Kind of work", route?.type);
  say("Policy", route?.policy);
  if (attempt.candidates.length > 1) say("Could have gone to", attempt.candidates.join(", "));
  for (const r of facts.reassigned(version))
    if (r.step === attempt.step && r.at <= attempt.routedAt)
      say(
        "Reassigned",
        `by ${r.by}${r.agent ? ` to ${r.agent}` : r.not ? `, to any but ${r.not}` : ""}${r.because ? `: ${r.because}` : ""}`,
      );
  if (attempt.queuedMs !== undefined && attempt.queuedMs >= 1000) say("Waited for a slot", `${Math.round(attempt.queuedMs / 1000)} s`);
  if (attempt.resumes)
    say("Goes on with", `the conversation of ${attempt.resumes.folder.slice(attempt.resumes.folder.lastIndexOf("/") + 1)}`);
  say("Credentials", attempt.credentials);
  return { tier: attempt.tier, agent: attempt.agent, facts: rows, reasons: attempt.reasons };
}

/** How an attempt ended, as the end of a sentence. */
export function endOf(a: AttemptState): string {
  switch (a.phase) {
    case "queued":
      return "waits for a slot";
    case "running":
      return "runs";
    case "accepted":
      return "was accepted";
    case "merging":
      return "is being merged";
    case "merged":
      return "was merged";
    case "rejected": {
      const gates = [...new Set((a.findings ?? []).map((f) => f.gate))];
      return gates.length > 0 ? `was refused by ${gates.join(", ")}` : "was refused";
    }
    case "failed":
      // Its own failure is what one thinks of first; another's is named.
      return a.failure === undefined || a.failure.kind === "agent" ? "failed" : `failed (${a.failure.kind})`;
    case "interrupted":
      return `was interrupted: ${a.interrupted?.because ?? ""}`;
    case "refused":
      return "was refused by the merge queue";
    default:
      return a.phase satisfies never;
  }
}
