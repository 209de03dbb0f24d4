import { createHash } from "node:crypto";
import {
  apply,
  currentAttempt,
  decide,
  emptyRun,
  runStream,
  type Finding,
  type GateResult,
  type Pipeline,
  type RunEvent,
  type RunState,
} from "../src/domain/index.ts";
import { evaluate } from "../src/engine/evaluate.ts";
import { rowOf } from "../src/engine/run-row.ts";
import { parsePipeline } from "../src/pipeline/index.ts";
import type { NewEvent, Store } from "../src/store/index.ts";

/**
 * The journal of a long run: groups of agent steps, each resolved, routed, started, judged, merged; every fourth attempt refused with findings,
 * every eleventh failed, every seventh merge refused first. The domain decides as in a real run; only what the attempts did is made up.
 * `live-*` are commands that come last and never end by themselves: those are for real engines to start.
 */
export const liveStep = (i: number): string => `live-${i}`;

/** Events that one step of a group comes to, all in all. Only to choose how many there are. */
const EVENTS_A_STEP = 7.85;
const GROUP = 50;
const MINUTE = 60_000;

export function longPipeline(events: number, live: number): Pipeline {
  const steps = Math.ceil(events / EVENTS_A_STEP);
  const groups = Math.ceil(steps / GROUP);
  const lines = Array.from({ length: groups }, (_, g) => {
    const items = Array.from({ length: Math.min(GROUP, steps - g * GROUP) }, (_, i) => `part-${g}-${i}`);
    return `  g${g}:
    ${g > 0 ? `needs: g${g - 1}\n    ` : ""}foreach: [${items.join(", ")}]
    prompt: "Write \${{ item }} so that it does what the plan says of it. Keep to the style of what is there, write a test beside it, and change nothing else."
    outputs: ["src/\${{ item }}.ts"]
    gates: ["npm test -- \${{ item }}", "npm run lint"]
    retry: 5
`;
  });
  const last = `g${groups - 1}`;
  const commands = Array.from(
    { length: live },
    (_, i) => `  ${liveStep(i)}: { needs: ${last}, command: "exec sleep 100000", readonly: true }\n`,
  );
  const parsed = parsePipeline(`name: long\nsteps:\n${[...lines, ...commands].join("")}`, "long.yaml");
  if (!parsed.ok) throw new TypeError(JSON.stringify(parsed.problems));
  return parsed.pipeline;
}

export interface History {
  runId: string;
  pipeline: Pipeline;
  project: string;
  base: string;
  at: number;
}

/** Everything up to where only the `live-*` steps are to be started. */
export function longHistory({ runId, pipeline, project, base, at }: History): { events: NewEvent[]; state: RunState } {
  const state = emptyRun();
  const events: NewEvent[] = [];
  let now = at;
  const take = (event: RunEvent, cause?: string): void => {
    events.push({ event, at: (now += 37), actor: "engine", cause });
    apply(state, { event, at: now, version: events.length });
  };
  const agents = [{ id: "coder", tier: "mid", executor: "chat", model: "made-up/coder-1" }];
  take({ type: "RunStarted", data: { runId, pipeline, project, base, branch: `stepfall/${runId}`, agents, includeDirty: false } });
  let merges = 0;
  for (let moved = true; moved;) {
    moved = false;
    for (const d of decide(state, now)) {
      switch (d.kind) {
        case "record":
          take(d.event);
          break;
        case "resolve":
        case "expand":
        case "conclude":
          take(evaluate(d, state));
          break;
        case "route":
          if (d.step.startsWith("live-")) continue;
          attempt(state, take, { step: d.step, attempt: d.attempt, n: d.n, from: base });
          break;
        // No git works here: the branch stays at its base, whatever is merged.
        case "merge": {
          const of = { attempt: d.attempt, step: d.step };
          take({ type: "MergeIntended", data: { ...of, onto: base, commit: base } });
          merges += 1;
          const findings = [
            { gate: "merge", message: `it conflicts with what was merged since in src/index.ts`, evidence: output("CONFLICT") },
          ];
          if (merges % 7 === 0) take({ type: "MergeRefused", data: { ...of, onto: base, findings, gates: [] } });
          else take({ type: "ResultMerged", data: { ...of, commit: base } });
          break;
        }
        case "wake":
          now = d.at + MINUTE / 100;
          break;
        default:
          throw new TypeError(`a run without people does not come to ${d.kind}`);
      }
      moved = true;
    }
  }
  return { events, state };
}

function attempt(
  state: RunState,
  take: (event: RunEvent, cause?: string) => void,
  { step, attempt: id, n, from }: { step: string; attempt: string; n: number; from: string },
): void {
  const of = { attempt: id, step };
  const reasons = ["capability edit", "the cheapest tier whose agents may do it"];
  take({ type: "AttemptRouted", data: { ...of, n, tier: "mid", candidates: ["coder"], reasons } });
  take(
    { type: "AttemptStarted", data: { ...of, agent: "coder", node: "bench:1:1", epoch: n, queuedMs: 12, credentials: "metered", from } },
    id,
  );
  if (currentAttempt(state.steps.get(step) ?? raise(step))?.phase !== "running") raise(step);
  const draw = Number.parseInt(shaOf(id).slice(0, 6), 16);
  const usage = {
    calls: 7,
    inputTokens: 48_211,
    cachedInputTokens: 31_002,
    outputTokens: 2_907,
    microUsd: 61_337,
    provenance: "reported" as const,
  };
  const summary = `I wrote it with a test beside it, and ran both: they pass. Nothing else was changed. ${"It keeps to the style of its neighbours. ".repeat(4)}`;
  const commit = shaOf(`commit ${id}`);
  if (n === 1 && draw % 11 === 0)
    take({ type: "AttemptFailed", data: { ...of, kind: "timeout", message: "it did not end within 30 minutes", usage } }, id);
  else if (n === 1 && draw % 4 === 0) {
    const evidence = output("not ok");
    const gates = [gate("refused", evidence)];
    const findings: Finding[] = [{ gate: "npm test", message: "`npm test` exits 1", evidence }];
    take({ type: "AttemptRejected", data: { ...of, commit, gates, findings, summary, usage } }, id);
  } else take({ type: "AttemptAccepted", data: { ...of, commit, gates: [gate("passed"), gate("passed")], summary, usage } }, id);
}

const gate = (verdict: GateResult["verdict"], evidence?: string): GateResult => ({
  name: "npm test",
  kind: "command",
  verdict,
  durationMs: 3017,
  ...(evidence === undefined ? {} : { evidence }),
});

const shaOf = (text: string): string => createHash("sha1").update(text).digest("hex");

/** The last lines of a command, some 1.5 KB. */
const output = (word: string): string =>
  Array.from({ length: 24 }, (_, i) => `${word} ${i + 1} - part ${i} of the suite, ${(i * 7919) % 997} ms, src/part.test.ts`).join("\n");

function raise(step: string): never {
  throw new TypeError(`${step} does not run`);
}

/** Writes a history as the run's stream, with its row. */
export async function store(into: Store, runId: string, { events, state }: ReturnType<typeof longHistory>): Promise<void> {
  const chunk = 500;
  for (let i = 0; i < events.length; i += chunk) {
    const isLast = i + chunk >= events.length;
    await into.commit({
      appends: [{ stream: runStream(runId), expected: i, events: events.slice(i, i + chunk) }],
      ...(isLast ? { projections: [rowOf(state)] } : {}),
    });
  }
}
