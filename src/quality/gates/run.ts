import type { Finding, Gate, GateResult, Step } from "../../domain/index.ts";
import { commandGate } from "./command.ts";
import type { GateRun, GatesEnd, Ruling } from "./contract.ts";
import { coverageGate } from "./coverage.ts";
import { diffGate } from "./diff.ts";
import { filesGate } from "./files.ts";
import { regressionGate } from "./regression.ts";
import { schemaGate } from "./schema.ts";
import { syntaxGate } from "./syntax.ts";

const MOST_EVIDENCE = 8 * 1024;

/**
 * Runs all gates, so that the next attempt learns all that is wrong and not only the first thing. Judges are asked last, and only where nothing else
 * refused: they cost money, and what is refused already is done again anyway.
 */
export async function runGates(step: Pick<Step, "gates" | "outputs" | "touches" | "env" | "setup">, run: GateRun): Promise<GatesEnd> {
  const gates: GateResult[] = [];
  const findings: Finding[] = [];
  for (const gate of [...step.gates.filter((g) => g.kind !== "judge"), ...step.gates.filter((g) => g.kind === "judge")]) {
    if (gate.kind === "judge" && findings.length > 0) break;
    const began = run.now();
    const ruling = await rule(gate, step, run);
    if (ruling.verdict === "aborted") return { gates, findings, aborted: true };
    if (ruling.verdict === "silent") continue;
    const { verdict, evidence, microUsd, durationMs = Math.max(0, run.now() - began) } = ruling;
    gates.push({
      name: gate.name,
      kind: gate.kind,
      verdict,
      durationMs,
      ...(evidence === undefined || evidence === "" ? {} : { evidence: cut(evidence) }),
      ...(microUsd === undefined ? {} : { microUsd }),
    });
    if (verdict === "passed") continue;
    const shown = ruling.findingEvidence ?? evidence;
    findings.push({
      gate: gate.name,
      message: ruling.message,
      ...(shown === undefined || shown === "" ? {} : { evidence: cut(shown) }),
    });
  }
  return { gates, findings, aborted: false };
}

function rule(gate: Gate, step: Pick<Step, "outputs" | "touches" | "env" | "setup">, run: GateRun): Promise<Ruling> | Ruling {
  switch (gate.kind) {
    case "command":
      return commandGate(gate, run);
    case "files":
      return filesGate(gate, run);
    case "diff":
      return diffGate(gate, run);
    case "coverage":
      return coverageGate(gate, step, run);
    case "schema":
      return schemaGate(gate, run);
    case "regression":
      return regressionGate(gate, step, run);
    case "syntax":
      return syntaxGate(gate, run);
    case "judge":
      // Work must not pass by a gate that nobody runs.
      if (run.judge) return run.judge(gate);
      return { verdict: "errored", message: "nobody is there to ask judges" };
    default:
      return gate satisfies never;
  }
}

const cut = (text: string): string => (text.length > MOST_EVIDENCE ? `${text.slice(0, MOST_EVIDENCE)}…` : text);
