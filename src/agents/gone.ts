import type { ExecutionResult, Exit } from "./contract.ts";

/** An agent's process that is gone and has not said how its work went. `tail`: its last output, may be empty. */
export function goneWithoutAnswer(exit: Exit, tail: string, deadlineMs: number): ExecutionResult {
  const said = tail === "" ? "" : `. Its last output:\n${tail}`;
  switch (exit.kind) {
    case "aborted":
      return { kind: "aborted" };
    case "deadline":
      return { kind: "failed", because: "timeout", message: `not done after ${Math.round(deadlineMs / 1000)} s` };
    case "flooded":
      return { kind: "failed", because: "agent", message: "it wrote more output than a transcript may hold" };
    case "unstartable":
      return { kind: "failed", because: "setup", message: `could not be started: ${exit.message}` };
    case "exited":
      return { kind: "failed", because: "crash", message: `the agent's process ended with exit ${exit.code} before it answered${said}` };
    case "signalled":
      return { kind: "failed", because: "crash", message: `the agent's process was ended by ${exit.signal}${said}` };
    default:
      return exit satisfies never;
  }
}
