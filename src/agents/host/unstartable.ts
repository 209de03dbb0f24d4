import type { AgentHandle, Exit } from "../contract.ts";
import { AgentError } from "../errors.ts";

/** The handle of a process that could not be made. Its pid is 0, which no function here ever signals. */
export function unstartable(message: string): AgentHandle {
  const exit: Exit = { kind: "unstartable", message, durationMs: 0 };
  return {
    process: { pid: 0, startTime: "", pgid: 0 },
    async *lines() {},
    async send() {
      throw new AgentError("AGENT_STDIN_CLOSED", `nothing was started: ${message}`, "See settle() for the reason.");
    },
    signal() {},
    settle: async () => exit,
  };
}
