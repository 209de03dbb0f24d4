import { runAgentsAtOnce, type AgentsOutcome } from "./recovery-agents.ts";
import type { Memory } from "./recovery-memory.ts";
import { timeRecovery, type RecoveryTimes } from "./recovery-time.ts";
import { median, options, percentile, report } from "./report.ts";

/**
 * What it takes to go on after a crash. First a run with 10,000 events whose engine was killed with attempts under way: `recovery_10k_ms` is the
 * time from `engine.drive` in a fresh process until all of them are taken up, and what died with its keeper is started again, all durable. The limit in
 * the same run is a bare `node:sqlite` loop over the same rows. Then 30 real agents at once, whose engine is killed when the last of them works.
 */
const EVENTS = 10_000;
const LIVE = 4;
const ROUNDS = 9;
const AGENTS = 30;
const PATIENCE_MS = 900_000;

const say = (text: string): void => void (options().json || process.stderr.write(`${text}\n`));
say(`${ROUNDS * 2} recoveries of a run with ${EVENTS} events (about half a minute)`);
const times = await timeRecovery({ events: EVENTS, live: LIVE, rounds: ROUNDS });
say(`${AGENTS} real agents at once (some minutes)`);
let outcome: AgentsOutcome | undefined;
const notes: string[] = ["Limit in the same run: bare_read_ms, a node:sqlite loop over the same rows with JSON.parse."];
try {
  outcome = await runAgentsAtOnce({ agents: AGENTS, programs: "real", patienceMs: PATIENCE_MS });
  notes.push(...outcome.problems);
} catch (error) {
  notes.push(`agents: ${error instanceof Error ? error.message : String(error)}`);
}
if (options().json) for (const note of notes.slice(1)) process.stderr.write(`${note}\n`);
report(
  "recovery",
  { ...ofTimes(times), ...(outcome ? ofAgents(outcome) : { agents_30_ok: 0 }) },
  { recovery_10k_ms: "< 1000", agents_30_ok: ">= 1" },
  notes,
);

function ofTimes(t: RecoveryTimes): Record<string, number> {
  const dispatched = median(t.dispatchedMs);
  return {
    recovery_10k_ms: dispatched,
    recovery_10k_p95_ms: percentile(t.dispatchedMs, 95),
    recovery_10k_first_commit_ms: median(t.firstCommitMs),
    /** Of all threads of the process; on a busy machine the truer figure. */
    recovery_10k_cpu_ms: median(t.cpuMs),
    resume_10k_ms: median(t.resumeMs),
    resume_10k_p95_ms: percentile(t.resumeMs, 95),
    version_ms: median(t.versionMs),
    journal_events: t.events,
    journal_mb: t.bytes / 1e6,
    read_10k_ms: median(t.readMs),
    fold_10k_ms: median(t.foldMs),
    bare_read_ms: median(t.bareReadMs),
    read_over_bare: median(t.readMs) / median(t.bareReadMs),
    recovery_over_bare: dispatched / median(t.bareReadMs),
  };
}

function ofAgents(o: AgentsOutcome): Record<string, number> {
  const mb = (name: string, { rss, pss }: Memory): Record<string, number> => ({
    [`${name}_rss_mb`]: Math.round(rss / 1e6),
    [`${name}_pss_mb`]: Math.round(pss / 1e6),
  });
  return {
    agents_30_ok: o.accepted === o.agents && o.restarted === 0 && o.reattached === o.agents ? 1 : 0,
    agents_30_accepted: o.accepted,
    agents_30_reattached: o.reattached,
    agents_30_restarted: o.restarted,
    agents_30_up_s: o.upSeconds,
    agents_30_reattach_ms: o.reattachMs,
    agents_30_s: o.seconds,
    agents_30_gateways: o.gateways,
    ...mb("peak_all", o.peaks.all),
    ...mb("peak_agents", o.peaks.agents),
    ...mb("peak_keepers", o.peaks.keepers),
    ...mb("peak_engine", o.peaks.engine),
    ...mb("peak_helpers", o.peaks.helpers),
    ...mb("peak_gateway", o.peaks.gateway),
    ...mb("one_gemini", o.agentMemory.gemini),
    ...mb("one_qwen", o.agentMemory.qwen),
    ...mb("one_keeper", meanOf(o.peaks.keepers)),
  };
}

function meanOf({ processes, rss, pss }: Memory): Memory {
  const over = Math.max(1, processes);
  return { processes: 1, rss: rss / over, pss: pss / over };
}
