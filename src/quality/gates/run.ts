import type { Finding, Gate, GateResult } from "../../domain/index.ts";

/** How a command in a clean checkout ended. */
export interface CommandEnd {
  kind: "exited" | "deadline" | "aborted" | "crashed" | "unstartable";
  code?: number;
  durationMs: number;
  /** The last lines of its output, secrets masked. */
  tail: string;
}

/** What the engine hands in: the room itself starts no process. */
export interface GateRun {
  /** Those of the globs that match nothing in the commit that is judged. */
  missing: (globs: readonly string[]) => Promise<readonly string[]>;
  /** Runs a shell command in the clean checkout, which is made when it is first needed. */
  command: (command: string, options: { name: string; timeoutMs: number }) => Promise<CommandEnd>;
}

/** Runs all gates, so that the next attempt learns all that is wrong and not only the first thing. */
export async function runGates(
  gates: readonly Gate[],
  run: GateRun,
): Promise<{ gates: GateResult[]; findings: Finding[]; aborted: boolean }> {
  const results: GateResult[] = [];
  const findings: Finding[] = [];
  for (const gate of gates) {
    if (gate.kind === "files") {
      const missing = await run.missing(gate.files);
      results.push({
        name: gate.name,
        kind: "files",
        verdict: missing.length === 0 ? "passed" : "refused",
        durationMs: 0,
        ...(missing.length > 0 ? { evidence: missing.join("\n") } : {}),
      });
      if (missing.length > 0)
        findings.push({
          gate: gate.name,
          message: `${missing.join(", ")} ${missing.length === 1 ? "does" : "do"} not exist in the attempt's commit`,
        });
      continue;
    }
    const end = await run.command(gate.command, { name: gate.name, timeoutMs: gate.timeoutMs });
    if (end.kind === "aborted") return { gates: results, findings, aborted: true };
    const passed = end.kind === "exited" && end.code === 0;
    const how = describe(end, gate.timeoutMs);
    results.push({
      name: gate.name,
      kind: "command",
      verdict: passed ? "passed" : end.kind === "exited" ? "refused" : "errored",
      durationMs: end.durationMs,
      ...(passed ? {} : { evidence: `${how}\n${end.tail}`.trim() }),
    });
    if (!passed) findings.push({ gate: gate.name, message: `\`${gate.command}\` ${how}`, evidence: end.tail });
  }
  return { gates: results, findings, aborted: false };
}

function describe(end: CommandEnd, timeoutMs: number): string {
  switch (end.kind) {
    case "exited":
      return `exits ${end.code}`;
    case "deadline":
      return `did not end within ${timeoutMs / 1000} s`;
    case "crashed":
      return "was ended by a signal or wrote without end";
    case "unstartable":
      return "could not be started";
    case "aborted":
      return "was stopped";
    default:
      return end.kind satisfies never;
  }
}
