import { asksForStatus, parseExpression, type Expression } from "./expression.ts";
import { conditionText } from "./template.ts";
import { condition, type CelScope } from "./to-cel.ts";
import type { Job } from "./workflow.ts";

/** When a job's step runs. `when` absent: when all its needs succeeded. */
export interface JobCondition {
  when?: "finally" | "on-failure";
  cel?: string;
  /** What is not quite the same. */
  note?: string;
}

/** A job's `if` as conditions of a step, or why there are none. */
export function jobCondition(job: Job, scope: CelScope): { ok: true; condition: JobCondition } | { ok: false; because: string } {
  const written = job.if?.value ?? true;
  if (typeof written !== "string") return { ok: true, condition: written === false || written === 0 ? { cel: "false" } : {} };
  const text = conditionText(written);
  if (text === undefined) return { ok: false, because: "there is text around its ${{ }}, which GitHub takes for true" };
  if (text === "") return { ok: true, condition: {} };
  const parsed = parseExpression(text);
  if (!parsed.ok) return parsed;
  const parts = parsed.expression.kind === "all" ? parsed.expression.of : [parsed.expression];
  const asked = new Set(parts.map(statusOf));
  if (asked.has("unknown")) return { ok: false, because: "a status function inside a larger expression is not supported yet" };
  const rest = parts.filter((part) => statusOf(part) === "none");
  const found: JobCondition = {};
  // Without needs nothing can have failed before it, and it need not wait.
  if (asked.has("failure")) {
    if (job.needs.length === 0) return { ok: true, condition: { cel: "false" } };
    found.when = "on-failure";
  } else if (
    !asked.has("success") &&
    job.needs.length > 0 &&
    ["always" as const, "not-cancelled" as const, "not-failure" as const].some((s) => asked.has(s))
  ) {
    found.when = "finally";
    if (asked.has("not-failure")) for (const { id } of job.needs) rest.push(didNotFail(id));
    const names = [
      ...(asked.has("not-failure") ? ["!failure() looks at its own needs only"] : []),
      ...(asked.has("not-cancelled") ? ["!cancelled() became `finally`, which runs after a cancelled need too"] : []),
    ];
    if (names.length > 0) found.note = names.join("; ");
  }
  if (rest.length === 0) return { ok: true, condition: found };
  const cel = condition(rest.length === 1 && rest[0] ? rest[0] : { kind: "all", of: rest }, scope);
  return cel.ok ? { ok: true, condition: { ...found, cel: cel.cel } } : cel;
}

const didNotFail = (job: string): Expression => ({
  kind: "compare",
  op: "!=",
  left: { kind: "path", root: "needs", keys: [job, "result"] },
  right: { kind: "literal", value: "failure" },
});

type Status = "none" | "always" | "success" | "failure" | "not-cancelled" | "not-failure" | "unknown";

function statusOf(part: Expression): Status {
  if (!asksForStatus(part)) return "none";
  if (part.kind === "call" && (part.name === "always" || part.name === "success" || part.name === "failure")) return part.name;
  if (part.kind === "not" && part.of.kind === "call" && part.of.name === "cancelled") return "not-cancelled";
  if (part.kind === "not" && part.of.kind === "call" && part.of.name === "failure") return "not-failure";
  return "unknown";
}
