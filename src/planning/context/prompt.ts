import type { AgentStep, Finding } from "../../domain/index.ts";
import { describeGate } from "./describe-gate.ts";

/**
 * What an agent is told: the task, then what its result is held against. An agent that knows the checks before it starts needs fewer
 * attempts; one that failed is told what the checks saw, word for word. `goesOn`: it works in the files an earlier attempt left. It is told
 * everything again all the same: whether its conversation could be taken up shows only afterwards.
 */
export function buildPrompt(
  step: AgentStep,
  feedback: readonly Finding[],
  { goesOn = false, hasRunTools = false, said = [] }: PromptContext = {},
): string {
  const parts = [step.prompt.trim()];
  const checks: string[] = [];
  if (step.readonly)
    checks.push(
      step.outputs.json ? `Change no file but ${step.outputs.json.file}: this step only reads.` : "Change no file: this step only reads.",
    );
  for (const file of step.outputs.files) checks.push(`${file} exists.`);
  if (step.outputs.json)
    checks.push(`${step.outputs.json.file} holds JSON that satisfies this JSON Schema: ${JSON.stringify(step.outputs.json.schema)}`);
  for (const gate of step.gates) checks.push(...describeGate(gate));
  if (step.protected && step.protected.length > 0) checks.push(`Changes to these paths are thrown away: ${step.protected.join(", ")}.`);
  if (checks.length > 0) parts.push(`Your work is checked by a program, outside this session:\n${checks.map((c) => `- ${c}`).join("\n")}`);
  if (hasRunTools) parts.push("You also have the tools of this run (MCP server stepfall): ask, report, blackboard_get, blackboard_put.");
  if (feedback.length > 0) {
    const findings = feedback.map((f) => `- ${f.gate}: ${f.message}${f.evidence ? `\n${indent(f.evidence)}` : ""}`);
    const what = goesOn
      ? "The attempt before this one was refused. The files are as it left them: go on from there."
      : "The attempt before this one was refused, and its changes are not in the files you see:";
    parts.push(`${what}\n${findings.join("\n")}`);
  } else if (goesOn) parts.push("An attempt before this one was not finished. The files are as it left them: go on from there.");
  if (said.length > 0) {
    const lines = said.map(({ by, text }) => `- ${by}: ${text.replaceAll("\n", "\n  ")}`);
    parts.push(`While an earlier attempt worked, people said:\n${lines.join("\n")}`);
  }
  return parts.join("\n\n");
}

export interface PromptContext {
  goesOn?: boolean;
  /** It has the tools of `runTools`. */
  hasRunTools?: boolean;
  /** What people said to earlier attempts of the step, whether it reached them or not. */
  said?: readonly { by: string; text: string }[];
}

const indent = (text: string): string =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
