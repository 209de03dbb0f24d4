import type { AgentHost, Confine } from "../contract.ts";

/** The same host, whose processes all run confined: executors need not know. */
export const confinedHost = (host: AgentHost, confine: Confine): AgentHost => ({
  spawn: (spec) => host.spawn({ ...spec, confine }),
  attach: (attempt, fromSeq) => host.attach(attempt, fromSeq),
  endLeftovers: (attempt) => host.endLeftovers(attempt),
});
