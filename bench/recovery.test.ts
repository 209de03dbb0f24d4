import { expect, test } from "vitest";
import { runAgentsAtOnce } from "./recovery-agents.ts";
import { timeRecovery } from "./recovery-time.ts";

/** The benchmark in small, so that it cannot rot. Nothing here is held to a clock, and a busy machine gets its time. */
const PATIENCE_MS = 120_000;

test(
  "the benchmark of recovery kills an engine with attempts under way, and a fresh one takes them up and starts what is lost",
  async () => {
    const times = await timeRecovery({ events: 200, live: 2, rounds: 1 });
    expect(times.events).toBeGreaterThan(200);
    for (const figures of [times.dispatchedMs, times.resumeMs, times.bareReadMs]) expect(figures).toEqual([expect.any(Number)]);
  },
  PATIENCE_MS,
);

test(
  "the benchmark of many agents has each of them accepted without a restart, and says what they held",
  async () => {
    const outcome = await runAgentsAtOnce({ agents: 2, programs: "ours", patienceMs: PATIENCE_MS - 10_000 });
    expect(outcome).toMatchObject({ agents: 2, accepted: 2, reattached: 2, restarted: 0, problems: [] });
    for (const part of ["agents", "keepers", "engine", "gateway"] as const) expect(outcome.peaks[part].pss).toBeGreaterThan(0);
    expect(outcome.peaks.keepers.processes).toBe(2);
  },
  PATIENCE_MS,
);
