import type { AgentHandle, Preflight } from "../contract.ts";
import type { AgentPreset } from "../presets/contract.ts";
import { exitFailure, requestFailure } from "./failure.ts";
import { connectAgent } from "./link.ts";
import { greet, openSession } from "./session.ts";
import { PREFLIGHT_MS } from "./start.ts";

/** Whether the agent greets and begins a session. No model is asked. */
export async function preflight(handle: AgentHandle, cwd: string, signal: AbortSignal, preset: AgentPreset): Promise<Preflight> {
  const link = connectAgent(handle, {
    update: () => {},
    permission: () => Promise.resolve({ outcome: { outcome: "cancelled" } }),
    answered: () => {},
  });
  const over = new AbortController();
  const exit = handle.settle(AbortSignal.any([signal, over.signal]));
  try {
    const greeting = await greet(link.agent);
    await openSession(link.agent, "no", { cwd, mode: "asks", sessionModes: preset.sessionModes, closed: link.connection.signal });
    return { ok: true, detail: `${greeting.name ?? preset.name} starts` };
  } catch (error) {
    if (!link.connection.signal.aborted) {
      const { message } = requestFailure(error);
      const isLogin = message.startsWith("it asks for a login");
      return {
        ok: false,
        problem: `${preset.name}: ${message}`,
        hint: isLogin ? "Log in with it once in a terminal." : "Is its version new enough?",
      };
    }
    const ended = exitFailure(await exit, link.noise, PREFLIGHT_MS);
    const problem = ended.kind === "failed" ? ended.message : "stopped before it was ready";
    return { ok: false, problem: `${preset.name}: ${problem}`, hint: `${preset.install}, or give the agent a command.` };
  } finally {
    over.abort();
    await exit;
    await link.ended;
    link.connection.close();
  }
}
