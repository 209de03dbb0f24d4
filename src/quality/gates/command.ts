import type { GateOf } from "../../domain/index.ts";
import type { CommandEnd, GateRun, Ruling } from "./contract.ts";

/** Exit code 0 accepts. */
export async function commandGate(gate: GateOf<"command">, { judged }: Pick<GateRun, "judged">): Promise<Ruling> {
  const end = await judged.command(gate.command, { name: gate.name, timeoutMs: gate.timeoutMs });
  if (end.kind === "aborted") return { verdict: "aborted" };
  if (end.kind === "exited" && end.code === 0) return { verdict: "passed", durationMs: end.durationMs };
  const how = describeEnd(end, gate.timeoutMs);
  return {
    verdict: end.kind === "exited" ? "refused" : "errored",
    durationMs: end.durationMs,
    message: `\`${gate.command}\` ${how}`,
    evidence: `${how}\n${end.tail}`.trim(),
    findingEvidence: end.tail,
  };
}

/** How a command ended, as the end of a sentence that begins with its name. */
export function describeEnd(end: CommandEnd, timeoutMs: number): string {
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
