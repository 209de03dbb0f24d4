import { runWithFaults, type InjectedFault } from "../test/agents/faulty-run.ts";
import { report } from "./report.ts";

/**
 * Real agents (gemini and qwen over ACP) in runs of the real program; only the model behind them is scripted. First six steps at once without
 * a fault, then so many steps that over a hundred attempts come together, of which about every fourth is made to crash, hang, lie, or get a
 * malformed answer. The faults are drawn by seed: the same in every run of this benchmark.
 */
const STEPS = 80;
const FAULT_SHARE = 0.25;
const KINDS: readonly InjectedFault[] = ["crash", "hang", "lie", "malformed"];

const six = await runWithFaults({ steps: 6, fault: () => "none", slots: 6, timeout: "55s" });
const faulty = await runWithFaults({ steps: STEPS, fault: drawn, slots: 4, timeout: "30s" });

const metrics = {
  six_step_seconds: six.seconds,
  six_step_accepted_share: six.accepted / six.steps,
  fault_attempts: faulty.attempts,
  faults_injected: faulty.injected,
  accepted_share: faulty.accepted / faulty.steps,
  true_reason_share: 1 - faulty.untrue.length / faulty.attempts,
  fault_run_seconds: faulty.seconds,
};
report(
  "agents",
  metrics,
  {
    six_step_seconds: "<= 60",
    six_step_accepted_share: ">= 1",
    fault_attempts: ">= 100",
    accepted_share: ">= 0.95",
    true_reason_share: ">= 1",
  },
  faulty.untrue,
);

/** A draw that depends on nothing but the seed, the step and the attempt. */
function drawn(step: number, attempt: number): InjectedFault {
  let x = (step * 2_654_435_761 + attempt * 40_503 + 12_345) >>> 0;
  const next = (): number => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 8; i++) next();
  if (next() >= FAULT_SHARE) return "none";
  return KINDS[Math.floor(next() * KINDS.length)] ?? "none";
}
